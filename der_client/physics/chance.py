"""Numbers that look random and follow from a seed and a place: no state, so that any step gives the same."""

import math

_MASK = (1 << 64) - 1


def share_of(seed: int, *where: int) -> float:
    """A number from 0 to 1 (excluded), the same for the same seed and place."""
    mixed = seed & _MASK
    for number in where:
        mixed = _mixed(mixed ^ (number & _MASK))
    return _mixed(mixed) / 2.0**64


def normal_of(seed: int, *where: int) -> float:
    """A number of the standard normal distribution, the same for the same seed and place."""
    radius = math.sqrt(-2.0 * math.log(1.0 - share_of(seed, *where, 1)))
    return radius * math.cos(2.0 * math.pi * share_of(seed, *where, 2))


def wave_of(seed: int, at: float, *where: int) -> float:
    """Smooth noise from 0 to 1 along `at`, with a new value at each whole number."""
    index = math.floor(at)
    part = at - index
    smooth = part * part * (3.0 - 2.0 * part)
    before, after = share_of(seed, *where, index), share_of(seed, *where, index + 1)
    return before + (after - before) * smooth


def _mixed(number: int) -> int:
    """One round of splitmix64."""
    number = (number + 0x9E3779B97F4A7C15) & _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)
