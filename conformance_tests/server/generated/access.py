"""What one device sees never shows another's: each thing that a device finds is asked for by others.

The second device must get what is its own or public, and 403 or 404 for everything else. An aggregator sees
what belongs to the devices that it manages, and nothing of others. What a DELETE could take away is made for
the case and taken away again.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from certs import parse_lfdi, sfdi_of
from conformance_tests.case import AnyCase, Case, Level, Need, Role
from conformance_tests.judge import hrefs_of
from conformance_tests.server.generated.notifying import posted, status_of
from conformance_tests.server.generated.specimens import DONE, SPECIMENS, known_of
from conformance_tests.server.generated.survey import HOSTED_BY_CLIENTS, Survey, survey_of
from conformance_tests.sources import STANDARD
from function_sets import ROUTES, Access, Mark, Route
from schemas import MEDIA_TYPE, EndDevice, EndDeviceList

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from conformance_tests.server.bench import ServerBench, Viewer

CLAUSE: Final = "access control"
MOST_ASKED: Final = 3
"""Hrefs of one kind that are asked for by another."""
HIDDEN: Final = frozenset({403, 404})
REFUSED: Final = frozenset({400, 403, 404, 405, 501})
PAGE: Final = 255
NOTHING: Final = b'<Nothing xmlns="urn:ieee:std:2030.5:ns"/>'
WRITABLE: Final = tuple(route for route in ROUTES.values() if route.methods["PUT"] in {Mark.MUST, Mark.MAY})


async def _mine(bench: ServerBench, route: Route) -> Sequence[str]:
    """Hrefs of a kind that the device is led to and may read; the case is skipped where there are none."""
    hrefs = (await survey_of(bench, bench.device)).places.get(route.id, ())[:MOST_ASKED]
    if not hrefs:
        bench.trial.skip(f"nothing leads the device to a {route.id}: there is nothing to hide")
    return hrefs


def _names_of(lfdi: str) -> re.Pattern[bytes]:
    """Finds the LFDI and SFDI of a device in a body, as whole words."""
    sfdi = str(sfdi_of(parse_lfdi(lfdi)))
    return re.compile(
        rb"(?<![0-9A-Za-z])(" + lfdi.encode() + b"|" + sfdi.encode() + rb")(?![0-9A-Za-z])", re.I
    )


def leaks(owner: Viewer, private: frozenset[str], body: bytes) -> str:
    """What a body tells of a device that is not its reader's: its names, or where its things are."""
    names = _names_of(owner.lfdi).search(body)
    if names is not None:
        return names[0].decode()
    shown = frozenset(map(owner.uri, hrefs_of(body)))
    return next((href for href in sorted(private) if owner.uri(href) in shown), "")


def private_hrefs(survey: Survey) -> frozenset[str]:
    """Where the things are that belong to a device alone."""
    own = {r.id for r in ROUTES.values() if r.access is Access.OWNER}
    return frozenset(href for name, hrefs in survey.places.items() if name in own for href in hrefs)


async def _read_by(bench: ServerBench, route: Route, asker: Viewer) -> None:
    """GET and HEAD of what the device has, by another identity."""
    hrefs = await _mine(bench, route)
    others = await survey_of(bench, asker)
    private = private_hrefs(await survey_of(bench, bench.device)) - others.all_hrefs()
    for href in hrefs:
        theirs = href in others.all_hrefs()
        answer = await asker.get(href, l=PAGE) if route.is_list else await asker.get(href)
        head = await asker.send("HEAD", href, headers={"Accept": MEDIA_TYPE})
        who = f"the {asker.name}"
        if theirs or route.access is Access.PUBLIC or (route.access is Access.SELF and route.is_list):
            ok = frozenset({200, 403, 404, 405, 501})
            bench.trial.check(
                answer.status in ok, f"{who} gets its own view", seen=f"{href}: {answer.status}"
            )
        else:
            what = f"{who} gets 403 or 404 for what is another's"
            bench.trial.check(answer.status in HIDDEN, what, seen=f"{href}: {answer.status}")
            bench.trial.check(
                head.status in HIDDEN | {405, 501}, f"{what} (HEAD)", seen=f"{href}: {head.status}"
            )
        leak = "" if await _manages(bench, others, asker) else leaks(bench.device, private, answer.body)
        bench.trial.check(
            not leak, f"what {who} is shown tells nothing of the device", seen=f"{leak} at {href}"
        )


