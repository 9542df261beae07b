"""Models 701 to 715 as the face of the power stage: orders out of registers, measurements into them."""

import math
from typing import TYPE_CHECKING

from der_client.physics import Grid, Offer, Order, Orders, PowerStage
from der_client.sunspec.simulator.adoption import Adoption
from der_client.sunspec.simulator.bank import RegisterBank, put
from der_client.sunspec.simulator.curves import CURVE_MODELS
from der_client.sunspec.simulator.faults import FaultSwitches
from der_client.sunspec.simulator.image import build_bank
from der_client.sunspec.simulator.measurements import AcState, show_ac, show_battery, show_dc
from der_client.sunspec.simulator.orders_700 import orders_of
from der_client.sunspec.simulator.reversion import ReversionTimers
from der_client.sunspec.simulator.settings import InverterSettings
from der_client.sunspec.simulator.sources import DcLimits

if TYPE_CHECKING:
    from der_client.sunspec.model import Model

OFF, SLEEPING, STARTING, RUNNING, THROTTLED, STANDBY = 0, 1, 2, 3, 4, 7
START, EXIT_STANDBY = 1, 3
THROTTLED_BY_LIMIT, THROTTLED_BY_SETPOINT = 1, 2
THROTTLE_BAND_W = 1.0
HEARTBEAT_END = 0xFFFFFFFF
ALARM_BITS = {
    "disconnected": 1 << 4,
    "over_hz": 1 << 8,
    "under_hz": 1 << 9,
    "over_v": 1 << 10,
    "under_v": 1 << 11,
}


class Series700:
    """The registers of a 700-series inverter."""

    def __init__(self, settings: InverterSettings, faults: FaultSwitches) -> None:
        self.bank: RegisterBank = build_bank(settings)
        self._settings = settings
        self._faults = faults
        self._models: dict[int, Model] = self.bank.models
        self._timers = ReversionTimers(self._models[704])
        self._adoptions = [Adoption(self._models[number], settings.nominal_hz) for number in CURVE_MODELS]
        self._orders: Orders | None = None
        self._heartbeat_s = 0.0

    def orders(self) -> Orders:
        """What the registers ask for."""
        if self._orders is None:
            self._orders = orders_of(self._models, trips_when_it_may=self._settings.trips_when_it_may)
        return self._orders

    def touched(self) -> None:
        """A register was changed from outside: look again, unless deaf."""
        if not self._faults.deaf:
            self._orders = None

    def written(self, names: tuple[str, ...], now: float) -> None:
        """Points (`704.WSet`) were written at `now`."""
        self.touched()
        self._obey(names)
        for adoption in self._adoptions:
            adoption.is_stuck, adoption.fails = self._faults.adoption_stuck, self._faults.adoption_fails
            adoption.written(names, now)
        if not self._faults.freeze_timers:
            self._timers.written(names, now)

    def next_at(self) -> float:
        """When something happens in the registers by time alone."""
        return min(self._timers.next_at(), *(adoption.next_at() for adoption in self._adoptions))

    def step(self, now: float, dt_s: float) -> None:
        """Count down timers and up the heartbeat, `dt_s` after the last time."""
        changes = [adoption.step(now) for adoption in self._adoptions if adoption.next_at() < math.inf]
        if self._timers.step(now) or any(changes):
            self.touched()
        if not self._faults.freeze_heartbeat:
            self._heartbeat_s += dt_s

    def show(
        self, stage: PowerStage, ac: AcState, offer: Offer, grid: Grid, battery: DcLimits | None
    ) -> None:
        """Write the measurements and states of this instant."""
        models, orders = self._models, self.orders()
        model, held_back_w = models[701], self._held_back_w(stage, offer)
        throttled = stage.share > 0 and held_back_w > THROTTLE_BAND_W
        source = THROTTLED_BY_SETPOINT if orders.limit is None else THROTTLED_BY_LIMIT
        put(model, "InvSt", self._state(stage, offer, throttled=throttled))
        put(model, "St", int(stage.share > 0))
        put(model, "ConnSt", int(orders.order is not Order.STOP and not stage.is_tripped))
        put(model, "Alrm", grid_alarms(orders, grid, is_dead=ac.is_dead) | self._faults.alarm_bits)
        put(model, "ThrotPct", 100 * held_back_w / orders.ratings.max_w if throttled else 0)
        put(model, "ThrotSrc", source if throttled else 0)
        put(models[703], "ESDlyRemTms", stage.service.remaining_s)
        v_ref = stage.reactive.v_ref
        put(models[705], "Crv[0].VRefAuto", 100.0 if v_ref is None else 100 * v_ref)
        put(models[715], "DERHb", int(self._heartbeat_s) % HEARTBEAT_END)
        show_ac(model, ac, self._settings.ac_type)
        show_dc(models[714], _dc_power_w(ac.power_w, self._settings.efficiency), self._settings.dc_voltage_v)
        if battery is not None:
            show_battery(models[713], battery)

    def _obey(self, names: tuple[str, ...]) -> None:
        """Registers that are orders rather than settings."""
        control = self._models[715]
        if "715.AlarmReset" in names:
            put(control, "AlarmReset", 0)
        if "715.OpCtl" in names and control.integer("OpCtl") == EXIT_STANDBY:
            put(control, "OpCtl", START)

    def _held_back_w(self, stage: PowerStage, offer: Offer) -> float:
        if self._settings.is_storage:
            return 0.0
        return min(offer.most_w, self.orders().ratings.max_w) - stage.power_w

    def _state(self, stage: PowerStage, offer: Offer, *, throttled: bool) -> int:
        """701.InvSt."""
        orders = self.orders()
        if orders.order is Order.STANDBY:
            return STANDBY
        if orders.order is Order.STOP or not orders.permit:
            return OFF
        if not stage.share:
            return STARTING
        if not self._settings.is_storage and offer.most_w <= 0:
            return SLEEPING
        return THROTTLED if throttled else RUNNING


def _dc_power_w(power_w: float, efficiency: float) -> float:
    """Power at the DC side, positive towards the inverter."""
    return power_w / efficiency if power_w >= 0 else power_w * efficiency


def grid_alarms(orders: Orders, grid: Grid, *, is_dead: bool) -> int:
    """701.Alrm bits for a grid outside the window of model 703, on any phase, or gone."""
    window = orders.enter
    outside = {
        "over_hz": grid.hertz > window.high_hz,
        "under_hz": grid.hertz < window.low_hz,
        "over_v": max(grid.voltages) > window.high_v,
        "under_v": min(grid.voltages) < window.low_v,
        "disconnected": is_dead,
    }
    return sum(ALARM_BITS[name] for name, is_outside in outside.items() if is_outside)
