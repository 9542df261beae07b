"""A simulated inverter: registers that are written move its power, its power moves those that are read.

No clock inside: `step` and `write` take the time in seconds, on any scale that only goes forward.
"""

from collections.abc import Sequence

from der_client.sunspec.simulator.bank import RegisterBank, put
from der_client.sunspec.simulator.demand import demand_of, offer_of_battery, offer_of_pv, ratings_of
from der_client.sunspec.simulator.faults import FaultSwitches
from der_client.sunspec.simulator.image import build_bank
from der_client.sunspec.simulator.measurements import AcState, show_ac, show_battery, show_dc
from der_client.sunspec.simulator.physics import (
    Demand,
    Offer,
    Ratings,
    active_target_w,
    ramped,
    reactive_target_var,
    within_va,
)
from der_client.sunspec.simulator.reversion import ReversionTimers
from der_client.sunspec.simulator.service import EnterService
from der_client.sunspec.simulator.settings import InverterSettings
from der_client.sunspec.simulator.sources import DcLimits, DcSource, IdealBattery, PvField

OFF, SLEEPING, STARTING, RUNNING, THROTTLED, STANDBY = 0, 1, 2, 3, 4, 7
STOP, START, ENTER_STANDBY, EXIT_STANDBY = 0, 1, 2, 3
THROTTLED_BY_LIMIT, THROTTLED_BY_SETPOINT = 1, 2
TRIP_PU = (0.5, 1.2)
TRIP_HZ = (3.5, 2.0)
THROTTLE_BAND_W = 1.0
HEARTBEAT_END = 0xFFFFFFFF
ALARM_BITS = {"over_hz": 1 << 8, "under_hz": 1 << 9, "over_v": 1 << 10, "under_v": 1 << 11}