async def _manages(bench: ServerBench, others: Survey, asker: Viewer) -> bool:
    """Whether an aggregator is led to the device's own things: it manages the device.

    Where its tour did not come to them it is looked for in the whole list of its devices, once in a run.
    """
    held = bench.shared.get(f"survey of {bench.device.lfdi}")
    own = held.places.get("EndDevice", ()) if isinstance(held, Survey) else ()
    if not own or Need.AGGREGATOR not in bench.has or asker.lfdi != bench.aggregator.lfdi:
        return False
    if own[0] in others.all_hrefs():
        return True
    key = f"devices of {asker.lfdi}"
    if key not in bench.shared:
        lists = others.places.get("EndDeviceList", ())[:1]
        seen = [one for href in lists for one in await asker.items(href, EndDeviceList, EndDevice)]
        bench.shared[key] = frozenset((one.lFDI or "").upper() for one in seen)
    known = bench.shared[key]
    return isinstance(known, frozenset) and bench.device.lfdi.upper() in known


async def _by_other(bench: ServerBench, route: Route) -> None:
    await _read_by(bench, route, bench.other)


async def _by_aggregator(bench: ServerBench, route: Route) -> None:
    """An aggregator reads all of a device that it manages, and nothing of one that it does not manage."""
    hrefs = await _mine(bench, route)
    others = await survey_of(bench, bench.aggregator)
    await survey_of(bench, bench.device)
    if not await _manages(bench, others, bench.aggregator):
        await _read_by(bench, route, bench.aggregator)
        return
    for href in hrefs:
        own = await bench.device.get(href)
        answer = await bench.aggregator.get(href)
        what = "the aggregator of the device reads what the device reads"
        bench.trial.check(
            answer.status == own.status, what, seen=f"{href}: {answer.status}, not {own.status}"
        )


