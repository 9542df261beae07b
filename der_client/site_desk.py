"""Where the controllers of one site learn what the plan leaves to each of them: `site` with its memory.

All controllers of a site run in one event loop and ask in turn; no call waits.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from der_client.desired import WHOLE, Desired, Share
from der_client.device import Fault, Nameplate, SiteReading, Telemetry
from der_client.plan import Plan, wish_of
from der_client.site import (
    GENERATION,
    LOAD,
    Member,
    Metered,
    SiteRules,
    SiteState,
    cap_of,
    charge_cap_of,
    heard_of,
    looked,
    without_site_modes,
)
from der_client.site_share import lasting_share_of, share_of
from der_client.watched import Watched

log = logging.getLogger(__name__)

METER_PERIOD_S: Final = 1.0
FIRST_READING_S: Final = 3.0
"""How long after the start a meter is waited for; then no load is assumed."""


class Meter(Protocol):
    """The meter at the connection point. One task owns it; no method raises for what happens in the field."""

    name: str

    async def read(self) -> SiteReading | Fault:
        """One reading, positive out of the site."""
        ...

    async def close(self) -> None:
        """Let go of the bus."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a controller knows of its DER as it asks.

    `is_held` says that the DER holds what it was told last, `is_obeying` that it holds limits at all.
    """

    nameplate: Nameplate
    telemetry: Telemetry
    is_held: bool = True
    is_obeying: bool = True


class SiteDesk:
    """Keeps what the DERs of one connection point were told, and gives each its part.

    `expected` are the names of all its DERs: until each was heard, or `stale_s` have passed, those that are
    there rise no further under a limit; so it is until the meter was read first, or `FIRST_READING_S`.
    """

    def __init__(
        self,
        rules: SiteRules,
        meter: Watched[Metered | None],
        local_s: Callable[[], float],
        expected: frozenset[str] = frozenset(),
    ) -> None:
        self._rules = rules
        self._meter = meter
        self._local_s = local_s
        self._members: dict[str, Member] = {}
        self._state = SiteState()
        self._plan: Plan | None = None
        self._expected = expected
        self.began_s = local_s()
        """Local time at which it began, s."""

    def desired(self, name: str, plan: Plan, heard: Heard) -> Desired:
        """What one DER shall do now of all that the plan asks of the site."""
        now_s = self._local_s()
        self._members[name] = self._member(name, heard, now_s)
        present = self._present(name, now_s)
        own_plan = without_site_modes(plan)
        if plan is not self._plan:
            self._plan = plan
            for other in present:
                self._wish(other, own_plan, present)
        wish = self._wish(name, own_plan, present)
        present = self._present(name, now_s)
        is_settled = self._is_settled(now_s)
        meter = self._meter.value if is_settled else None
        budget, self._state = looked(plan, self._members, meter, self._state, now_s, self._rules)
        told_w, charge_w = cap_of(name, present, budget), charge_cap_of(name, present, budget)
        if not is_settled:
            told_w = None if told_w is None else self._as_is(heard.telemetry.power_w, GENERATION)
            charge_w = None if charge_w is None else self._as_is(-heard.telemetry.power_w, LOAD)
        self._members[name] = replace(self._members[name], told_w=told_w, told_take_w=charge_w)
        setpoint = replace(wish.setpoint, max_charge_w=charge_w)
        return replace(wish, cap_w=told_w, of_site=True, setpoint=setpoint)

    def _is_settled(self, now_s: float) -> bool:
        """True once all DERs and the meter were read, or have had their time since the start."""
        waited_s = now_s - self.began_s
        is_read = self._meter.value is not None or not self._rules.is_metered or waited_s >= FIRST_READING_S
        return is_read and (self._expected <= self._members.keys() or waited_s >= self._rules.stale_s)

    def _as_is(self, power_w: float, mode: str) -> float:
        """What a DER gives or takes now, W, within the limit of a mode that holds without a meter."""
        return min(max(0.0, power_w), self.limits_w.get(mode, math.inf))

    @property
    def metered(self) -> Metered | None:
        """The last reading of the meter."""
        return self._meter.value

    @property
    def limits_w(self) -> Mapping[str, float]:
        """The limits in force by mode, on their ramps, W."""
        return {mode: ramp.value_w for mode, ramp in self._state.limits.items()}

    @property
    def allowed_w(self) -> Mapping[str, float]:
        """The limits by which what the meter shows is judged, by mode, W: on a ramp it is behind them."""
        return self._state.allowed_w

    def seen_w(self, name: str) -> float | None:
        """Power of one DER when the meter was read last, W; None where that is not known."""
        member = self._members.get(name)
        return None if member is None else member.seen_w

    def lasting_share(self, name: str, nameplate: Nameplate) -> Share:
        """The part of one DER in the default while it is left alone."""
        plates = {one: member.nameplate for one, member in self._members.items()}
        return lasting_share_of(name, {**plates, name: nameplate})

    def _present(self, name: str, now_s: float) -> dict[str, Member]:
        return {name: self._members[name], **heard_of(self._members, now_s, self._rules)}

    def _wish(self, name: str, plan: Plan, present: Mapping[str, Member]) -> Desired:
        """What the plan asks of one DER itself; its target is remembered for the others."""
        wish = wish_of(plan, present[name].nameplate, share=share_of(name, present))
        self._members[name] = replace(self._members[name], target_w=wish.setpoint.target_w)
        return wish

    def _member(self, name: str, heard: Heard, now_s: float) -> Member:
        former, meter = self._members.get(name), self._meter.value
        is_seen = former is not None and meter is not None and former.heard_s >= meter.at_s
        fresh = Member(
            nameplate=heard.nameplate,
            telemetry=heard.telemetry,
            heard_s=now_s,
            is_obeying=heard.is_obeying,
            seen_w=former.seen_w if former and is_seen else heard.telemetry.power_w,
        )
        if former is None:
            return fresh
        held_w = former.told_w if heard.is_held else former.held_w
        return replace(
            fresh,
            held_w=held_w,
            told_w=former.told_w,
            target_w=former.target_w,
            told_take_w=former.told_take_w,
        )


class SitePart:
    """The part of one DER: what its controller asks, in the name of the DER."""

    def __init__(self, name: str, desk: SiteDesk | None = None) -> None:
        self._name = name
        self._desk = desk

    def desired(self, plan: Plan, heard: Heard) -> Desired:
        """What the DER shall do now; all that the plan asks where it stands alone."""
        if self._desk is None:
            return wish_of(plan, heard.nameplate)
        return self._desk.desired(self._name, plan, heard)

    @property
    def is_alone(self) -> bool:
        """True for a DER whose part hangs on no other."""
        return self._desk is None

    def ordered(self, order: Desired, wish: Desired) -> Desired:
        """What a local operator orders, with what `wish` keeps for the sake of the other DERs of the site."""
        if self._desk is None:
            return order
        setpoint = replace(order.setpoint, max_charge_w=wish.setpoint.max_charge_w)
        return replace(order, cap_w=wish.cap_w, of_site=True, setpoint=setpoint)

    def lasting_share(self, nameplate: Nameplate) -> Share:
        """Its part in the default while it is left alone."""
        return WHOLE if self._desk is None else self._desk.lasting_share(self._name, nameplate)


async def follow_meter(
    meter: Meter,
    readings: Watched[Metered | None],
    local_s: Callable[[], float],
    period_s: float = METER_PERIOD_S,
) -> None:
    """Read the meter of a site each period, for ever; a reading that fails leaves the one before to age."""
    silent = False
    try:
        while True:
            began_s = local_s()
            found = await meter.read()
            if isinstance(found, SiteReading):
                readings.set(Metered(reading=found, at_s=local_s()))
            if isinstance(found, Fault) != silent:
                silent = not silent
                text = found.detail if isinstance(found, Fault) else "answers again"
                log.warning("meter %s: %s", meter.name, text)
            await asyncio.sleep(max(0.0, began_s + period_s - local_s()))
    finally:
        await meter.close()
