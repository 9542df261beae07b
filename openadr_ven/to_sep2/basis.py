"""What of its devices counts for an event: as they were when it was taken, and again just before it starts.

From then on it stays, so that a plan does not change with its own effect. Pure; kept over a restart.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast

from openadr_ven.events import Plan
from openadr_ven.rows import Texts
from openadr_ven.to_sep2.fleet import Fleet, Live, Motion

LEAD_S: Final = 300
"""So long before its start an event is laid out by what devices tell then: a baseline goes before it."""


class BasisError(ValueError):
    """What was stored cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What the devices of one version of an event told. `is_final`: looked at just before the start."""

    modification: int
    is_final: bool = False
    devices: Mapping[str, Live] = field(default_factory=dict)


def renewed(
    bases: Mapping[str, Basis], plans: Iterable[Plan], fleet: Fleet, live: Mapping[str, Live], now: int
) -> dict[str, Basis]:
    """The bases of all plans by eventID; `live` has the devices that told something lately, and no others."""
    behind = fleet.by_resource()
    found: dict[str, Basis] = {}
    for plan in plans:
        names = (device.name for one in plan.resources for device in behind.get(one, ()))
        mine = {name: live[name] for name in names if name in live}
        found[plan.event.eventID] = _renewed(bases.get(plan.event.eventID), plan, mine, now)
    return found


def next_renewal(bases: Mapping[str, Basis], plans: Iterable[Plan], now: int) -> int | None:
    """When the next event is to be laid out once more before its start."""
    times = [plan.start - LEAD_S for plan in plans if not _is_final(bases.get(plan.event.eventID))]
    return min((at for at in times if at > now), default=None)


def bases_table(bases: Mapping[str, Basis], texts: Texts | None = None) -> dict[str, dict[str, str]]:
    """All of them as texts by eventID, each for a row of its own; `texts` are those of the last time."""
    texts = texts or Texts()
    texts.begin()
    return {"bases": {eventID: texts.of(one, _basis_text) for eventID, one in bases.items()}}


def bases_of(table: object) -> dict[str, Basis]:
    """What was stored; nothing at all for None. BasisError where it is none."""
    if table is None:
        return {}
    try:
        found = cast("dict[str, dict[str, str]]", table)["bases"]
        return {eventID: _basis(json.loads(text)) for eventID, text in found.items()}
    except (AttributeError, KeyError, TypeError, ValueError, InvalidOperation) as flaw:
        raise BasisError(f"what devices told for events cannot be read: {flaw!r}") from flaw


def _basis_text(one: Basis) -> str:
    devices = {name: _told(live) for name, live in one.devices.items()}
    return json.dumps([one.modification, one.is_final, devices])


def _basis(told: tuple[int, bool, dict[str, dict[str, Any]]]) -> Basis:
    modification, is_final, devices = told
    return Basis(
        modification=int(modification),
        is_final=bool(is_final),
        devices={name: _live(one) for name, one in devices.items()},
    )


def _is_final(basis: Basis | None) -> bool:
    return basis is not None and basis.is_final


def _renewed(before: Basis | None, plan: Plan, live: Mapping[str, Live], now: int) -> Basis:
    modification, has_begun = plan.event.modification, plan.start <= now
    is_near = now >= plan.start - LEAD_S
    if before is None or (before.modification != modification and not has_begun):
        return Basis(modification=modification, is_final=is_near, devices=live)
    if is_near and not has_begun and not before.is_final:
        return Basis(modification=modification, is_final=True, devices={**before.devices, **live})
    devices = {
        name: _filled(before.devices.get(name, Live()), live.get(name, Live()))
        for name in (*before.devices, *(one for one in live if one not in before.devices))
    }
    if has_begun:
        devices = {name: _awake(one, live.get(name)) for name, one in devices.items()}
    return replace(before, modification=modification, devices=devices)


def _filled(held: Live, live: Live) -> Live:
    """What was missing so far is taken once it is told; what is there stays."""
    told = {f.name: getattr(held, f.name) for f in fields(held)}
    missing = {name for name, value in told.items() if value in {None, Motion.UNKNOWN}} - {"drawn_w"}
    return replace(held, **{name: getattr(live, name) for name in missing})


def _awake(held: Live, live: Live | None) -> Live:
    """A battery that begins to charge while an event runs is one that charges from then on."""
    if live is None or live.motion is not Motion.CHARGING or held.motion is Motion.CHARGING:
        return held
    return replace(held, motion=Motion.CHARGING, drawn_w=live.drawn_w)


def _told(live: Live) -> dict[str, object]:
    held = {f.name: getattr(live, f.name) for f in fields(live)}
    return {
        name: str(one) if isinstance(one, Decimal) else one for name, one in held.items() if one is not None
    }


def _live(told: Mapping[str, Any]) -> Live:
    numbers = {name: Decimal(told[name]) for name in ("soc", "power_w", "drawn_w") if name in told}
    return Live(**{**told, **numbers, "motion": Motion(told.get("motion", Motion.UNKNOWN))})