async def _put_by_other(bench: ServerBench, route: Route) -> None:
    """PUT by another of what the device itself reads there: refused, and nothing is changed."""
    others = await survey_of(bench, bench.other)
    probed = 0
    for href in await _mine(bench, route):
        own = await bench.device.get(href)
        if href in others.all_hrefs() or own.status != 200:
            continue
        probed += 1
        headers = {"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}
        answer = await bench.other.send("PUT", href, own.body, headers)
        what = "a PUT to what is another's is refused"
        bench.trial.check(answer.status in REFUSED, what, seen=f"{href}: {answer.status}")
        again = await bench.device.get(href)
        bench.trial.check(again.body == own.body, "and nothing is changed by it", seen=href)
    if not probed:
        bench.trial.skip(f"the other device is led to every {route.id} of the device: it is no other's")


async def _post_by_other(bench: ServerBench, list_id: str) -> None:
    """POST by another to a list of the device: refused; it is deleted where it is taken."""
    hrefs = await _mine(bench, ROUTES[list_id])
    survey = await survey_of(bench, bench.device)
    if hrefs[0] in (await survey_of(bench, bench.other)).all_hrefs():
        bench.trial.skip(f"all clients share the {list_id}: it is no other's")
    known = await known_of(bench, bench.device, survey)
    async with posted(bench, bench.other, hrefs[0], SPECIMENS[list_id](known)) as answer:
        what = "a POST to a list that is another's is refused"
        bench.trial.check(answer.status in REFUSED, what, seen=f"{hrefs[0]}: {answer.status}")


async def _delete_by_other(bench: ServerBench, list_id: str) -> None:
    """DELETE by another of what the device posted for this case: refused, and it is still there."""
    hrefs = await _mine(bench, ROUTES[list_id])
    known = await known_of(bench, bench.device, await survey_of(bench, bench.device))
    async with posted(bench, bench.device, hrefs[0], SPECIMENS[list_id](known)) as made:
        bench.trial.require(
            made.status in DONE, "the device posts a resource of its own", seen=status_of(bench, made)
        )
        href = made.header("Location") or ""
        read = await bench.other.get(href)
        what = "GET of what is another's answers 403 or 404"
        bench.trial.check(read.status in HIDDEN | {405, 501}, what, seen=read.status)
        put = await bench.other.send("PUT", href, NOTHING, {"Content-Type": MEDIA_TYPE})
        bench.trial.check(put.status in REFUSED, "PUT of what is another's is refused", seen=put.status)
        gone = await bench.other.delete(href)
        bench.trial.check(gone.status in REFUSED, "DELETE of what is another's is refused", seen=gone.status)
        again = await bench.device.get(href)
        still = again.status not in {404, 410}
        bench.trial.check(still, "and it is there after the DELETE", seen=again.status)


async def _speak_for_other(bench: ServerBench) -> None:
    """A MirrorUsagePoint with the LFDI of another device is refused."""
    hrefs = await _mine(bench, ROUTES["MirrorUsagePointList"])
    known = await known_of(bench, bench.other, await survey_of(bench, bench.device))
    async with posted(bench, bench.device, hrefs[0], SPECIMENS["MirrorUsagePointList"](known)) as answer:
        what = "a device mirrors no readings in the name of another"
        bench.trial.check(answer.status in {400, 403}, what, seen=answer.status)


async def _own_entry(bench: ServerBench) -> None:
    """The EndDeviceList of a device holds its own entry and no other's."""
    for mine, theirs in ((bench.device, bench.other), (bench.other, bench.device)):
        hrefs = (await survey_of(bench, mine)).places.get("EndDeviceList", ())
        if not hrefs:
            bench.trial.skip(f"nothing leads the {mine.name} to an EndDeviceList")
        answer = await mine.get(hrefs[0], l=PAGE)
        own = _names_of(mine.lfdi).search(answer.body) is not None
        bench.trial.check(own, f"the EndDeviceList shows the {mine.name} its own entry", seen=answer.status)
        strange = _names_of(theirs.lfdi).search(answer.body) is not None
        bench.trial.check(
            not strange, f"the EndDeviceList shows the {mine.name} no other's", seen=answer.status
        )


def _case(
    name: str,
    requirement: str,
    procedure: Callable[[ServerBench], Awaitable[None]],
    needs: frozenset[Need],
) -> AnyCase:
    return Case(
        id=f"access/{name}/server",
        title=name.replace("-", " "),
        source=STANDARD,
        clause=CLAUSE,
        requirement=requirement,
        role=Role.SERVER,
        procedure=procedure,
        level=Level.MUST,
        needs=needs,
        lasts_s=0.05,
    )


_OTHER: Final = frozenset({Need.SECOND_DEVICE})
_AGGREGATOR: Final = frozenset({Need.AGGREGATOR})
_ASKED: Final = tuple(route for route in ROUTES.values() if route.id not in HOSTED_BY_CLIENTS)


def _cases_of(route: Route) -> list[AnyCase]:
    shown = f"a {route.id} of one device is not shown to another ({route.access.value})"
    managed = f"a {route.id} of a device is shown to its own aggregator alone"
    cases = [
        _case(f"{route.id}-other", shown, partial(_by_other, route=route), _OTHER),
        _case(f"{route.id}-aggregator", managed, partial(_by_aggregator, route=route), _AGGREGATOR),
    ]
    if route in WRITABLE and route.access is Access.OWNER:
        text = f"a {route.id} of one device cannot be put by another"
        cases.append(_case(f"{route.id}-put", text, partial(_put_by_other, route=route), _OTHER))
    return cases


def _cases_of_list(list_id: str) -> list[AnyCase]:
    item = list_id.removesuffix("List")
    gone = f"a {item} of one device cannot be deleted by another"
    cases = [_case(f"{item}-delete", gone, partial(_delete_by_other, list_id=list_id), _OTHER)]
    if ROUTES[list_id].access is Access.OWNER:
        text = f"another cannot post to the {list_id} of a device"
        cases.append(_case(f"{list_id}-post", text, partial(_post_by_other, list_id=list_id), _OTHER))
    return cases


CASES: Final[tuple[AnyCase, ...]] = (
    *(case for route in _ASKED for case in _cases_of(route)),
    *(case for list_id in SPECIMENS for case in _cases_of_list(list_id)),
    _case("own-entry", "the EndDeviceList of a device holds its own entry alone", _own_entry, _OTHER),
    _case("mirror-for-other", "a device mirrors no readings in another's name", _speak_for_other, _OTHER),
)
