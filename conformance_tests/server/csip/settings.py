"""BASIC-004 to 014: each grid support function as default and as event, with the values of the procedures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from conformance_tests.server.csip import steps
from conformance_tests.server.csip.event_series import (
    Party,
    Planned,
    Play,
    Series,
    grouped,
    power_factor,
    same_modes,
)
from conformance_tests.server.csip.rows import OPERATOR, row
from schemas import (
    ActivePower,
    CurveData,
    DefaultDERControl,
    DERControlBase,
    DERCurve,
    DERCurveLink,
    FreqDroopType,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance_tests.case import AnyCase
    from conformance_tests.server.bench import ServerBench

Points = tuple[tuple[int, int], ...]


def curve(*points: tuple[int, int]) -> list[CurveData]:
    """Points of a curve."""
    return [CurveData(xvalue=x, yvalue=y) for x, y in points]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A curve of one mode: type, reference of y, multiplier of y, and points."""

    mode: str
    type: int
    y_ref: int
    points: Points
    y_multiplier: int = -2
    open_loop_tms: int | None = None
    is_autonomous: bool | None = None

    def resource(self, now_s: int) -> DERCurve:
        """The DERCurve."""
        return DERCurve(
            mRID="00",
            creationTime=now_s,
            autonomousVRefEnable=self.is_autonomous,
            autonomousVRefTimeConstant=0 if self.is_autonomous is not None else None,
            CurveData_=curve(*self.points),
            curveType=self.type,
            openLoopTms=self.open_loop_tms,
            xMultiplier=-2,
            yMultiplier=self.y_multiplier,
            yRefType=self.y_ref,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function: its default and its event, by modes in place and by curves."""

    title: str
    default: DERControlBase
    event: DERControlBase | None
    default_curves: tuple[Shape, ...] = ()
    event_curves: tuple[Shape, ...] = ()
    default_ramp: tuple[int, int] | None = None
    event_ramp: tuple[int, int] | None = None


def _ride_through(mode: str, type_: int, y_ref: int, *points: tuple[int, int]) -> Shape:
    return Shape(mode=mode, type=type_, y_ref=y_ref, points=points)


def _volt_var(open_loop_tms: int, *points: tuple[int, int]) -> Shape:
    return Shape(
        mode="opModVoltVar",
        type=11,
        y_ref=3,
        points=points,
        open_loop_tms=open_loop_tms,
        is_autonomous=False,
    )


def _volt_watt(*points: tuple[int, int]) -> Shape:
    return Shape(mode="opModVoltWatt", type=12, y_ref=1, points=points)


def _droop(over: int, under: int, slope: int, open_loop_tms: int) -> DERControlBase:
    droop = FreqDroopType(dBOF=over, dBUF=under, kOF=slope, kUF=slope, openLoopTms=open_loop_tms)
    return DERControlBase(opModFreqDroop=droop)


_NONE: Final = DERControlBase()
_FREQUENCY_WATT: Final = Shape(
    mode="opModFreqWatt",
    type=0,
    y_ref=1,
    y_multiplier=0,
    points=((5900, 100), (5950, 80), (6050, 80), (6200, 0)),
)
FUNCTIONS: Final[Mapping[str, Function]] = {
    "BASIC-004": Function(
        title="Voltage ride-through curves",
        default=_NONE,
        event=_NONE,
        default_curves=(
            _ride_through("opModHVRTMustTrip", 5, 4, (16, 13000), (16, 12000), (1300, 12000), (1300, 11000),
                          (10000, 11000)),
            _ride_through("opModHVRTMomentaryCessation", 4, 4, (0, 11000), (1300, 11000)),
            _ride_through("opModLVRTMustTrip", 10, 4, (150, 0), (150, 5000), (1100, 5000), (1100, 7000),
                          (2100, 7000), (2100, 8800), (10000, 8800)),
            _ride_through("opModLVRTMomentaryCessation", 9, 4, (0, 5000), (150, 5000)),
        ),
        event_curves=(
            _ride_through("opModHVRTMustTrip", 5, 4, (16, 12000), (16, 11000), (1200, 11000), (1200, 10000),
                          (10000, 10000)),
            _ride_through("opModHVRTMomentaryCessation", 4, 4, (0, 10000), (1200, 10000)),
            _ride_through("opModLVRTMustTrip", 10, 4, (150, 0), (150, 5000), (1200, 5000), (1200, 7000),
                          (2200, 7000), (2200, 8800), (10000, 8800)),
            _ride_through("opModLVRTMomentaryCessation", 9, 4, (0, 6000), (150, 6000)),
        ),
    ),
    "BASIC-005": Function(
        title="Frequency ride-through curves",
        default=_NONE,
        event=_NONE,
        default_curves=(
            _ride_through("opModHFRTMustTrip", 2, 0, (16, 6400), (16, 6200), (30000, 6200), (30000, 6050),
                          (40000, 6050)),
            _ride_through("opModLFRTMustTrip", 7, 0, (16, 5300), (16, 5690), (30000, 5690), (30000, 5850),
                          (40000, 5850)),
        ),
        event_curves=(
            _ride_through("opModHFRTMustTrip", 2, 0, (16, 6500), (16, 6100), (28000, 6100), (28000, 6050),
                          (40000, 6050)),
            _ride_through("opModLFRTMustTrip", 7, 0, (16, 5300), (16, 5690), (27000, 5690), (27000, 5850),
                          (40000, 5850)),
        ),
    ),
    "BASIC-006": Function(
        title="Volt-var",
        default=_NONE,
        event=_NONE,
        default_curves=(_volt_var(10, (9200, 3000), (9670, 0), (10300, 0), (10700, -3000)),),
        event_curves=(_volt_var(5, (9100, 4000), (9570, 0), (10400, 0), (10600, -4000)),),
    ),
    "BASIC-007": Function(
        title="Ramp rates (default control only)",
        default=_NONE,
        event=None,
        default_ramp=(10000, 200),
        event_ramp=(9000, 400),
    ),
    "BASIC-008": Function(
        title="Fixed power factor", default=power_factor(950), event=power_factor(900)
    ),
    "BASIC-009": Function(
        title="Connect and energize",
        default=DERControlBase(opModConnect=True, opModEnergize=True),
        event=DERControlBase(opModConnect=False, opModEnergize=False),
    ),
    "BASIC-010": Function(
        title="Limit active power",
        default=DERControlBase(opModMaxLimW=5000),
        event=DERControlBase(opModMaxLimW=6000),
    ),
    "BASIC-011": Function(
        title="Volt-watt",
        default=_NONE,
        event=_NONE,
        default_curves=(_volt_watt((10000, 10000), (10600, 10000), (11000, 0)),),
        event_curves=(_volt_watt((10000, 10000), (10500, 10000), (10900, 0)),),
    ),
    "BASIC-012": Function(
        title="Frequency droop and frequency-watt",
        default=_droop(36, 36, 50, 500),
        event=_droop(60030, 59970, 40, 600),
        event_curves=(_FREQUENCY_WATT,),
    ),
    "BASIC-013": Function(
        title="Set active power (percent)",
        default=DERControlBase(opModFixedW=5000),
        event=DERControlBase(opModFixedW=6000),
    ),
    "BASIC-014": Function(
        title="Set active power (watts)",
        default=DERControlBase(opModTargetW=ActivePower(multiplier=0, value=2000)),
        event=DERControlBase(opModTargetW=ActivePower(multiplier=0, value=3000)),
    ),
}  # fmt: skip


async def _with_curves(bench: ServerBench, base: DERControlBase, shapes: tuple[Shape, ...]) -> DERControlBase:
    """The modes of a base, and those of curves that are added to the program SP."""
    made = replace(base)
    for shape in shapes:
        href = await bench.operator.add_curve("SP", shape.resource(await bench.now()))
        setattr(made, shape.mode, DERCurveLink(href=href))
    return made


async def _check_curves(bench: ServerBench, base: DERControlBase, shapes: tuple[Shape, ...]) -> None:
    """What the links of a base lead to are the curves that were added."""
    for shape in shapes:
        link = getattr(base, shape.mode)
        bench.trial.require(link, f"the base links to a curve by {shape.mode}", seen="no link")
        held = await bench.device.read(link.href, DERCurve)
        points = tuple((one.xvalue, one.yvalue) for one in held.CurveData_)
        good = (held.curveType, points) == (shape.type, shape.points)
        what = f"the curve of {shape.mode} has its type and points, in order"
        bench.trial.check(good, what, seen=f"type {held.curveType}: {points}")


async def _check_default(
    bench: ServerBench, party: Party, wanted: DERControlBase, ramp: tuple[int, int] | None
) -> None:
    device = await steps.end_device(bench, bench.device)
    program = await steps.program_of(bench, party.viewer, device, 4)
    held = await steps.default_of(bench, party.viewer, program)
    bench.trial.require(held, "the program has a DefaultDERControl", seen="none")
    if held is None:
        return
    good = same_modes(held.DERControlBase_, wanted)
    bench.trial.check(good, "the default is as the operator set it", seen=held.DERControlBase_)
    if ramp is not None:
        got = (held.setGradW, held.setSoftGradW)
        bench.trial.check(got == ramp, "setGradW and setSoftGradW are as set", seen=got)


def function_case(id_: str) -> AnyCase:
    """The case of one function."""
    function = FUNCTIONS[id_]

    async def run(bench: ServerBench) -> None:
        party = await grouped(bench, {"TF": 5, "SP": 4})
        default = await _with_curves(bench, function.default, function.default_curves)
        await _set(bench, default, function.default_ramp)
        await _check_default(bench, party, default, function.default_ramp)
        await _check_curves(bench, default, function.default_curves)
        if function.event is None:
            await _set(bench, default, function.event_ramp)
            await _check_default(bench, party, default, function.event_ramp)
            return
        event = await _with_curves(bench, function.event, function.event_curves)
        planned = Planned(name="c1", program="SP", start_s=120, duration_s=60, base=event)
        series = Series(controls=(planned,), owed={"device": {"c1": (1, 2, 3)}})
        await Play(bench, series, {"device": party}).run()
        await _check_curves(bench, event, function.event_curves)
        await _check_default(bench, party, default, function.default_ramp)

    requirement = "The function is shown as set, in the default and in an event with the right status."
    lasts_s = 5.0 if function.event is None else 210.0
    return row(id_, function.title, requirement).case(run, needs=OPERATOR, lasts_s=lasts_s)


async def _set(bench: ServerBench, base: DERControlBase, ramp: tuple[int, int] | None) -> None:
    grad, soft = ramp or (None, None)
    default = DefaultDERControl(mRID="00", DERControlBase_=base, setGradW=grad, setSoftGradW=soft)
    await bench.operator.set_default("SP", default)


CASES: Final = tuple(function_case(id_) for id_ in FUNCTIONS)
