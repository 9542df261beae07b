"""`lineside ven replay`: saved events through state machine and translation. Nothing is sent or kept."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lineside.ven.looking import time_text
from lineside.ven.settings import VenSettings
from lineside.ven.state import StateFolder
from lineside.ven.wires import kept_state
from openadr_ven.events import Event, Ports, Profile, Snapshot, State, Step, plans_of, receive, uniform
from openadr_ven.to_sep2 import Publication, Publications, judge_of, translate
from openadr_ven.v2b import WireError
from openadr_ven.v2b.messages import DistributeEvent
from openadr_ven.v2b.reading import read
from openadr_ven.v3 import V3Error, Version
from openadr_ven.v3.bounded import parsed
from openadr_ven.v3.leniency import Notes
from openadr_ven.v3.read_event import read_event
from openadr_ven.v3.read_objects import read_program
from schemas import json_of

if TYPE_CHECKING:
    from openadr_ven.v3.objects import Program

MIDDLE: Final = 0.5
"""Where in its window every random start is drawn here."""


class ReplayError(Exception):
    """A file has no events that can be read."""


async def replayed(settings: VenSettings, file: Path, now: int, ven_id: str | None) -> tuple[list[str], bool]:
    """What would be answered and published, and whether that is anything.

    The file is all that the VTN has. Raises ReplayError, KeptError, OSError.
    """
    events = events_of(await asyncio.to_thread(file.read_bytes), settings.vtn.profile, now)
    if ven_id is None:
        memory = StateFolder(settings.state).file.memory(is_20b=settings.vtn.profile is Profile.V20B)
        _, ven_id = await kept_state(settings, memory)
    fleet, programmes = settings.fleet, settings.by_context
    ports = Ports(
        enrolment=replace(settings.enrolment, ven_id=ven_id),
        draw=uniform(lambda: MIDDLE),
        judge=judge_of(fleet, programmes),
    )
    step = receive(State(), Snapshot(events=events, is_full=True), now, ports)
    wanted = translate(plans_of(step.state, now), fleet, programmes, now)
    lines = [f"at {time_text(now)}, random starts in the middle of their windows"]
    lines += [*_said(step), *_published(wanted)]
    return lines, bool(wanted.items or wanted.defaults)


def events_of(data: bytes, profile: Profile, now: int) -> tuple[Event, ...]:
    """The events of a file. Raises ReplayError.

    XML is an oadrDistributeEvent; JSON a list of events of 3.x, one event, or an object with `events` and
    `programs`.
    """
    try:
        if data.lstrip()[:1] == b"<":
            return _events_20b(data)
        version = Version.V310 if profile is Profile.V20B else Version(profile.value)
        return _events_3(parsed(data), version, now)
    except (WireError, V3Error) as flaw:
        raise ReplayError(f"the file cannot be read: {flaw}") from flaw


def _events_20b(data: bytes) -> tuple[Event, ...]:
    message = read(data)
    if not isinstance(message, DistributeEvent):
        raise ReplayError(f"{type(message).__name__} is no oadrDistributeEvent")
    return message.events


def _events_3(found: object, version: Version, now: int) -> tuple[Event, ...]:
    programs: dict[str, Program] = {}
    if isinstance(found, Mapping) and "events" in found:
        told = [read_program(one, version, Notes()) for one in _list(found.get("programs", []))]
        programs = {one.id: one for one in told}
        found = found["events"]
    each = [found] if isinstance(found, Mapping) else _list(found)
    return tuple(read_event(one, version, programs, Notes(), now).event for one in each)


def _list(found: object) -> list[object]:
    if not isinstance(found, list):
        raise ReplayError("the file cannot be read: a list of events is wanted")
    return found


def _said(step: Step) -> Iterator[str]:
    """What the VTN would be told, and what became of each event."""
    for answer in step.answers:
        text = f" {answer.description}" if answer.description else ""
        yield f"answer to {answer.eventID} ({answer.modification}): {int(answer.code)} {answer.optType}{text}"
    for one in step.changes:
        text = f": {one.text}" if one.text else ""
        yield f"event {one.eventID} ({one.modification}) {one.kind}{text}"


def _published(wanted: Publications) -> Iterator[str]:
    for note in wanted.notes:
        yield f"note: event {note.eventID}, {note.device or 'all'}: {note.text}"
    for one in sorted(wanted.items.values(), key=lambda one: (one.start, one.mRID)):
        yield from _publication(one)
    for default in wanted.defaults.values():
        home = default.home
        yield f"default of {home.programme!r} for group {home.group}: {json.dumps(json_of(default.base))}"
    if not wanted.items and not wanted.defaults:
        yield "nothing would be published"


def _publication(one: Publication) -> Iterator[str]:
    home = one.home
    yield (
        f"{type(one.value).__name__} {one.mRID} in {home.kind} {home.programme!r} (primacy {home.primacy}) "
        f"for group {home.group}, {time_text(one.start)} to {time_text(one.end)}, event {one.eventID}"
    )
    for value in (one.value, *one.below):
        yield f"  {json.dumps(json_of(value))}"
