"""Models 101 to 134 and 160 as the face of the power stage: orders out of them, measurements into them."""

import math
from collections.abc import Callable
from dataclasses import replace

from der_client.physics import Grid, Offer, Order, Orders, PowerStage, VarOrder
from der_client.sunspec.model import Model
from der_client.sunspec.simulator.bank import RegisterBank, put
from der_client.sunspec.simulator.faults import FaultSwitches
from der_client.sunspec.simulator.image_100 import AXES, ac_model_of, build_bank_100
from der_client.sunspec.simulator.measurements import (
    SINGLE_PHASE,
    THREE_PHASE,
    AcState,
    between,
)
from der_client.sunspec.simulator.orders_100 import (
    VAR_MODES,
    factor_of,
    storage_window,
    untimed_orders,
)
from der_client.sunspec.simulator.series_700 import grid_alarms
from der_client.sunspec.simulator.settings import InverterSettings
from der_client.sunspec.simulator.sources import DcLimits
from der_client.sunspec.simulator.timed import Timed

OFF, SLEEPING, STARTING, MPPT, THROTTLED, STANDBY = 1, 2, 3, 4, 5, 8
CONNECTED, AVAILABLE, OPERATING = 1, 2, 4
EMPTY, DISCHARGING, CHARGING, FULL, HOLDING = 2, 3, 4, 5, 6
THROTTLE_BAND_W = 1.0
OPERATES_FROM_SHARE = 0.01
LIMIT, FACTOR, VAR, CONN, RATES = "WMaxLimPct", "OutPFSet", "VArPct", "Conn", "InOutWRte"
ENABLES = {"123.WMaxLim_Ena": LIMIT, "123.OutPFSet_Ena": FACTOR, "123.VArPct_Ena": VAR}
NEUTRAL = {LIMIT: 100.0, FACTOR: 1.0, VAR: 0.0, CONN: 1.0, RATES: 0.0}
RAMPED = frozenset({LIMIT, VAR})