class Inverter:
    """One inverter with a PV field or a battery behind it. `faults` may be changed at any time."""

    def __init__(self, settings: InverterSettings, start: float, dc_source: DcSource | None = None) -> None:
        self.settings = settings
        self.bank: RegisterBank = build_bank(settings)
        self.faults = FaultSwitches()
        self.ac = AcState(voltage_v=settings.v_nom_v, frequency_hz=settings.nominal_hz)
        self._battery = dc_source or _ideal_battery(settings)
        self._pv = PvField(settings.pv_w, settings.irradiance)
        self._service = EnterService(settings.in_service)
        self._timers = ReversionTimers(self.bank.models[704])
        self._start = self._now = start
        self._heartbeat_s = 0.0
        self._settle(0.0)

    def set_grid(self, *, voltage_v: float, frequency_hz: float) -> None:
        """Change what the grid does; `voltage_v` as 702.VNom. It shows with the next step."""
        self.ac.voltage_v, self.ac.frequency_hz = voltage_v, frequency_hz

    def step(self, now: float) -> None:
        """Bring the inverter to `now`; an earlier time than the last is ignored."""
        dt_s = now - self._now
        if dt_s <= 0:
            return
        self.ac.count(dt_s)
        if self.settings.is_storage:
            self._battery.transfer(self._dc_power_w(), dt_s)
        self._now = now
        self._timers.step(now)
        self._beat(dt_s)
        self._settle(dt_s)

    def read(self, address: int, count: int) -> list[int]:
        """Registers as of the last step. Raises IllegalRequestError outside the map."""
        return self.bank.read(address, count)

    def write(self, address: int, words: Sequence[int], now: float) -> None:
        """Write points. Raises IllegalRequestError where the device refuses."""
        self.step(now)
        if self.faults.ignore_writes:
            return
        names = self.bank.write(address, words)
        self._obey(names)
        if not self.faults.freeze_timers:
            self._timers.written(names, now)

    def _obey(self, names: tuple[str, ...]) -> None:
        """Registers that are orders rather than settings."""
        control = self.bank.models[715]
        if "715.AlarmReset" in names:
            put(control, "AlarmReset", 0)
        if "715.OpCtl" in names and control.integer("OpCtl") == EXIT_STANDBY:
            put(control, "OpCtl", START)

    def _beat(self, dt_s: float) -> None:
        if not self.faults.freeze_heartbeat:
            self._heartbeat_s += dt_s
            put(self.bank.models[715], "DERHb", int(self._heartbeat_s) % HEARTBEAT_END)

    def _dc_power_w(self) -> float:
        """Power at the DC side, positive towards the inverter."""
        efficiency = self.settings.efficiency
        return self.ac.power_w / efficiency if self.ac.power_w >= 0 else self.ac.power_w * efficiency

    def _battery_limits(self) -> DcLimits:
        return DcLimits(*self._battery.limits(self._now))

    def _offer(self) -> Offer:
        if self.settings.is_storage:
            return offer_of_battery(self._battery_limits(), self.settings.efficiency)
        return offer_of_pv(self._pv.available_w(self._now - self._start), self.settings.efficiency)

    def _settle(self, dt_s: float) -> None:
        """Compute the power of this instant and show it."""
        share, offer = self._service_share(), self._offer()
        ratings = ratings_of(self.bank.models[702])
        demand = demand_of(self.bank.models[704], ratings, self.ac.power_w)
        target_w = active_target_w(demand, ratings, offer, share)
        power_w = self._moved(demand, offer, target_w, dt_s) if share else 0.0
        reactive_var = reactive_target_var(demand, ratings, power_w) if share else 0.0
        self.ac.power_w, self.ac.reactive_var = within_va(
            power_w, reactive_var, ratings.max_va, reactive_first=demand.reactive_first
        )
        self._show(share, offer, demand, ratings)

    def _moved(self, demand: Demand, offer: Offer, target_w: float, dt_s: float) -> float:
        """The power on its way to the target; what the DC side cannot give or take any more goes at once."""
        reached_w = ramped(self.ac.power_w, target_w, demand.ramp_w_per_s if dt_s else None, dt_s)
        return max(offer.least_w, min(reached_w, offer.most_w))

    def _service_share(self) -> float:
        """Step the enter-service logic with the grid as it is and the orders as they stand."""
        service, control = self.bank.models[703], self.bank.models[715]
        permitted = service.integer("ES") == 1 and control.integer("OpCtl") == START
        share = self._service.step(
            may_start=permitted and not self._grid_alarms(),
            must_stop=not permitted or self._is_tripped(),
            delay_s=service.integer("ESDlyTms") or 0,
            ramp_s=service.integer("ESRmpTms") or 0,
            now=self._now,
        )
        put(service, "ESDlyRemTms", self._service.remaining_s)
        return share

    def _is_tripped(self) -> bool:
        """The grid is where every inverter must be off at once. IEEE 1547-2018, tables 13 and 18."""
        share_pu = self.ac.voltage_v / self.settings.v_nom_v
        shift_hz = self.ac.frequency_hz - self.settings.nominal_hz
        return not (TRIP_PU[0] < share_pu < TRIP_PU[1] and -TRIP_HZ[0] < shift_hz < TRIP_HZ[1])

    def _grid_alarms(self) -> int:
        """701.Alrm bits for a grid outside the window of model 703."""
        service = self.bank.models[703]
        percent, hertz = 100 * self.ac.voltage_v / self.settings.v_nom_v, self.ac.frequency_hz
        outside = {
            "over_hz": hertz > (service.number("ESHzHi") or 0),
            "under_hz": hertz < (service.number("ESHzLo") or 0),
            "over_v": percent > (service.number("ESVHi") or 0),
            "under_v": percent < (service.number("ESVLo") or 0),
        }
        return sum(ALARM_BITS[name] for name, is_outside in outside.items() if is_outside)

    def _show(self, share: float, offer: Offer, demand: Demand, ratings: Ratings) -> None:
        model = self.bank.models[701]
        operation = self.bank.models[715].integer("OpCtl")
        held_back_w = 0.0 if self.settings.is_storage else min(offer.most_w, ratings.max_w) - self.ac.power_w
        throttled = bool(share) and held_back_w > THROTTLE_BAND_W
        source = THROTTLED_BY_SETPOINT if demand.limit_pct is None else THROTTLED_BY_LIMIT
        put(model, "InvSt", self._state(share, offer, throttled=throttled))
        put(model, "St", int(share > 0))
        put(model, "ConnSt", int(operation != STOP and not self._is_tripped()))
        put(model, "Alrm", self._grid_alarms())
        put(model, "ThrotPct", 100 * held_back_w / ratings.max_w if throttled else 0)
        put(model, "ThrotSrc", source if throttled else 0)
        show_ac(model, self.ac, self.settings.ac_type)
        show_dc(self.bank.models[714], self._dc_power_w(), self.settings.dc_voltage_v)
        if self.settings.is_storage:
            show_battery(self.bank.models[713], self._battery_limits())

    def _state(self, share: float, offer: Offer, *, throttled: bool) -> int:
        """701.InvSt."""
        operation = self.bank.models[715].integer("OpCtl")
        if operation == ENTER_STANDBY:
            return STANDBY
        if operation == STOP or self.bank.models[703].integer("ES") != 1:
            return OFF
        if not share:
            return STARTING
        if not self.settings.is_storage and offer.most_w <= 0:
            return SLEEPING
        return THROTTLED if throttled else RUNNING


def _ideal_battery(settings: InverterSettings) -> IdealBattery:
    return IdealBattery(
        capacity_wh=settings.capacity_wh or 1.0, charge_w=settings.charge_w, discharge_w=settings.discharge_w
    )
