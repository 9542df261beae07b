"""The state as JSON and back, as it is kept over a restart. The declarations say the form."""

import hashlib
import json
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from typing import Final

from openadr_ven.events.errors import StoredError
from openadr_ven.events.event import Event
from openadr_ven.events.record import EventRecord, State

VERSION: Final = 1
"""Of the form. A state of another one is not read."""
DIGITS: Final = 32
EVENT: Final = "event "
"""Before the eventID in the keys of a state by rows."""
T = typing.TypeVar("T")


def to_json(state: State) -> str:
    """All of a state, on one line."""
    return json.dumps({"version": VERSION, "state": _table(state)}, separators=(",", ":"))


def from_json(text: str) -> State:
    """The state that was kept. Raises StoredError for what is none."""
    try:
        found = json.loads(text)
        if not isinstance(found, dict) or found.get("version") != VERSION:
            raise StoredError("not a state of this version")
        state = _value(State, found["state"])
    except (ValueError, TypeError, KeyError, InvalidOperation) as error:
        raise StoredError(f"the kept state cannot be read: {error}") from error
    return typing.cast("State", state)


def state_table(state: State, told: Callable[[EventRecord], str]) -> dict[str, str]:
    """All of a state as texts by key, for a store that keeps each in a row; `told` is a `record_to_json`."""
    schedules = _table(replace(state, records={}))
    return {
        "": json.dumps({"version": VERSION, "state": schedules}, separators=(",", ":")),
        **{f"{EVENT}{eventID}": told(record) for eventID, record in state.records.items()},
    }


def state_of_table(found: Mapping[str, str]) -> State:
    """The state that was kept so. Raises StoredError for what is none."""
    if "" not in found:
        raise StoredError("the kept state has no head")
    records = {
        key.removeprefix(EVENT): record_from_json(text)
        for key, text in found.items()
        if key.startswith(EVENT)
    }
    return replace(from_json(found[""]), records=records)


def record_to_json(record: EventRecord) -> str:
    """One event of a state, for a store that keeps each in its own row."""
    return json.dumps(_table(record), separators=(",", ":"))


def record_from_json(text: str) -> EventRecord:
    """One event that was kept. Raises StoredError for what is none."""
    try:
        return typing.cast("EventRecord", _value(EventRecord, json.loads(text)))
    except (ValueError, TypeError, KeyError, InvalidOperation) as error:
        raise StoredError(f"the kept event cannot be read: {error}") from error


def digest_of(event: Event) -> str:
    """What tells two versions of an event apart; of one that starts now, but for when it was read."""
    if event.start is None:
        signals = (
            replace(one, intervals=tuple(replace(i, start=None) for i in one.intervals))
            for one in event.signals
        )
        event = replace(event, signals=tuple(signals), duration_s=None)
    return hashlib.sha256(json.dumps(_table(event)).encode()).hexdigest()[:DIGITS]


def _table(value: object) -> object:
    """A value in the words of JSON; exact numbers are tagged."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if is_dataclass(value):
        return {one.name: _table(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _table(one) for key, one in value.items()}
    return [_table(one) for one in value] if isinstance(value, tuple) else value


def _value(hint: object, found: object) -> object:
    """What a table of JSON says, as its declaration wants it."""
    if isinstance(hint, types.UnionType):
        return _one_of(typing.get_args(hint), found)
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return tuple(_value(inner[0], one) for one in _typed(list, found))
    if origin is Mapping:
        return {key: _value(inner[1], one) for key, one in _typed(dict, found).items()}
    if hint is Decimal:
        return Decimal(_typed(dict, found)["decimal"])
    if not isinstance(hint, type):
        raise TypeError(f"{hint} is not kept")
    if is_dataclass(hint):
        return _made(hint, _typed(dict, found))
    return hint(found) if issubclass(hint, Enum) else _typed(hint, found)


def _one_of(options: tuple[object, ...], found: object) -> object:
    for option in options:
        try:
            return None if option is types.NoneType and found is None else _value(option, found)
        except (TypeError, ValueError, KeyError):
            continue
    raise TypeError(f"{found!r} is none of {options}")


def _made(cls: type, table: dict[str, object]) -> object:
    """A value of a declared class. What a table does not have is at its default."""
    hints = _hints(cls)
    return cls(**{name: _value(hints[name], one) for name, one in table.items()})


@cache
def _hints(cls: type) -> dict[str, object]:
    return dict(typing.get_type_hints(cls))


def _typed(kind: type[T], found: object) -> T:
    if type(found) is not kind:
        raise TypeError(f"{found!r} is no {kind.__name__}")
    return found
