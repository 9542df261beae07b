"""Limits of one connection point over several DERs: who may give and take how much. Pure.

Export is closed loop with the meter of the site: what the DERs may give together is the limit and what the
site takes up. The load is the least that was seen over a short window, so that readings of different moments
never open the limit. Without a meter no load is assumed. Signs: power is positive out of the DER and out of
the site. CSIP-AUS (SA TS 5573): opModExpLimW, opModImpLimW, opModGenLimW, opModLoadLimW.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self

from der_client.desired import GENERATION_LIMITS, LOAD_LIMITS
from der_client.device import BatteryState, Nameplate, SiteReading, Telemetry
from der_client.plan import Plan
from der_client.quantity import active_power_w, hundredths
from der_client.ramp import Ramp, stepped
from der_client.site_split import split
from function_sets import ModeSource
from schemas import ActivePower

EXPORT, GENERATION, IMPORT, LOAD = "opModExpLimW", "opModGenLimW", "opModImpLimW", "opModLoadLimW"
LAG_PERIODS: Final = 3
"""By how many periods what the meter shows may be behind a limit that comes down on its ramp."""
SITE_MODES: Final = frozenset({*GENERATION_LIMITS, *LOAD_LIMITS})


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRules:
    """How the limits of a site are kept.

    `is_metered` says that the site has a meter: while that is lost nothing is charged under an import limit,
    whereas a site that never had one keeps charging alone below it. `window_s` is how long a load is
    remembered; readings older than `stale_s` count as lost. DERs and meter are read every `period_s`.
    """

    is_metered: bool = False
    period_s: float = 1.0
    window_s: float = 5.0
    stale_s: float = 10.0

    @classmethod
    def of(cls, *, is_metered: bool, period_s: float, lost_s: float) -> Self:
        """Rules of a site whose meter is lost after `lost_s`; what is read seldom is not lost between."""
        stale_s = max(cls().stale_s, lost_s, 2 * period_s)
        return cls(is_metered=is_metered, period_s=period_s, stale_s=stale_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One DER of a site. `heard_s` is the local time of its reading.

    `held_w` is the most that it may be giving by what it was told and has confirmed, `told_w` by what it was
    told last; None: no cap. `target_w` is the power that the plan asks of it, None where none is asked.
    `is_obeying` is false for a DER that does not hold its limit of generation. `seen_w` is its power when it
    was first read after the meter was, W; None: that of `telemetry`.
    """

    nameplate: Nameplate
    telemetry: Telemetry
    heard_s: float
    held_w: float | None = None
    told_w: float | None = None
    target_w: float | None = None
    is_obeying: bool = True
    seen_w: float | None = None
    told_take_w: float | None = None

    @property
    def may_take_w(self) -> float:
        """Most that it may be taking in now, by what it was told last and by its own reading, W."""
        told_w = self.nameplate.charge_w if self.told_take_w is None else self.told_take_w
        asked_w = min(told_w, max(0.0, -(self.target_w or 0.0)))
        return max(asked_w, self.charging_w)

    @property
    def charging_w(self) -> float:
        """What it takes in by its own reading, W."""
        return max(0.0, -_plain(self.telemetry.power_w))

    @property
    def top_w(self) -> float:
        """Most that it can give by nameplate and settings, W."""
        plate = self.nameplate
        is_storage = plate.is_storage and plate.discharge_w is not None
        return min(plate.set_max_w, plate.discharge_w or 0.0) if is_storage else plate.set_max_w

    @property
    def bound_w(self) -> float:
        """Most that it may be giving now, whatever it was told, W."""
        told = [self.top_w if cap is None else cap for cap in (self.held_w, self.told_w)]
        return max(0.0, _plain(self.telemetry.power_w), *told)

    @property
    def wanted_w(self) -> float:
        """What it would give without limits of the site, W."""
        if self.target_w is not None:
            return min(max(0.0, self.target_w), self.top_w)
        if isinstance(self.telemetry.battery, BatteryState):
            return 0.0
        available_w = self.telemetry.available_w
        return self.top_w if available_w is None else min(max(0.0, available_w), self.top_w)

    @property
    def taking_w(self) -> float:
        """What it takes in and goes on taking in as far as it was told, W, a magnitude."""
        measured_w = max(0.0, -_plain(self.telemetry.power_w))
        if self.target_w is None:
            return 0.0 if isinstance(self.telemetry.battery, BatteryState) else measured_w
        return min(measured_w, max(0.0, -self.target_w))


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """A reading of the meter at the connection point and its local time, s."""

    reading: SiteReading
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the site took up beside its DERs at one moment, W: `load_w`, which other generation lowers.

    `sink_w` adds what the DERs themselves go on taking in; `spare_w` is what the DERs give beyond the load.
    `read_s` is the time of the meter's reading behind it.
    """

    at_s: float
    read_s: float
    sink_w: float
    spare_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteState:
    """What is remembered between two looks: limits on their ramps, W, and sights within the window.

    `allowed_w` are the limits by which what the meter shows is judged, by mode: see `_allowed_w`.
    """

    limits: Mapping[str, Ramp] = field(default_factory=dict)
    allowed_w: Mapping[str, float] = field(default_factory=dict)
    sights: Sequence[Sight] = ()
    at_s: float = -math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What all DERs of a site may give and take together, W; infinite where nothing limits them."""

    give_w: float = math.inf
    take_w: float = math.inf


