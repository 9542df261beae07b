"""Our subscriptions at a VTN: there is always one set of ours, with the token of now."""

import logging
from collections.abc import Iterable
from typing import Final

from openadr_ven.v3.errors import RefusedError
from openadr_ven.v3.leniency import Notes
from openadr_ven.v3.paging import walk
from openadr_ven.v3.read_list import read_list
from openadr_ven.v3.read_objects import read_subscription
from openadr_ven.v3.version import LIMIT, ObjectType, Operation, Version, segment
from openadr_ven.v3.wire import Wire
from openadr_ven.v3.write import Subscribing, subscription_body

log: Final = logging.getLogger(__name__)
OBJECTS: Final = (ObjectType.EVENT, ObjectType.PROGRAM)
OBJECTS_310: Final = (*OBJECTS, ObjectType.VEN, ObjectType.RESOURCE)
CHANGES: Final = (Operation.CREATE, Operation.UPDATE, Operation.DELETE)


def scopes(version: Version, programIDs: Iterable[str]) -> list[str]:
    """The programs that need a subscription each: in 3.1.0 one of no program has them all."""
    return [""] if version is Version.V310 else sorted(programIDs)


async def are_there(wire: Wire, ids: Iterable[str]) -> bool:
    """Whether the VTN still has all of them, and there are any."""
    known = list(ids)
    for one in known:
        try:
            await wire.get(f"/subscriptions/{segment(one)}")
        except RefusedError as error:
            if error.status != 404:
                raise
            log.warning("the VTN has lost a subscription of ours")
            return False
    return bool(known)


async def subscribe(
    wire: Wire, clientName: str, url: str, token: str, programIDs: Iterable[str]
) -> dict[str, str]:
    """Ids of new subscriptions by their program, in place of whatever calls this URL."""
    await _unsubscribe(wire, clientName, url)
    ids: dict[str, str] = {}
    for programID in scopes(wire.version, programIDs):
        asked = Subscribing(
            clientName=clientName,
            callbackUrl=url,
            bearerToken=token,
            objects=OBJECTS_310 if wire.version is Version.V310 else OBJECTS,
            operations=CHANGES,
            programID=programID or None,
        )
        made = await wire.post("/subscriptions", subscription_body(wire.version, asked))
        ids[programID] = read_subscription(made, wire.version, Notes()).id
    log.info("%d subscriptions are made at the VTN", len(ids))
    return ids


async def _unsubscribe(wire: Wire, clientName: str, url: str) -> None:
    async def page(skip: int) -> object:
        query = [("clientName", clientName), ("skip", str(skip)), ("limit", str(LIMIT))]
        return await wire.get("/subscriptions", query)

    walked = await walk(page)
    found = read_list(
        list(walked.items), lambda one: read_subscription(one, wire.version, Notes()), most=len(walked.items)
    )
    for one in found.objects:
        if one.clientName == clientName and url in one.callbackUrls:
            await wire.delete(f"/subscriptions/{segment(one.id)}")
