"""Control modes in words that a person reads: `opModMaxLimW 50 %`. Pure."""

from collections.abc import Mapping

from der_client.quantity import HUNDREDTHS, active_power_w, reactive_power_var, scaled
from function_sets import ModeSource
from schemas import ActivePower, FixedVar, Link, PowerFactorWithExcitation, ReactivePower


def mode_text(mode: str, value: object) -> str:
    """One mode with its value and unit."""
    return f"{mode} {_value_text(value)}"


def modes_text(modes: Mapping[str, ModeSource]) -> str:
    """All modes in force, by name; `no mode` where there is none."""
    return ", ".join(mode_text(mode, modes[mode].value) for mode in sorted(modes)) or "no mode"


def _value_text(value: object) -> str:
    text = "set"
    match value:
        case bool():
            text = "true" if value else "false"
        case int():
            text = f"{value / HUNDREDTHS:g} %"
        case ActivePower():
            text = f"{active_power_w(value):g} W"
        case ReactivePower():
            text = f"{reactive_power_var(value):g} var"
        case PowerFactorWithExcitation():
            side = "absorbing" if value.excitation else "injecting"
            text = f"{scaled(value.displacement, value.multiplier):g} {side}"
        case FixedVar():
            text = f"{value.value / HUNDREDTHS:g} % of reference {value.refType}"
        case Link():
            text = value.href
    return text