def looked(
    plan: Plan,
    members: Mapping[str, Member],
    meter: Metered | None,
    state: SiteState,
    now_s: float,
    rules: SiteRules,
) -> tuple[Budget, SiteState]:
    """What the DERs may give and take together at `now_s`, local, s, and what to remember."""
    heard = heard_of(members, now_s, rules)
    live = meter if meter is not None and now_s - meter.at_s <= rules.stale_s else None
    sights = _sights(state, live, heard.values(), now_s, rules)
    limits = _ramped(plan, members, state, now_s)
    lost_w = 0.0 if live else sum(one.bound_w for name, one in members.items() if name not in heard)
    budget = Budget(
        give_w=_give_w(limits, sights, heard.values()) - lost_w,
        take_w=_take_w(limits, sights, rules),
    )
    allowed_w = {mode: _allowed_w(mode, ramp, state, now_s, rules) for mode, ramp in limits.items()}
    return budget, SiteState(limits=limits, allowed_w=allowed_w, sights=sights, at_s=now_s)


def heard_of(members: Mapping[str, Member], now_s: float, rules: SiteRules) -> dict[str, Member]:
    """DERs that answer and hold what they are told."""
    return {
        name: member
        for name, member in members.items()
        if member.is_obeying and now_s - member.heard_s <= rules.stale_s
    }


def cap_of(name: str, members: Mapping[str, Member], budget: Budget) -> float | None:
    """The most that one of these DERs may be told to give now, W; None where the site limits nothing.

    Each goes down to its part at once, and up only as far as the others have left room: the sum of what they
    may be giving never rises above the budget.
    """
    if budget.give_w == math.inf:
        return None
    names = sorted(members)
    parts = split(
        max(0.0, budget.give_w),
        [members[one].wanted_w for one in names],
        [members[one].top_w if members[one].wanted_w > 0 else 0.0 for one in names],
    )
    goal_w = parts[names.index(name)]
    bound_w = members[name].bound_w
    if goal_w <= bound_w:
        return goal_w
    room_w = budget.give_w - sum(one.bound_w for other, one in members.items() if other != name)
    return max(min(bound_w, goal_w), min(goal_w, room_w))


def charge_cap_of(name: str, members: Mapping[str, Member], budget: Budget) -> float | None:
    """The most that one of these DERs may be told to take in, W; None where the site limits nothing.

    Storage that is told to charge has its part first. As with what they give, each goes down at once, and up
    only as far as the others have left room.
    """
    if budget.take_w == math.inf or not members[name].nameplate.is_storage:
        return None
    names = sorted(one for one, member in members.items() if member.nameplate.is_storage)
    tops = [members[one].nameplate.charge_w for one in names]
    wanted = [
        min(top_w, max(0.0, -(members[one].target_w or 0.0))) for one, top_w in zip(names, tops, strict=True)
    ]
    goal_w = split(max(0.0, budget.take_w), wanted, tops)[names.index(name)]
    own = members[name]
    present_w = own.charging_w if own.told_take_w is None else own.may_take_w
    others_w = sum(one.may_take_w for other, one in members.items() if other != name)
    return min(goal_w, max(present_w, max(0.0, budget.take_w) - others_w))


def without_site_modes(plan: Plan) -> Plan:
    """The plan with what each DER has to do for itself alone."""
    return replace(plan, modes={mode: one for mode, one in plan.modes.items() if mode not in SITE_MODES})


def _plain(power_w: float) -> float:
    return power_w if math.isfinite(power_w) else 0.0


