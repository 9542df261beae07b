"""Splitting an amount over several takers. Pure."""

from collections.abc import Sequence


def split(total: float, wanted: Sequence[float], most: Sequence[float]) -> list[float]:
    """The part of each: by what each wants, and what is left by the room up to `most` of each.

    All are 0 or more, `wanted` at most `most`. The sum of the parts is `total`, or all of `most` where that
    is less; never more.
    """
    wishes = sum(wanted)
    if wishes >= total:
        return [total * one / wishes for one in wanted] if wishes > 0 else [0.0 for _ in wanted]
    rooms = [top - one for one, top in zip(wanted, most, strict=True)]
    room = sum(rooms)
    share = min(1.0, (total - wishes) / room) if room > 0 else 0.0
    return [one + share * space for one, space in zip(wanted, rooms, strict=True)]
