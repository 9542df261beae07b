"""Values of procedures for a server as they are sent and compared: the runner's DER is rated 5 kW."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from conformance_tests.aus.values import Reported
from schemas import ActivePower, DERControlBase

if TYPE_CHECKING:
    from conformance_tests.aus.server_words import Modes
    from conformance_tests.aus.values import Amount
    from schemas import Profile

RATED_W: Final = 5000
"""setMaxW of the DER that the runner plays, W."""
LARGEST: Final = 32767
"""The largest value of an ActivePower; larger ones need a power of ten. IEEE 2030.5-2018, B.2.3.4."""


def watts(amount: Amount) -> float:
    """What an amount is, W."""
    return amount.times * RATED_W if isinstance(amount, Reported) else float(amount)


def power(amount_w: float, multiplier: int = 0) -> ActivePower:
    """An ActivePower of that many W; its power of ten is the least that holds it, from `multiplier` on."""
    while abs(value := round(amount_w / 10**multiplier)) > LARGEST:
        multiplier += 1
    return ActivePower(multiplier=multiplier, value=value)


def in_watts(value: object) -> float | None:
    """What a power on the wire is, W; None for what is none."""
    number, multiplier = getattr(value, "value", None), getattr(value, "multiplier", None)
    if number is None or multiplier is None:
        return None
    return float(Decimal(number).scaleb(multiplier))


def base_of(profile: Profile, modes: Modes, ramp: int | None = None) -> DERControlBase:
    """The DERControlBase of these modes, with rampTms in 0.01 s."""
    values = {name: one if isinstance(one, bool) else power(watts(one)) for name, one in modes}
    base: DERControlBase = profile.resolve(DERControlBase)(rampTms=ramp, **values)
    return base


def has_modes(base: object, modes: Modes) -> bool:
    """Whether a base has all these modes with these values."""
    return all(_is(getattr(base, name, None), one) for name, one in modes)


def _is(value: object, wanted: Amount | bool) -> bool:
    if isinstance(wanted, bool):
        return value is wanted
    seen = in_watts(value)
    return seen is not None and abs(seen - watts(wanted)) < 1