class Series100:
    """The registers of an inverter of the older series."""

    def __init__(
        self, settings: InverterSettings, faults: FaultSwitches, draw: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.bank: RegisterBank = build_bank_100(settings)
        self._settings = settings
        self._faults = faults
        self._draw = draw
        self._models: dict[int, Model] = self.bank.models
        self._timed = {name: Timed(neutral) for name, neutral in NEUTRAL.items()}
        self._curve_ends: dict[int, float] = {}
        self._orders: Orders | None = None
        self._now = -math.inf

    def orders(self) -> Orders:
        """What the registers ask for."""
        if self._orders is None:
            self._orders = self._look()
        return self._orders

    def touched(self) -> None:
        """A register was changed from outside: look again, unless deaf."""
        if not self._faults.deaf:
            self._orders = None

    def written(self, names: tuple[str, ...], now: float) -> None:
        """Points (`123.WMaxLimPct`) were written at `now`: enables bring their setpoints into force."""
        self._now = now
        self.touched()
        for enable, name in ENABLES.items():
            if enable in names:
                self._start(name, self._models[123], now, is_on=self._models[123].integer(enable[4:]) == 1)
        if "123.Conn" in names:
            self._start(CONN, self._models[123], now, is_on=self._models[123].integer("Conn") != 1)
        if any(name.startswith("124.") for name in names):
            storage = self._models[124]
            self._start(RATES, storage, now, is_on=bool(storage.integer("StorCtl_Mod")))
        for number in AXES:
            if f"{number}.ModEna" in names:
                after_s = self._models[number].integer("RvrtTms") or 0
                runs = bool(self._models[number].integer("ModEna")) and after_s > 0
                self._curve_ends[number] = now + after_s if runs else math.inf

    def next_at(self) -> float:
        """When something happens in the registers by time alone."""
        timed = (setting.next_at(self._now) for setting in self._timed.values())
        return min(*timed, *self._curve_ends.values(), math.inf)

    def step(self, now: float, dt_s: float) -> None:
        """Bring timers to `now`; a function whose time is over is disabled."""
        del dt_s
        if now >= self.next_at():
            self.touched()
        self._now = now
        for name, setting in self._timed.items():
            if setting.has_ended(now):
                self._revert(name)
        for number, ends_at in self._curve_ends.items():
            if now >= ends_at:
                put(self._models[number], "ModEna", 0)
                self._curve_ends[number] = math.inf

    def _start(self, name: str, model: Model, now: float, *, is_on: bool) -> None:
        setting = self._timed[name]
        if self._faults.freeze_timers and setting.is_enabled and is_on:
            return
        if not is_on:
            setting.disable(now)
            return
        window_s = model.integer(f"{name}_WinTms") or 0
        setting.enable(
            self._value(name),
            now,
            wait_s=self._draw() * window_s if window_s else 0.0,
            ramp_s=float(model.integer(f"{name}_RmpTms") or 0) if name in RAMPED else 0.0,
            revert_s=float(model.integer(f"{name}_RvrtTms") or 0),
        )

    def _value(self, name: str) -> float:
        """The setpoint that the registers hold."""
        controls = self._models[123]
        if name == LIMIT:
            return float(controls.number("WMaxLimPct") or 0.0)
        if name == FACTOR:
            return float(controls.number("OutPFSet") or 1.0)
        if name == VAR:
            point, _ = VAR_MODES.get(controls.integer("VArPct_Mod") or 0, ("VArMaxPct", None))
            return float(controls.number(point) or 0.0)
        return 0.0 if name == CONN else 1.0

    def _revert(self, name: str) -> None:
        model, point, value = {
            LIMIT: (123, "WMaxLim_Ena", 0),
            FACTOR: (123, "OutPFSet_Ena", 0),
            VAR: (123, "VArPct_Ena", 0),
            CONN: (123, "Conn", 1),
            RATES: (124, "StorCtl_Mod", 0),
        }[name]
        put(self._models[model], point, value)

    def _look(self) -> Orders:
        orders = untimed_orders(self._models, self._settings)
        at = {name: setting.at(self._now) for name, setting in self._timed.items()}
        is_on = {name: setting.is_enabled for name, setting in self._timed.items()}
        factor = factor_of(at[FACTOR]) if is_on[FACTOR] and at[FACTOR] != 1.0 else None
        orders = replace(
            orders,
            order=Order.RUN if at[CONN] else Order.STOP,
            limit=at[LIMIT] / 100 if is_on[LIMIT] else None,
            pf_inject=factor,
            pf_absorb=factor,
            var=self._var(at[VAR]) if is_on[VAR] else None,
        )
        if 124 not in self._models:
            return orders
        low_w, high_w = storage_window(self._models, orders.ratings)
        reserve_pct = float(self._models[124].number("MinRsvPct") or 0.0)
        return replace(orders, least_w=low_w, most_w=high_w, reserve_pct=reserve_pct)

    def _var(self, percent: float) -> VarOrder | None:
        mode = VAR_MODES.get(self._models[123].integer("VArPct_Mod") or 0)
        return None if mode is None else VarOrder(value=percent / 100, ref=mode[1], reactive_first=False)

    def show(
        self, stage: PowerStage, ac: AcState, offer: Offer, grid: Grid, battery: DcLimits | None
    ) -> None:
        """Write the measurements and states of this instant."""
        orders = self.orders()
        model = self._models[ac_model_of(self._settings)]
        self._show_ac(model, ac)
        put(model, "St", self._state(stage, offer))
        put(model, "Evt1", grid_alarms(orders, grid, is_dead=ac.is_dead) | self._faults.alarm_bits)
        self._show_dc(model, ac.power_w)
        self._show_status(stage, ac, offer)
        if battery is not None:
            self._show_battery(ac.power_w, battery)

    def _show_ac(self, model: Model, ac: AcState) -> None:
        kind = self._settings.ac_type
        apparent_va = math.hypot(ac.power_w, ac.reactive_var)
        phases = ac.phases(kind)
        named = tuple(zip("ABC", phases, strict=False))
        values: dict[str, float | None] = {
            "A": sum(phase.current_a for phase in phases),
            "W": ac.power_w,
            "VA": apparent_va,
            "VAr": ac.reactive_var,
            "PF": 100.0 if not apparent_va else 100.0 * ac.power_w / apparent_va,
            "Hz": ac.terminal_hz,
            "WH": ac.injected_wh if round(ac.injected_wh) else None,
        }
        values |= {f"Aph{letter}": phase.current_a for letter, phase in named}
        values |= {f"PhVph{letter}": phase.voltage_v for letter, phase in named}
        if kind != SINGLE_PHASE:
            values["PPVphAB"] = between(phases[0], phases[1], kind)
        if kind == THREE_PHASE:
            values["PPVphBC"] = between(phases[1], phases[2], kind)
            values["PPVphCA"] = between(phases[2], phases[0], kind)
        for name, value in values.items():
            put(model, name, value)

    def _show_dc(self, model: Model, power_w: float) -> None:
        efficiency = self._settings.efficiency
        dc_w = power_w / efficiency if power_w >= 0 else power_w * efficiency
        volts = self._settings.dc_voltage_v
        module = self._models[160]
        for name, value in (("DCV", volts), ("DCA", abs(dc_w) / volts), ("DCW", dc_w)):
            put(model, name, value)
        for name, value in (("DCA", abs(dc_w) / volts), ("DCW", abs(dc_w))):
            put(module, f"module[0].{name}", value)

    def _show_status(self, stage: PowerStage, ac: AcState, offer: Offer) -> None:
        orders, model = self.orders(), self._models[122]
        ratings = orders.ratings
        connected = orders.order is not Order.STOP and not stage.is_tripped
        operates = abs(ac.power_w) > OPERATES_FROM_SHARE * ratings.max_w
        bits = CONNECTED * connected | AVAILABLE * (stage.share > 0) | OPERATING * operates
        put(model, "StorConn" if self._settings.is_storage else "PVConn", bits)
        put(model, "ECPConn", int(connected))
        put(model, "WAval", max(0.0, min(offer.most_w, ratings.max_w)))
        room_var = math.sqrt(max(0.0, ratings.max_va**2 - ac.power_w**2))
        put(model, "VArAval", min(room_var, ratings.max_var_inj))
        put(model, "ActWh", round(ac.injected_wh) or None)

    def _show_battery(self, power_w: float, battery: DcLimits) -> None:
        storage = self._models[124]
        is_known = not math.isnan(battery.soc_pct)
        put(storage, "ChaState", battery.soc_pct if is_known else None)
        band_w = OPERATES_FROM_SHARE * self.orders().ratings.max_w
        state = HOLDING
        if abs(power_w) > band_w:
            state = DISCHARGING if power_w > 0 else CHARGING
        elif is_known and (battery.soc_pct <= 0.0 or battery.soc_pct >= 100.0):
            state = EMPTY if battery.soc_pct <= 0.0 else FULL
        put(storage, "ChaSt", state)

    def _state(self, stage: PowerStage, offer: Offer) -> int:
        """St of models 101 to 103."""
        orders = self.orders()
        if orders.order is Order.STOP:
            return OFF
        if not stage.share:
            return STARTING
        if self._settings.is_storage:
            return MPPT
        if offer.most_w <= 0:
            return SLEEPING
        held_back_w = min(offer.most_w, orders.ratings.max_w) - stage.power_w
        return THROTTLED if held_back_w > THROTTLE_BAND_W else MPPT
