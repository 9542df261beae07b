"""Several packs in parallel behind one inverter, as one battery."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from der_client.battery_system import Bms
from der_client.device import BatteryState, Fault, FaultKind

ODD_VOLTAGE = "pack_voltages_differ"
VOLTAGE_BAND = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class PackState:
    """What one pack says, and its share of the capacity of all."""

    battery: BatteryState
    share: float


def combined(packs: Sequence[PackState]) -> BatteryState:
    """The battery that packs in parallel are together.

    Current divides as capacity does, so the pack that reaches its limit first limits all: the limit of the
    whole is the least of limit by share, over the packs that take part. A pack whose contactor is open takes
    no part. A direction is open if every pack that takes part has it open. Alarms, and a wish to be charged,
    of one pack are those of the whole. What has to be held against a pack's own words is in `packs`.
    """
    joined = [pack for pack in packs if pack.battery.contactor_closed is not False] or list(packs)
    total = sum(pack.share for pack in joined)
    batteries = [pack.battery for pack in joined]

    def weighted(values: Sequence[float]) -> float:
        return sum(v * pack.share for v, pack in zip(values, joined, strict=True)) / total

    def limit_a(values: Sequence[float]) -> float:
        return min(v * total / pack.share for v, pack in zip(values, joined, strict=True))

    whole = BatteryState(
        voltage_v=weighted([battery.voltage_v for battery in batteries]),
        current_a=sum(pack.battery.current_a for pack in packs),
        soc_pct=weighted([battery.soc_pct for battery in batteries]),
        soh_pct=weighted([battery.soh_pct for battery in batteries]),
        temperature_c=max(pack.battery.temperature_c for pack in packs),
        charge_limit_a=limit_a([battery.charge_limit_a for battery in batteries]),
        discharge_limit_a=limit_a([battery.discharge_limit_a for battery in batteries]),
        charge_voltage_v=min(battery.charge_voltage_v for battery in batteries),
        charge_allowed=all(battery.charge_allowed for battery in batteries),
        discharge_allowed=all(battery.discharge_allowed for battery in batteries),
        discharge_voltage_v=_most([battery.discharge_voltage_v for battery in batteries]),
        warnings=_differing([battery.voltage_v for battery in batteries]),
    )
    return _with_all(whole, [pack.battery for pack in packs])


def _with_all(whole: BatteryState, everyone: Sequence[BatteryState]) -> BatteryState:
    """What one pack is enough for, whether it takes part or not: alarms, extremes, wishes."""
    return replace(
        whole,
        alarms=frozenset[str]().union(*(battery.alarms for battery in everyone)),
        warnings=whole.warnings.union(*(battery.warnings for battery in everyone)),
        stale_s=max(battery.stale_s for battery in everyone),
        cell_v_min=_least([battery.cell_v_min for battery in everyone]),
        cell_v_max=_most([battery.cell_v_max for battery in everyone]),
        cell_c_min=_least([battery.cell_c_min for battery in everyone]),
        cell_c_max=_most([battery.cell_c_max for battery in everyone]),
        contactor_closed=_is_closed([battery.contactor_closed for battery in everyone]),
        precharge_failed=any(battery.precharge_failed for battery in everyone),
        wants_charge=any(battery.wants_charge for battery in everyone),
        packs=tuple(everyone),
    )


class _Heartbeats:
    """The counters of several packs as one, which moves when each of them has: one that stands holds it."""

    def __init__(self) -> None:
        self._at: dict[int, int] = {}
        self._count = 0

    def together(self, counters: Sequence[int | None]) -> int | None:
        """The counter of all now; None where no pack has one."""
        known = {number: value for number, value in enumerate(counters) if value is not None}
        if not known:
            return None
        if all(self._at.get(number) != value for number, value in known.items()):
            self._at = known
            self._count += 1
        return self._count


class BmsGroup:
    """The BMSs of several packs as one `Bms`; a pack that cannot be trusted is a Fault of the whole.

    `shares` are the capacities of the packs, in any unit.
    """

    def __init__(self, packs: Sequence[Bms], shares: Sequence[float]) -> None:
        if not packs or len(packs) != len(shares) or min(shares) <= 0:
            raise ValueError("packs: each has a capacity above 0")
        self._packs = tuple(packs)
        self._shares = tuple(share / sum(shares) for share in shares)
        self._heartbeats = _Heartbeats()

    async def start(self) -> None:
        """Begin to listen to all."""
        for pack in self._packs:
            await pack.start()

    def battery(self) -> BatteryState | Fault:
        """The packs as one, or the Fault of the first that cannot be trusted: of one that spoke before."""
        states = [pack.battery() for pack in self._packs]
        faults = [(number, state) for number, state in enumerate(states, 1) if isinstance(state, Fault)]
        if faults:
            number, fault = min(faults, key=lambda one: one[1].kind is FaultKind.NO_ANSWER)
            return replace(fault, detail=f"pack {number}: {fault.detail}")
        known = [state for state in states if isinstance(state, BatteryState)]
        whole = combined([PackState(battery=b, share=s) for b, s in zip(known, self._shares, strict=True)])
        return replace(whole, heartbeat=self._heartbeats.together([pack.heartbeat for pack in known]))

    async def send_status(
        self, voltage_v: float, current_a: float, temperature_c: float, soc_pct: float
    ) -> None:
        """Tell each pack its share of the current."""
        for pack, share in zip(self._packs, self._shares, strict=True):
            await pack.send_status(voltage_v, current_a * share, temperature_c, soc_pct)

    async def close(self) -> None:
        """Stop listening to all."""
        for pack in self._packs:
            await pack.close()


def _differing(voltages_v: Sequence[float]) -> frozenset[str]:
    """The warning about packs in parallel whose voltages are too far apart to be connected."""
    is_odd = max(voltages_v) - min(voltages_v) > VOLTAGE_BAND * max(voltages_v)
    return frozenset({ODD_VOLTAGE} if is_odd else ())


def _least(values: Sequence[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _most(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _is_closed(values: Sequence[bool | None]) -> bool | None:
    """Closed if any pack is connected, open if all are open, unknown where nobody says."""
    known = [value for value in values if value is not None]
    return any(known) if known else None
