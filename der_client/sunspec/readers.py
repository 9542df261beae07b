"""Points compiled to functions: registers of a model in, engineering value out. Made once for each layout.

They do what `codec.decode` and `codec.scaled` do, for whoever reads many points again and again.
"""

from collections.abc import Callable, Sequence
from typing import Final

from der_client.sunspec.codec import MAX_SCALE, NUMBERS, NumberType, Value, decode

Reader = Callable[[Sequence[int]], Value | None]
"""Raises IndexError where the registers end before the point."""

TENS: Final[tuple[int, ...]] = tuple(10**exponent for exponent in range(MAX_SCALE + 1))
LEAST_NEGATIVE: Final = 0x10000 - MAX_SCALE
LONG_WORDS: Final = 4


def reader_of(type_: str, offset: int, size: int, scale: int | None, fixed: int = 0) -> Reader:
    """The function that reads a point; `scale` is the offset of its scale factor, `fixed` a power of ten.

    A scale factor that is not implemented counts as 0.
    """
    number = NUMBERS.get(type_)
    if number is None or type_ == "sunssf":
        return _slow(type_, offset, size)
    raw = _raw(number, offset)
    if scale is not None:
        return _scaled(raw, scale)
    return raw if not fixed else _fixed(raw, fixed)


def _slow(type_: str, offset: int, size: int) -> Reader:
    last, end = offset + size - 1, offset + size

    def read(words: Sequence[int]) -> Value | None:
        words[last]
        return decode(type_, words[offset:end])

    return read


def _raw(number: NumberType, offset: int) -> Callable[[Sequence[int]], int | None]:
    if number.size == 1:
        return _one_word(number, offset)
    if number.size == LONG_WORDS:
        return _four_words(number, offset)
    return _two_words(number, offset)


def _one_word(number: NumberType, offset: int) -> Callable[[Sequence[int]], int | None]:
    absent, negative = number.absent & 0xFFFF, 0x8000 if number.signed else 0x10000

    def read(words: Sequence[int]) -> int | None:
        word = words[offset]
        if word == absent:
            return None
        return word if word < negative else word - 0x10000

    return read


def _two_words(number: NumberType, offset: int) -> Callable[[Sequence[int]], int | None]:
    low, wrap = offset + 1, 1 << 32
    absent, negative = number.absent % wrap, 1 << 31 if number.signed else wrap

    def read(words: Sequence[int]) -> int | None:
        value = words[offset] << 16 | words[low]
        if value == absent:
            return None
        return value if value < negative else value - wrap

    return read


def _four_words(number: NumberType, offset: int) -> Callable[[Sequence[int]], int | None]:
    b, c, d, wrap = offset + 1, offset + 2, offset + 3, 1 << 64
    absent, negative = number.absent % wrap, 1 << 63 if number.signed else wrap

    def read(words: Sequence[int]) -> int | None:
        value = words[offset] << 48 | words[b] << 32 | words[c] << 16 | words[d]
        if value == absent:
            return None
        return value if value < negative else value - wrap

    return read


def _scaled(raw: Callable[[Sequence[int]], int | None], scale: int) -> Reader:
    def read(words: Sequence[int]) -> Value | None:
        value = raw(words)
        if value is None:
            return None
        exponent = words[scale] if scale < len(words) else 0
        if exponent >= LEAST_NEGATIVE:
            return value / TENS[0x10000 - exponent]
        return value * TENS[exponent] if exponent <= MAX_SCALE else value

    return read


def _fixed(raw: Callable[[Sequence[int]], int | None], exponent: int) -> Reader:
    factor = TENS[abs(exponent)]

    def read(words: Sequence[int]) -> Value | None:
        value = raw(words)
        if value is None:
            return None
        return value * factor if exponent > 0 else value / factor

    return read
