"""What a local operator may order over the local channel: lines of JSON as values. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from der_client.override import Override

KEYS: Final[Mapping[str, frozenset[str]]] = {
    "status": frozenset(),
    "override": frozenset({"device", "target_w", "limit_pct", "energize", "for_s", "keep"}),
    "release": frozenset({"device"}),
    "reset": frozenset({"device", "names"}),
    "optout": frozenset({"mrid", "for_s"}),
    "optin": frozenset({"mrid"}),
}
"""What each order may say beside `do`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order: what to do, for which device (None: all), for how long (None: until it is ended)."""

    do: str
    device: str | None = None
    override: Override | None = None
    names: frozenset[str] | None = None
    mrid: str | None = None
    for_s: float | None = None


def order_of(line: str, system_s: float, by: str) -> Order:
    """The order of one line, given at `system_s`, system time, s since 1970, by somebody.

    ValueError says what is wrong with it.
    """
    try:
        table = json.loads(line)
    except json.JSONDecodeError as error:
        msg = f"no JSON: {error}"
        raise ValueError(msg) from error
    do = str(table.pop("do", "")) if isinstance(table, dict) else ""
    if do not in KEYS:
        msg = f"do: one of {', '.join(KEYS)} is wanted"
        raise ValueError(msg)
    unknown = sorted(set(table) - KEYS[do])
    if unknown:
        msg = f"{unknown[0]}: {do} knows no such key"
        raise ValueError(msg)
    for_s = _number(table, "for_s")
    if for_s is not None and for_s <= 0:
        raise ValueError("for_s: more than 0 s is wanted")
    return Order(
        do=do,
        device=_text(table, "device"),
        override=_override(table, for_s, system_s, by) if do == "override" else None,
        names=_names(table),
        mrid=_text(table, "mrid"),
        for_s=for_s,
    )


def _override(table: Mapping[str, object], for_s: float | None, system_s: float, by: str) -> Override:
    return Override(
        target_w=_number(table, "target_w"),
        limit_pct=_number(table, "limit_pct"),
        energize=_flag(table, "energize"),
        until_s=None if for_s is None else system_s + for_s,
        is_kept=bool(_flag(table, "keep")),
        by=by,
    )


def _number(table: Mapping[str, object], name: str) -> float | None:
    value = table.get(name)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return None if value is None else float(value)
    msg = f"{name}: a number is wanted"
    raise ValueError(msg)


def _flag(table: Mapping[str, object], name: str) -> bool | None:
    value = table.get(name)
    if value is None or isinstance(value, bool):
        return value
    msg = f"{name}: true or false is wanted"
    raise ValueError(msg)


def _text(table: Mapping[str, object], name: str) -> str | None:
    value = table.get(name)
    if value is None or isinstance(value, str):
        return value
    msg = f"{name}: a text is wanted"
    raise ValueError(msg)


def _names(table: Mapping[str, object]) -> frozenset[str] | None:
    value = table.get("names")
    if value is None:
        return None
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return frozenset(str(name) for name in value)
    raise ValueError("names: a list of names of interlocks is wanted")
