"""The grid at the device, and what the grid's own rules protect: interlocks 26 and 27."""

import math

from der_client.device import EnterServiceSetpoint
from der_client.interlocks.row import Action, Interlock
from der_client.interlocks.rules import SafetyRules
from der_client.interlocks.rules_device import GridRules
from der_client.interlocks.situation import Situation

ROOT_3 = math.sqrt(3.0)
OTHER_KIND_PU = 1.6
"""No grid stands here: a voltage line to line was measured against a nominal one line to neutral."""


def has_grid(s: Situation) -> bool:
    """True where voltage or frequency are measured, or something was refused."""
    return s.telemetry.frequency_hz is not None or s.telemetry.voltage_v is not None


def outside(s: Situation) -> float | None:
    """How far voltage (%) or frequency (0.1 Hz) are outside of the window; 0 and less inside."""
    found = [value for value in (_voltage_outside(s), _frequency_outside(s)) if value is not None]
    return max(found) if found else None


def refused(s: Situation) -> float | None:
    """Protected functions that were asked for without permission."""
    return float(len(s.refused))


def window_of(asked: EnterServiceSetpoint | None, rules: GridRules) -> dict[str, float]:
    """The enter-service window in force: what a program set, else the rules; only what is known."""
    found = {"low_v_pct": rules.low_v_pct, "high_v_pct": rules.high_v_pct, "delay_s": rules.delay_s}
    given = {"low_hz": rules.low_hz, "high_hz": rules.high_hz}
    if asked is not None:
        given |= {"low_hz": asked.low_hz or rules.low_hz, "high_hz": asked.high_hz or rules.high_hz}
        told = {"low_v_pct": asked.low_v_pct, "high_v_pct": asked.high_v_pct, "delay_s": asked.delay_s}
        found |= {name: value for name, value in told.items() if value is not None}
    return found | {name: value for name, value in given.items() if value is not None}


def _voltage_outside(s: Situation) -> float | None:
    volts, nominal_v = s.telemetry.voltage_v, s.nameplate.v_nom_v
    if volts is None or not nominal_v:
        return None
    share = volts / nominal_v
    if share > OTHER_KIND_PU:
        share /= ROOT_3
    low, high = s.grid_window.get("low_v_pct", 0.0), s.grid_window.get("high_v_pct", math.inf)
    return max(100.0 * share - high, low - 100.0 * share)


def _frequency_outside(s: Situation) -> float | None:
    hertz = s.telemetry.frequency_hz
    if hertz is None:
        return None
    nominal_hz = 50.0 if hertz < 55.0 else 60.0
    low = s.grid_window.get("low_hz", nominal_hz - 0.5)
    high = s.grid_window.get("high_hz", nominal_hz + 0.1)
    return 10.0 * max(hertz - high, low - hertz)


def interlocks(rules: SafetyRules) -> tuple[Interlock, ...]:
    """The levels of the grid."""
    return (
        Interlock(
            number=26,
            name="grid outside the enter-service window",
            measure=outside,
            action=Action.NO_RAISE,
            trip_at=1e-6,
            clear_at=1e-6,
            unit="% or 0.1 Hz outside",
            clear_after_s=rules.grid.delay_s,
            does="then power rises over `grid.ramp_s`; trips are the inverter's and never hidden",
        ),
    )


def permissions(rules: SafetyRules) -> tuple[Interlock, ...]:
    """What is never written without permission."""
    del rules
    return (
        Interlock(
            number=27,
            name="grid code settings refused",
            measure=refused,
            action=Action.WARN,
            trip_at=1,
            clear_at=1,
            does="trip curves and enter-service limits need `allow_grid_code_writes`; refused and logged",
        ),
    )
