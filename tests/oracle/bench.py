"""The simulated inverter at an operating point: its registers are written as a controller would."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from der_client.sunspec.simulator.bank import put
from der_client.sunspec.simulator.inverter import Inverter
from der_client.sunspec.simulator.settings import InverterSettings
from der_client.sunspec.simulator.sources import IdealBattery
from tests.oracle.points import AFTER_S, RATING_W, VAR_SHARE

if TYPE_CHECKING:
    from tests.oracle.points import Disturbance, Point

NOMINAL_V = 480.0
SETTLES_S = 240.0
ADOPTS_S = 2.0
PV = InverterSettings(
    max_w=RATING_W, max_va=RATING_W, max_var=VAR_SHARE * RATING_W, pv_w=RATING_W, v_nom_v=NOMINAL_V, ac_type=2
)
BATTERY = InverterSettings(
    max_w=RATING_W,
    max_va=RATING_W,
    max_var=VAR_SHARE * RATING_W,
    charge_w=RATING_W,
    discharge_w=RATING_W,
    capacity_wh=1e9,
    v_nom_v=NOMINAL_V,
    ac_type=2,
)


class Rig:
    """An inverter, its clock, and the functions of an operating point."""

    def __init__(self, power: float, *, is_battery: bool) -> None:
        settings = BATTERY if is_battery else PV
        battery = IdealBattery(capacity_wh=1e9, charge_w=RATING_W, discharge_w=RATING_W)
        self.now = 0.0
        self.inverter = Inverter(settings, 0.0, battery, pv=_Sun(power))
        self._put("711.Ena", 0)
        if is_battery:
            self._put("704.WSet", power * RATING_W)
            self._put("704.WSetEna", 1)

    def at(self, voltage: float, hertz: float) -> None:
        """Change the grid."""
        self.inverter.set_grid(voltage_v=voltage * NOMINAL_V, frequency_hz=hertz)

    def pass_time(self, seconds: float) -> None:
        """Let time go by in one step."""
        self.now += seconds
        self.inverter.step(self.now)

    @property
    def power_w(self) -> float:
        """Active power at the terminals."""
        return self.inverter.ac.power_w

    @property
    def reactive_var(self) -> float:
        """Reactive power at the terminals."""
        return self.inverter.ac.reactive_var

    def enable(self, functions: dict[str, object]) -> None:
        """Write the functions of an operating point."""
        for name, value in functions.items():
            ENABLERS[name](self, value)
        self.pass_time(ADOPTS_S)

    def limit(self, value: object) -> None:
        """A limit, as a share of WMax."""
        self._put("704.WMaxLimPct", 100 * cast("float", value))
        self._put("704.WMaxLimPctEna", 1)

    def factor(self, value: object) -> None:
        """A power factor in both directions."""
        for group in ("PFWInj", "PFWAbs"):
            put(self.inverter.bank.models[704], f"{group}.PF", cast("float", value))
        self._put("704.PFWInjEna", 1)
        self._put("704.PFWAbsEna", 1)

    def absorbing(self, value: object) -> None:
        """The excitation of the power factor.

        The reference keeps the sign of Q / P, so that its battery turns it round while charging; SunSpec has
        an excitation for each direction.
        """
        absorbs = bool(value)
        for group, excitation in (("PFWInj", absorbs), ("PFWAbs", not absorbs)):
            put(self.inverter.bank.models[704], f"{group}.Ext", int(excitation))

    def var(self, value: object) -> None:
        """Fixed reactive power, as a share of VAMax, with priority."""
        for name, number in {
            "VarSetMod": 3,
            "VarSetPri": 1,
            "VarSetPct": 100 * cast("float", value),
            "VarSetEna": 1,
        }.items():
            self._put(f"704.{name}", number)

    def volt_var(self, value: object) -> None:
        """A volt-var curve."""
        self._adopt(705, value, ("V", "Var"))

    def v_ref(self, value: object) -> None:
        """The reference voltage of volt-var."""
        self._put("705.Crv[1].VRef", 100 * cast("float", value))
        self._put("705.AdptCrvReq", 2)

    def volt_watt(self, value: object) -> None:
        """A volt-watt curve."""
        self._adopt(706, value, ("V", "W"))

    def watt_var(self, value: object) -> None:
        """A watt-var curve."""
        self._adopt(712, value, ("W", "Var"))

    def droop(self, value: object) -> None:
        """Frequency-droop with its defaults."""
        self._put("711.Ena", int(bool(value)))

    def _adopt(self, model: int, curve: object, axes: tuple[str, str]) -> None:
        pairs = cast("list[list[float]]", curve)
        self._put(f"{model}.Crv[1].ActPt", len(pairs))
        for number, pair in enumerate(pairs):
            for axis, value in zip(axes, pair, strict=True):
                self._put(f"{model}.Crv[1].Pt[{number}].{axis}", 100 * value)
        self._put(f"{model}.AdptCrvReq", 2)
        self._put(f"{model}.Ena", 1)

    def _put(self, name: str, value: float) -> None:
        """Write one point through the bus side of the inverter."""
        number, _, point_name = name.partition(".")
        model = self.inverter.bank.models[int(number)]
        point = model.point(point_name)
        assert point is not None
        before = list(model.words)
        put(model, point_name, value)
        words = model.words[point.offset : point.end]
        model.words[:] = before
        self.inverter.write(model.address + point.offset, words, self.now)


class _Sun:
    """The same power for ever."""

    def __init__(self, power: float) -> None:
        self._power_w = power * RATING_W

    def available_w(self, elapsed_s: float) -> float:
        """DC power on offer."""
        del elapsed_s
        return self._power_w


ENABLERS = {
    "limit": Rig.limit,
    "pf": Rig.factor,
    "absorbing": Rig.absorbing,
    "var": Rig.var,
    "volt_var": Rig.volt_var,
    "v_ref": Rig.v_ref,
    "volt_watt": Rig.volt_watt,
    "watt_var": Rig.watt_var,
    "droop": Rig.droop,
}


def settled(point: Point) -> tuple[float, float]:
    """Active and reactive power, W and var, after everything has settled."""
    rig = Rig(point["power"], is_battery=point["is_battery"])
    rig.enable(point["functions"])
    rig.at(point["voltage"], point["hertz"])
    rig.pass_time(SETTLES_S)
    return rig.power_w, rig.reactive_var


def disturbed(case: Disturbance) -> dict[str, float | None]:
    """When power fell below 1 %, when it came back and was whole again, s after the disturbance began."""
    rig = Rig(0.8, is_battery=False)
    rig.pass_time(1.0)
    rig.at(case["voltage"], case["hertz"])
    seen: dict[str, float | None] = dict.fromkeys(("ceased", "back", "whole"))
    _watch(rig, seen, until=1.0 + case["lasts_s"], step_s=case["step_s"])
    rig.at(1.0, 60.0)
    _watch(rig, seen, until=1.0 + case["lasts_s"] + AFTER_S, step_s=0.25)
    return seen


def _watch(rig: Rig, seen: dict[str, float | None], *, until: float, step_s: float) -> None:
    while rig.now < until - 1e-9:
        rig.pass_time(step_s)
        share, now = rig.power_w / RATING_W, rig.now - 1.0
        if share < 0.01:
            seen["ceased"] = now if seen["ceased"] is None else seen["ceased"]
        elif seen["ceased"] is not None:
            seen["back"] = now if seen["back"] is None else seen["back"]
        if seen["back"] is not None and share > 0.79:
            seen["whole"] = now if seen["whole"] is None else seen["whole"]
