"""What a client of 3.x keeps over SIGKILL, as one JSON value: who it is, its events, the reports it owes."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final, cast

from openadr_ven.events import EventError, State, Target, record_to_json, state_of_table, state_table
from openadr_ven.memory import KeptError
from openadr_ven.rows import Texts
from openadr_ven.v3.objects import ReportDescriptor, ReportIntervals
from openadr_ven.v3.write import Json

VERSION: Final = 2
MOST_OWED: Final = 1_000
"""So many reports wait for a VTN at most: the oldest go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The reports that an event asks for, from `since` on; `done` are how many of each were made."""

    descriptors: tuple[ReportDescriptor, ...]
    done: tuple[int, ...]
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A report that the VTN has not taken yet. `tries` counts how often it may have been sent."""

    reportName: str
    eventID: str
    body: Json
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """All of it.

    `told` is what was last said of each resource in an event, `away` are by event the resources whose devices
    do not take part. `token` is that of our webhook; subscriptions are ids by program, "" for all.
    """

    ven_id: str | None = None
    subscriptions: Mapping[str, str] = field(default_factory=dict)
    token: str = field(default="", repr=False)
    state: State = field(default_factory=State)
    asked: Mapping[str, Asked] = field(default_factory=dict)
    owed: tuple[Owed, ...] = ()
    told: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    away: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def value_of(kept: Kept, texts: Texts | None = None) -> object:
    """The JSON value; `texts` are those of the last time."""
    texts = texts or Texts()
    texts.begin()
    return {
        "version": VERSION,
        "ven_id": kept.ven_id,
        "subscriptions": dict(kept.subscriptions),
        "token": kept.token,
        "state": state_table(kept.state, lambda record: texts.of(record, record_to_json)),
        "asked": {
            eventID: {
                "descriptors": [asdict(d) for d in one.descriptors],
                "done": list(one.done),
                "since": one.since,
            }
            for eventID, one in kept.asked.items()
        },
        "owed": [texts.of(one, _owed_text) for one in kept.owed],
        "told": {eventID: dict(one) for eventID, one in kept.told.items()},
        "away": {eventID: list(names) for eventID, names in kept.away.items()},
    }


def kept_of(found: object) -> Kept:
    """What was kept; nothing at all for None. Raises KeptError for another form."""
    if found is None:
        return Kept()
    if not isinstance(found, dict) or found.get("version") != VERSION:
        raise KeptError("not kept by this version")
    try:
        return Kept(
            ven_id=found["ven_id"],
            subscriptions=dict(found["subscriptions"]),
            token=found["token"],
            state=state_of_table(found["state"]),
            asked={eventID: _asked(one) for eventID, one in found["asked"].items()},
            owed=tuple(Owed(**json.loads(one)) for one in found["owed"]),
            told={eventID: dict(one) for eventID, one in found["told"].items()},
            away={eventID: tuple(names) for eventID, names in found.get("away", {}).items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError, EventError) as error:
        raise KeptError(f"what was kept cannot be read: {error}") from error


def _owed_text(owed: Owed) -> str:
    return json.dumps(asdict(owed), separators=(",", ":"))


def _asked(found: Mapping[str, object]) -> Asked:
    descriptors = cast("list[dict[str, object]]", found["descriptors"])
    return Asked(
        descriptors=tuple(_descriptor(one) for one in descriptors),
        done=tuple(cast("list[int]", found["done"])),
        since=cast("int", found["since"]),
    )


def _descriptor(found: dict[str, object]) -> ReportDescriptor:
    targets = cast("list[dict[str, str]]", found["targets"])
    more = {"targets": tuple(Target(**one) for one in targets)}
    more |= {"reportIntervals": ReportIntervals(cast("str", found["reportIntervals"]))}  # type: ignore[dict-item]
    return ReportDescriptor(**{**found, **more})  # type: ignore[arg-type]
