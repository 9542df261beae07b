"""JSON of a VTN of 3.x for the tests: each says only what it is about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from openadr_ven.v3.bounded import parsed
from openadr_ven.v3.leniency import Notes
from openadr_ven.v3.read_event import read_event
from openadr_ven.v3.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openadr_ven.v3.objects import EventObject, Program

BOTH = (Version.V301, Version.V310)
START = "2025-06-01T00:00:00Z"
T0 = 1_748_736_000
"""The same, s since 1970."""
MADE = "2025-05-01T00:00:00Z"
HOUR = 3600


def stamped(kind: str, **more: object) -> dict[str, Any]:
    """What every object of a VTN has."""
    made = {"createdDateTime": MADE, "modificationDateTime": MADE}
    return {"id": f"{kind.lower()}-1", "objectType": kind, **made, **more}


def interval(number: int = 0, kind: str = "SIMPLE", *values: object, **period: str) -> dict[str, Any]:
    """An interval of one payload."""
    found: dict[str, Any] = {"id": number, "payloads": [{"type": kind, "values": list(values or (1,))}]}
    return {**found, "intervalPeriod": period} if period else found


def event_json(*intervals: dict[str, Any], **more: object) -> dict[str, Any]:
    """An event of one hour at START."""
    plain = stamped(
        "EVENT",
        programID="program-1",
        intervalPeriod={"start": START, "duration": "PT1H"},
        intervals=list(intervals or (interval(),)),
    )
    return {**plain, **more}


def read(
    found: object,
    version: Version = Version.V310,
    notes: Notes | None = None,
    programs: Mapping[str, Program] | None = None,
) -> EventObject:
    """The event as it comes from a wire, an hour before it starts."""
    found = parsed(json.dumps(found).encode())
    return read_event(found, version, programs or {}, Notes() if notes is None else notes, T0 - HOUR)