def _sights(
    state: SiteState, live: Metered | None, heard: Collection[Member], now_s: float, rules: SiteRules
) -> tuple[Sight, ...]:
    """What was seen within the window, or last.

    Each reading of the meter is held once against the DERs, as soon as all were read after it: later they
    have moved on and it has not.
    """
    if live is None:
        return ()
    seen = tuple(sight for sight in state.sights if now_s - sight.at_s <= rules.window_s)
    seen = seen or tuple(state.sights[-1:])
    is_complete = all(one.heard_s >= live.at_s for one in heard)
    is_used = any(sight.read_s == live.at_s for sight in seen)
    return (*seen, _sight(heard, live, now_s)) if is_complete and not is_used else seen


def _sight(heard: Collection[Member], live: Metered, now_s: float) -> Sight:
    powers_w = [_plain(one.telemetry.power_w if one.seen_w is None else one.seen_w) for one in heard]
    giving_w, drawing_w = sum(max(0.0, w) for w in powers_w), sum(max(0.0, -w) for w in powers_w)
    taking_w = sum(one.taking_w for one in heard)
    export_w = _plain(live.reading.power_w)
    return Sight(
        at_s=now_s,
        read_s=live.at_s,
        sink_w=giving_w - export_w - drawing_w + taking_w,
        spare_w=export_w + drawing_w,
    )


def _give_w(limits: Mapping[str, Ramp], sights: Sequence[Sight], heard: Collection[Member]) -> float:
    give_w = limits[GENERATION].value_w if GENERATION in limits else math.inf
    if EXPORT in limits:
        unmetered_w = sum(one.taking_w for one in heard)
        sink_w = min((sight.sink_w for sight in sights), default=unmetered_w)
        give_w = min(give_w, limits[EXPORT].value_w + sink_w)
    return give_w


def _take_w(limits: Mapping[str, Ramp], sights: Sequence[Sight], rules: SiteRules) -> float:
    take_w = limits[LOAD].value_w if LOAD in limits else math.inf
    if IMPORT in limits:
        unmetered_w = -math.inf if rules.is_metered else 0.0
        spare_w = min((sight.spare_w for sight in sights), default=unmetered_w)
        take_w = min(take_w, max(0.0, limits[IMPORT].value_w + spare_w))
    return take_w


def _ramped(plan: Plan, members: Mapping[str, Member], state: SiteState, now_s: float) -> dict[str, Ramp]:
    """Each limit one step further on its ramp; a limit that is gone is lifted by the ramp of the default."""
    dt_s = 0.0 if state.at_s == -math.inf else max(0.0, now_s - state.at_s)
    found: dict[str, Ramp] = {}
    for mode in sorted(SITE_MODES):
        source, former = plan.modes.get(mode), state.limits.get(mode)
        if source is None and former is None:
            continue
        top_w = _top_w(mode, members)
        goal_w = top_w if source is None else _limit_w(source)
        ramp = former or _start(mode, goal_w, top_w, members)
        grad = hundredths(plan.grad_w)
        moved = stepped(
            ramp,
            goal_w,
            dt_s,
            ramp_s=hundredths(source.ramp_tms) if source else None,
            grad_w_per_s=None if grad is None else grad / 100.0 * top_w,
        )
        if source is not None or moved.value_w < top_w:
            found[mode] = moved
    return found


def _allowed_w(mode: str, ramp: Ramp, state: SiteState, now_s: float, rules: SiteRules) -> float:
    """What the meter may show, W: a limit that comes down on its ramp as it was when DERs were told.

    A reading is up to a period old, what it shows was told up to a period before it, and a DER has one more
    to follow. A limit that holds at once is judged by at once.
    """
    rate = ramp.rate_w_per_s
    if rate is None:
        return ramp.value_w
    if ramp.value_w > ramp.goal_w:
        return ramp.value_w + rate * LAG_PERIODS * rules.period_s
    former_w = state.allowed_w.get(mode, ramp.value_w)
    return max(ramp.value_w, former_w - rate * (now_s - state.at_s))


def _start(mode: str, goal_w: float, top_w: float, members: Mapping[str, Member]) -> Ramp:
    """Where the ramp of a new limit begins: at what the DERs give or take now, never below its goal."""
    sign = 1.0 if mode in GENERATION_LIMITS else -1.0
    present_w = sum(max(0.0, sign * _plain(one.telemetry.power_w)) for one in members.values())
    start_w = max(goal_w, min(top_w, present_w))
    return Ramp(value_w=start_w, goal_w=math.inf)


def _top_w(mode: str, members: Mapping[str, Member]) -> float:
    if mode in GENERATION_LIMITS:
        return sum(one.nameplate.set_max_w for one in members.values())
    return sum(one.nameplate.charge_w for one in members.values())


def _limit_w(source: ModeSource) -> float:
    value = source.value
    return max(0.0, active_power_w(value)) if isinstance(value, ActivePower) else 0.0
