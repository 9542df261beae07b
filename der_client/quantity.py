"""Wire quantities in engineering units: whole numbers and powers of ten become W, var, %, Hz and s. Pure."""

from typing import Final

from schemas import ActivePower, ReactivePower

HUNDREDTHS: Final = 100.0
"""PerCent, SignedPerCent, rampTms and setGradW count hundredths. IEEE 2030.5-2018, 10.10."""


def scaled(value: int, multiplier: int) -> float:
    """A value times a power of ten, as near as a float can be."""
    return float(value * 10**multiplier if multiplier >= 0 else value / 10**-multiplier)


def hundredths(value: int | None) -> float | None:
    """A value that counts hundredths, in whole units."""
    return None if value is None else value / HUNDREDTHS


def active_power_w(value: ActivePower) -> float:
    """Active power in W."""
    return scaled(value.value, value.multiplier)


def reactive_power_var(value: ReactivePower) -> float:
    """Reactive power in var."""
    return scaled(value.value, value.multiplier)
