"""Amounts on their way to the wire of IEEE 2030.5: the sign, the rounding to the safe side, the split."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Final

from schemas import ActivePower

FULL: Final = 10_000
"""100 % in hundredths of a percent."""
INT16: Final = 32_767


def output_w(load_w: Decimal) -> Decimal:
    """Power as IEEE 2030.5 counts it, output positive, from that of OpenADR, load positive.

    The one place where the sign flips.
    """
    return -load_w


def whole(value: Decimal) -> int:
    """The nearest whole number; halves go to the even one."""
    return int(value.to_integral_value(ROUND_HALF_EVEN))


def floor(value: Decimal) -> int:
    """The whole number below: the safe side of a limit."""
    return int(value.to_integral_value(ROUND_FLOOR))


def towards_zero(value: Decimal) -> int:
    """The whole number with the smaller magnitude: the safe side of a set point."""
    return int(value.to_integral_value(ROUND_DOWN))


def active_power(power_w: int) -> ActivePower:
    """The power in wire form; what 16 bits do not hold exactly is cut towards zero."""
    exact = Decimal(power_w)
    multiplier = max(0, exact.adjusted() - 4)
    value = towards_zero(exact.scaleb(-multiplier))
    if abs(value) > INT16:
        multiplier += 1
        value = towards_zero(exact.scaleb(-multiplier))
    return ActivePower(multiplier=multiplier, value=value)


def quantum_w(most_w: int) -> int:
    """The steps in which the wire can tell powers up to this one exactly, W."""
    step = 1
    while most_w // step > INT16:
        step *= 10
    return step


def share_of(power_w: int, rating_w: int) -> int:
    """A power as hundredths of a percent of a rating, cut towards zero. ZeroDivisionError for none."""
    return towards_zero(Decimal(power_w) * FULL / rating_w)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One that takes a part of a total: its weight, the most that it can take (None: any), its steps, W."""

    weight: Decimal
    most_w: int | None = None
    step_w: int = 1


def split(total_w: int, parts: Sequence[Part]) -> tuple[int, ...]:
    """Whole magnitudes whose sum is the total, by weight, each in its steps and none above its most.

    What one cannot take goes to those that have room. The sum is less than the total only if none has, or
    by less than the smallest steps.
    """
    taken = [0] * len(parts)
    left, room = total_w, [i for i, part in enumerate(parts) if part.most_w != 0]
    while left > 0 and room:
        weights = [Fraction(max(parts[i].weight, Decimal(0))) for i in room]
        weight = sum(weights)
        shares = [(w / weight if weight else Fraction(1, len(room))) * left for w in weights]
        given = [_fitting(int(share), parts[i], taken[i]) for i, share in zip(room, shares, strict=True)]
        for i, amount in zip(room, given, strict=True):
            taken[i] += amount
        left -= sum(given)
        full = {i for i in room if not _fitting(left, parts[i], taken[i])}
        if not any(given):
            break
        room = [i for i in room if i not in full]
    return _with_rest(left, taken, parts)


def _with_rest(left: int, taken: list[int], parts: Sequence[Part]) -> tuple[int, ...]:
    """What rounding left over, to the coarsest first, then by weight."""
    order = sorted(range(len(parts)), key=lambda i: (-parts[i].step_w, -parts[i].weight, i))
    while left > 0:
        before = left
        for i in order:
            amount = _fitting(min(left, parts[i].step_w), parts[i], taken[i])
            taken[i] += amount
            left -= amount
        if left == before:
            break
    return tuple(taken)


def _fitting(amount: int, part: Part, taken: int) -> int:
    """How much of an amount one can still take, in its own steps."""
    most = amount if part.most_w is None else min(amount, part.most_w - taken)
    return max(0, most) // part.step_w * part.step_w
