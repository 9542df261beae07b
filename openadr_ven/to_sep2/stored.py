"""What exists on the 2030.5 side as texts, and back: for whoever keeps it over a restart."""

import json
from typing import Any, cast

from openadr_ven.rows import Texts
from openadr_ven.to_sep2.publication import Held, HeldDefault, Home, HomeKind, Record, Spent
from openadr_ven.to_sep2.wishes import Flow


class HeldError(ValueError):
    """What was stored cannot be read."""


def held_table(held: Held, texts: Texts | None = None) -> dict[str, dict[str, str]]:
    """The state as texts by key, each for a row of its own; homes stand there once.

    `texts` are those of the last time: what has not changed is not told again.
    """
    texts = texts or Texts()
    texts.begin()
    homes: dict[str, Home] = {}
    records = [*held.items.values(), *held.attempted.values()]
    for home in [one.home for one in records] + [one.home for one in held.defaults.values()]:
        homes[home.mRID] = home
        if home.parent is not None:
            homes[home.parent.mRID] = home.parent
    return {
        "homes": {mrid: texts.of(home, _home_text) for mrid, home in homes.items()},
        "items": {key: texts.of(one, _record_text) for key, one in held.items.items()},
        "attempted": {key: texts.of(one, _record_text) for key, one in held.attempted.items()},
        "defaults": {key: one.text for key, one in held.defaults.items()},
        "spent": {key: json.dumps([one.times, one.until]) for key, one in held.spent.items()},
    }


def held_of(table: object) -> Held:
    """The state that was stored; nothing at all for None. HeldError where it is none."""
    if table is None:
        return Held()
    try:
        return _held(cast("dict[str, dict[str, str]]", table))
    except (AttributeError, KeyError, TypeError, ValueError) as flaw:
        raise HeldError(f"what was published cannot be read: {flaw!r}") from flaw


def _held(told: dict[str, dict[str, str]]) -> Held:
    given = {mrid: json.loads(text) for mrid, text in told["homes"].items()}
    homes = {mrid: _home_of(one, given) for mrid, one in given.items()}
    spent = {key: json.loads(text) for key, text in told["spent"].items()}
    return Held(
        items={key: _record(json.loads(text), homes) for key, text in told["items"].items()},
        attempted={key: _record(json.loads(text), homes) for key, text in told["attempted"].items()},
        defaults={mrid: HeldDefault(home=homes[mrid], text=text) for mrid, text in told["defaults"].items()},
        spent={key: Spent(times=times, until=until) for key, (times, until) in spent.items()},
    )


def _record_text(one: Record) -> str:
    told = [one.identity, one.mRID, one.home.mRID, one.start, one.end, one.eventID, one.randomizes, one.alike]
    return json.dumps(told)


def _record(told: list[Any], homes: dict[str, Home]) -> Record:
    """A record; of an older version, which did not know what is alike, it is like no other."""
    identity, mrid, home, start, end, event, randomizes, *alike = told
    return Record(
        identity=identity,
        mRID=mrid,
        home=homes[home],
        start=start,
        end=end,
        eventID=event,
        randomizes=randomizes,
        alike=str(alike[0]) if alike else "",
    )


def _home_text(home: Home) -> str:
    told = {
        "kind": home.kind,
        "group": home.group,
        "programme": home.programme,
        "mRID": home.mRID,
        "primacy": home.primacy,
        "locale": home.locale,
        "currency": home.currency,
        "flow": home.flow,
        "parent": None if home.parent is None else home.parent.mRID,
    }
    return json.dumps(told)


def _home_of(told: dict[str, Any], given: dict[str, dict[str, Any]]) -> Home:
    parent = told["parent"]
    return Home(
        kind=HomeKind(told["kind"]),
        group=told["group"],
        programme=told["programme"],
        mRID=told["mRID"],
        primacy=told["primacy"],
        locale=told["locale"],
        currency=told["currency"],
        flow=None if told["flow"] is None else Flow(told["flow"]),
        parent=None if parent is None else _home_of(given[parent], given),
    )
