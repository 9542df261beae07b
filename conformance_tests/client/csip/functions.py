"""BASIC-004 to 014: each grid support function, with its settings by default and while an event runs.

SunSpec CSIP Conformance Test Procedures 1.3. The values printed for BASIC-012 are wrong (erratum 43) and are
played as they are: data that a client passes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from conformance_tests.case import Level
from conformance_tests.client.csip.site import factor
from schemas import ActivePower, DERControlBase, FreqDroopType

if TYPE_CHECKING:
    from collections.abc import Mapping

Points = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A curve of a function: type, points, multipliers, and what the y values are a percentage of."""

    curve_type: int
    points: Points
    y_ref: int = 0
    y_multiplier: int = -2
    x_multiplier: int = -2
    open_loop: int | None = None
    autonomous_v_ref: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Modes with their values, and curves by the mode that follows them."""

    base: DERControlBase = field(default_factory=DERControlBase)
    curves: Mapping[str, Curve] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function: its settings by default, and those of the event."""

    name: str
    title: str
    default: Settings
    event: Settings
    client: Level = Level.MUST
    aggregator: Level | None = Level.MUST


def _volts(curve_type: int, *points: tuple[int, int]) -> Curve:
    return Curve(curve_type=curve_type, points=points, y_ref=4)


def _hertz(curve_type: int, *points: tuple[int, int]) -> Curve:
    return Curve(curve_type=curve_type, points=points)


def _volt_var(open_loop: int, *points: tuple[int, int]) -> Curve:
    return Curve(curve_type=11, points=points, y_ref=3, open_loop=open_loop, autonomous_v_ref=False)


def _volt_watt(*points: tuple[int, int]) -> Curve:
    return Curve(curve_type=12, points=points, y_ref=1)


def _droop(over: int, under: int, slope: int, open_loop: int) -> DERControlBase:
    droop = FreqDroopType(dBOF=over, dBUF=under, kOF=slope, kUF=slope, openLoopTms=open_loop)
    return DERControlBase(opModFreqDroop=droop)


FREQ_WATT: Final = Curve(
    curve_type=0, points=((5_900, 100), (5_950, 80), (6_050, 80), (6_200, 0)), y_ref=1, y_multiplier=0
)

FUNCTIONS: Final = (
    Function(
        name="BASIC-004",
        title="Voltage ride-through",
        default=Settings(
            curves={
                "opModHVRTMustTrip": _volts(
                    5, (16, 13_000), (16, 12_000), (1_300, 12_000), (1_300, 11_000), (10_000, 11_000)
                ),
                "opModHVRTMomentaryCessation": _volts(4, (0, 11_000), (1_300, 11_000)),
                "opModLVRTMustTrip": _volts(
                    10,
                    (150, 0),
                    (150, 5_000),
                    (1_100, 5_000),
                    (1_100, 7_000),
                    (2_100, 7_000),
                    (2_100, 8_800),
                    (10_000, 8_800),
                ),
                "opModLVRTMomentaryCessation": _volts(9, (0, 5_000), (150, 5_000)),
            }
        ),
        event=Settings(
            curves={
                "opModHVRTMustTrip": _volts(
                    5, (16, 12_000), (16, 11_000), (1_200, 11_000), (1_200, 10_000), (10_000, 10_000)
                ),
                "opModHVRTMomentaryCessation": _volts(4, (0, 10_000), (1_200, 10_000)),
                "opModLVRTMustTrip": _volts(
                    10,
                    (150, 0),
                    (150, 5_000),
                    (1_200, 5_000),
                    (1_200, 7_000),
                    (2_200, 7_000),
                    (2_200, 8_800),
                    (10_000, 8_800),
                ),
                "opModLVRTMomentaryCessation": _volts(9, (0, 6_000), (150, 6_000)),
            }
        ),
    ),
    Function(
        name="BASIC-005",
        title="Frequency ride-through",
        default=Settings(
            curves={
                "opModHFRTMustTrip": _hertz(
                    2, (16, 6_400), (16, 6_200), (30_000, 6_200), (30_000, 6_050), (40_000, 6_050)
                ),
                "opModLFRTMustTrip": _hertz(
                    7, (16, 5_300), (16, 5_690), (30_000, 5_690), (30_000, 5_850), (40_000, 5_850)
                ),
            }
        ),
        event=Settings(
            curves={
                "opModHFRTMustTrip": _hertz(
                    2, (16, 6_500), (16, 6_100), (28_000, 6_100), (28_000, 6_050), (40_000, 6_050)
                ),
                "opModLFRTMustTrip": _hertz(
                    7, (16, 5_300), (16, 5_690), (27_000, 5_690), (27_000, 5_850), (40_000, 5_850)
                ),
            }
        ),
    ),
    Function(
        name="BASIC-006",
        title="Volt-var",
        default=Settings(
            curves={"opModVoltVar": _volt_var(10, (9_200, 3_000), (9_670, 0), (10_300, 0), (10_700, -3_000))}
        ),
        event=Settings(
            curves={"opModVoltVar": _volt_var(5, (9_100, 4_000), (9_570, 0), (10_400, 0), (10_600, -4_000))}
        ),
    ),
    Function(
        name="BASIC-008",
        title="Fixed power factor",
        default=Settings(base=factor(950)),
        event=Settings(base=factor(900)),
    ),
    Function(
        name="BASIC-009",
        title="Connect and energize",
        default=Settings(base=DERControlBase(opModEnergize=True)),
        event=Settings(base=DERControlBase(opModEnergize=False)),
    ),
    Function(
        name="BASIC-010",
        title="Limit of active power",
        default=Settings(base=DERControlBase(opModMaxLimW=5_000)),
        event=Settings(base=DERControlBase(opModMaxLimW=6_000)),
    ),
    Function(
        name="BASIC-011",
        title="Volt-watt",
        default=Settings(
            curves={"opModVoltWatt": _volt_watt((10_000, 10_000), (10_600, 10_000), (11_000, 0))}
        ),
        event=Settings(curves={"opModVoltWatt": _volt_watt((10_000, 10_000), (10_500, 10_000), (10_900, 0))}),
    ),
    Function(
        name="BASIC-012",
        title="Frequency droop and frequency-watt",
        default=Settings(base=_droop(36, 36, 50, 500)),
        event=Settings(base=_droop(60_030, 59_970, 40, 600)),
    ),
    Function(
        name="BASIC-013",
        title="Active power in percent",
        default=Settings(base=DERControlBase(opModFixedW=5_000)),
        event=Settings(base=DERControlBase(opModFixedW=6_000)),
        client=Level.SHOULD,
        aggregator=None,
    ),
    Function(
        name="BASIC-014",
        title="Active power in watts",
        default=Settings(base=DERControlBase(opModTargetW=ActivePower(multiplier=0, value=2_000))),
        event=Settings(base=DERControlBase(opModTargetW=ActivePower(multiplier=0, value=3_000))),
        client=Level.SHOULD,
        aggregator=None,
    ),
)
RAMPS: Final = ({"setGradW": 10_000, "setSoftGradW": 200}, {"setGradW": 9_000, "setSoftGradW": 400})
"""BASIC-007: ramp rates of the default before and after its change, 0.01 %/s."""
