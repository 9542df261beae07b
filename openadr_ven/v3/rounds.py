"""One look at a VTN: who we are there, its programs, and all its events. IO through the wire alone."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from openadr_ven.events import Target
from openadr_ven.v3.errors import FlawError, RefusedError
from openadr_ven.v3.leniency import Notes
from openadr_ven.v3.objects import EventObject, Program, ResourceObject, VenObject
from openadr_ven.v3.paging import walk
from openadr_ven.v3.read_event import read_event
from openadr_ven.v3.read_list import Listed, read_list
from openadr_ven.v3.read_objects import read_program, read_resource, read_ven
from openadr_ven.v3.table import is_id
from openadr_ven.v3.version import LIMIT, Version, path_of_resources, segment, target_query
from openadr_ven.v3.wire import Query, Wire
from openadr_ven.v3.write import Attributes, resource_body, ven_body

log: Final = logging.getLogger(__name__)
T = TypeVar("T")
MOST_TARGETS: Final = 100
"""So many targets of ours are asked for, one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enlisted:
    """Our VEN and its resources as the VTN holds them."""

    ven: VenObject
    resources: tuple[ResourceObject, ...]

    @property
    def targets(self) -> tuple[Target, ...]:
        """Everything that was granted to us, once each."""
        held = (self.ven.targets, *(one.targets for one in self.resources))
        return tuple(dict.fromkeys(target for part in held for target in part))


async def enlist(
    wire: Wire,
    venName: str,
    attributes: Attributes,
    resources: Mapping[str, Attributes],
    ven_id: str | None,
) -> Enlisted:
    """Our VEN and resources, found by id or name, or made. Raises RefusedError where the VTN makes none."""
    ven = await _ven(wire, venName, attributes, ven_id)
    found, _ = await _listed(
        wire,
        path_of_resources(wire.version, ven.id),
        [("venID", ven.id)] if wire.version is Version.V310 else [],
        lambda one, notes: read_resource(one, wire.version, notes),
    )
    ours = {one.resourceName: one for one in found if one.venID in {"", ven.id}}
    for name, own in resources.items():
        if name not in ours:
            body = resource_body(wire.version, name, ven.id, own)
            made = await wire.post(path_of_resources(wire.version, ven.id), body)
            ours[name] = read_resource(made, wire.version, Notes())
            log.info("resource %s is made at the VTN", name)
    return Enlisted(ven=ven, resources=tuple(ours[name] for name in resources))


async def _ven(wire: Wire, venName: str, attributes: Attributes, ven_id: str | None) -> VenObject:
    if ven_id is not None:
        try:
            return read_ven(await wire.get(f"/vens/{segment(ven_id)}"), wire.version, Notes())
        except RefusedError as error:
            if error.status != 404:
                raise
            log.warning("the VTN does not know our VEN any more")
    found, _ = await _listed(
        wire, "/vens", [("venName", venName)], lambda one, notes: read_ven(one, wire.version, notes)
    )
    same = next((one for one in found if one.venName == venName), None)
    if same is not None:
        return same
    made = await wire.post("/vens", ven_body(wire.version, venName, attributes))
    log.info("VEN %s is made at the VTN", venName)
    return read_ven(made, wire.version, Notes())


async def programs_of(wire: Wire, targets: Sequence[Target]) -> dict[str, Program]:
    """All programs that we may see, by id."""
    found, _ = await _seen(
        wire, "/programs", targets, lambda one, notes: read_program(one, wire.version, notes)
    )
    return {one.id: one for one in found}


async def events_of(
    wire: Wire, targets: Sequence[Target], programs: dict[str, Program], now: int
) -> tuple[tuple[EventObject, ...], bool]:
    """All events that we may see, once each, and whether that is all there are.

    A program that an event names and that is not there is asked for, and put to the others.
    """

    def read(one: object, notes: Notes) -> EventObject:
        return read_event(one, wire.version, programs, notes, now)

    raw, is_complete = await _raw(wire, "/events", targets)
    await _add_programs(wire, raw, programs)
    found = _read(raw, read, "/events")
    by_id = {one.event.eventID: one for one in found.objects}
    return tuple(by_id.values()), is_complete and not found.flaws


async def _add_programs(wire: Wire, raw: Sequence[object], programs: dict[str, Program]) -> None:
    named = {one.get("programID") for one in raw if isinstance(one, dict)}
    unknown = sorted(one for one in named if isinstance(one, str) and is_id(one) and one not in programs)
    for programID in unknown[:LIMIT]:
        try:
            found = read_program(await wire.get(f"/programs/{segment(programID)}"), wire.version, Notes())
        except (RefusedError, FlawError) as error:
            log.debug("no program %s: %s", programID, error)
        else:
            programs[found.id] = found


async def _seen(
    wire: Wire, path: str, targets: Sequence[Target], read_one: Callable[[object, Notes], T]
) -> tuple[tuple[T, ...], bool]:
    raw, is_complete = await _raw(wire, path, targets)
    found = _read(raw, read_one, path)
    return found.objects, is_complete and not found.flaws


async def _raw(wire: Wire, path: str, targets: Sequence[Target]) -> tuple[tuple[object, ...], bool]:
    """Everything on a list: in 3.1.0 what has no target, and what has each of ours."""
    queries: list[Query] = [[]]
    if wire.version is Version.V310:
        queries += [target_query(wire.version, [one.value]) for one in targets[:MOST_TARGETS]]
    items: list[object] = []
    is_complete = len(targets) <= MOST_TARGETS
    for query in queries:
        walked = await walk(lambda skip, query=query: wire.get(path, _page(query, skip)))  # type: ignore[misc]
        items += walked.items
        is_complete = is_complete and walked.is_complete
    if not is_complete:
        log.warning("the list %s could not be read as a whole: nothing counts as deleted", path)
    return tuple(items), is_complete


async def _listed(
    wire: Wire, path: str, query: Query, read_one: Callable[[object, Notes], T]
) -> tuple[tuple[T, ...], bool]:
    walked = await walk(lambda skip: wire.get(path, _page(query, skip)))
    found = _read(walked.items, read_one, path)
    return found.objects, walked.is_complete and not found.flaws


def _page(query: Query, skip: int) -> Query:
    return [*query, ("skip", str(skip)), ("limit", str(LIMIT))]


def _read(raw: Sequence[object], read_one: Callable[[object, Notes], T], path: str) -> Listed[T]:
    notes = Notes()
    listed = read_list(list(raw), lambda one: read_one(one, notes), most=len(raw))
    for rule in sorted(notes.rules):
        place = next(note.place for note in notes.found if note.rule is rule)
        log.info("%s is read leniently: %s (%s)", path, rule.value, place)
    for flaw in listed.flaws[:LIMIT]:
        log.warning("%s: an object cannot be read: %s", path, flaw)
    return listed
