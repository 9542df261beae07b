"""Whatever JSON a VTN sends, the reader says what it is, or what is wrong with it. OpenADR 3.1.0."""

import json
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from openadr_ven.events import (
    Enrolment,
    Ports,
    Resource,
    Snapshot,
    State,
    from_json,
    plans_of,
    receive,
    to_json,
    uniform,
)
from openadr_ven.v3.bounded import parsed
from openadr_ven.v3.errors import FlawError, UnreadableError
from openadr_ven.v3.kept import Kept, kept_of, value_of
from openadr_ven.v3.leniency import Notes
from openadr_ven.v3.objects import EventObject
from openadr_ven.v3.owing import asking, next_report_at, wanted
from openadr_ven.v3.read_event import read_event
from openadr_ven.v3.read_objects import read_notification, read_program, read_resource, read_ven
from openadr_ven.v3.version import Version
from tests.inputs import inputs

NOW = 1_748_736_000
VEN = Enrolment(ven_id="ven-1", resources=(Resource(name="battery"),))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text(max_size=8),
    st.sampled_from(
        [
            "0001-01-01",
            "9999-12-31T23:59:59Z",
            "1970-01-01T00:00:00Z",
            "2025-06-01 00:00:00",
            "P9999Y",
            "P9998Y",
            "PT0S",
            "-PT1H",
            "PT1H",
            "SIMPLE",
            "PRICE",
            "KW",
            "EVENT",
            "\ud800",
        ]
    ),
)
ANY = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)
PLAIN: dict[str, Any] = {
    "id": "event-1",
    "objectType": "EVENT",
    "createdDateTime": "2025-05-01T00:00:00Z",
    "modificationDateTime": "2025-05-01T00:00:00Z",
    "programID": "program-1",
    "eventName": "one",
    "duration": "PT2H",
    "priority": 1,
    "targets": ["east"],
    "payloadDescriptors": [{"payloadType": "PRICE", "units": "KWH", "currency": "USD"}],
    "reportDescriptors": [
        {"payloadType": "USAGE", "startInterval": 0, "numIntervals": 1, "historical": False}
    ],
    "intervalPeriod": {"start": "2025-06-01T00:00:00Z", "duration": "PT1H", "randomizeStart": "PT5M"},
    "intervals": [
        {"id": 0, "payloads": [{"type": "PRICE", "values": [1, 2]}]},
        {"id": 1, "intervalPeriod": {"duration": "PT30M"}, "payloads": [{"type": "PRICE", "values": [1]}]},
    ],
}


def places(found: object, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of everything in a JSON value."""
    keys = (
        list(found.items())
        if isinstance(found, dict)
        else list(enumerate(found))
        if isinstance(found, list)
        else []
    )
    return [so_far, *(place for key, one in keys for place in places(one, (*so_far, key)))]


PLACES = [place for place in places(PLAIN) if place]


def changed(place: tuple[Any, ...], value: object) -> dict[str, Any]:
    """The plain event with something else in one place."""
    found = deepcopy(PLAIN)
    at: Any = found
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    return found


def on_the_wire(found: object) -> object:
    """As it would come from a VTN; None for what bounds keep out."""
    try:
        return parsed(json.dumps(found).encode())
    except UnreadableError:
        return None


@settings(max_examples=inputs(100), deadline=None)
@given(place=st.sampled_from(PLACES), value=ANY, version=st.sampled_from(Version))
def test_event_with_anything_in_one_place_is_read_or_has_a_flaw(
    place: tuple[Any, ...], value: object, version: Version
) -> None:
    try:
        one = read_event(on_the_wire(changed(place, value)), version, {}, Notes(), NOW)
    except FlawError:
        return
    carried_through(one)


def carried_through(one: EventObject) -> None:
    """What was read goes through the machine, is kept, and its reports are found."""
    ports = Ports(enrolment=VEN, draw=uniform(lambda: 0.5))
    step = receive(State(), Snapshot(events=(one.event,), is_full=True), NOW, ports)
    assert from_json(to_json(step.state)) == step.state
    plans_of(step.state, NOW)
    kept = asking(Kept(state=step.state), (one,), NOW)
    assert kept_of(json.loads(json.dumps(value_of(kept)))) == kept
    list(wanted(kept, VEN, NOW + 86_400))
    next_report_at(kept, NOW)


@settings(max_examples=inputs(60), deadline=None)
@given(found=ANY, version=st.sampled_from(Version))
def test_anything_is_an_object_or_a_flaw(found: object, version: Version) -> None:
    wire = on_the_wire(found)
    for read in (read_program, read_ven, read_resource, read_notification):
        try:
            read(wire, version, Notes())
        except FlawError:
            continue


@settings(max_examples=inputs(60), deadline=None)
@given(
    body=st.binary(max_size=60) | st.text(alphabet='{}[]",:0123456789eE.-\\u', max_size=40).map(str.encode)
)
def test_any_octets_are_json_or_unreadable(body: bytes) -> None:
    try:
        parsed(body)
    except UnreadableError:
        return
