"""Point types of SunSpec Modbus: registers to values and back, scale factors included. Pure functions.

A point that the device does not implement decodes to `None`; its code is never written.
SunSpec Device Information Model Specification 1.2, table of point types.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from enum import StrEnum

Value = int | float | str
Words = tuple[int, ...]

REGISTER_BITS = 16
MAX_SCALE = 10


class Rounding(StrEnum):
    """Where a value between two register steps goes: setpoints to nearest, limits towards the safe side."""

    NEAREST = ROUND_HALF_EVEN
    DOWN = ROUND_FLOOR
    UP = ROUND_CEILING


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberType:
    """An integer point type: its registers, its valid range and the not-implemented code."""

    size: int
    low: int
    high: int
    absent: int
    signed: bool = False


def _unsigned(size: int, *, absent: int | None = None, valid_bits: int | None = None) -> NumberType:
    """An unsigned type whose all-ones code means "not implemented" unless `absent` says otherwise."""
    ones = (1 << (REGISTER_BITS * size)) - 1
    high = (1 << valid_bits) - 1 if valid_bits else ones
    code = ones if absent is None else absent
    return NumberType(size=size, low=0, high=high - 1 if high == code else high, absent=code)


def _signed(size: int) -> NumberType:
    """A two's complement type whose most negative code means "not implemented"."""
    half = 1 << (REGISTER_BITS * size - 1)
    return NumberType(size=size, low=1 - half, high=half - 1, absent=-half, signed=True)


NUMBERS: dict[str, NumberType] = {
    "int16": _signed(1),
    "int32": _signed(2),
    "int64": _signed(4),
    "uint16": _unsigned(1),
    "uint32": _unsigned(2),
    "uint64": _unsigned(4),
    "count": _unsigned(1),
    "enum16": _unsigned(1),
    "enum32": _unsigned(2),
    "bitfield16": _unsigned(1, valid_bits=15),
    "bitfield32": _unsigned(2, valid_bits=31),
    "bitfield64": _unsigned(4),
    "acc16": _unsigned(1, absent=0),
    "acc32": _unsigned(2, absent=0),
    "acc64": _unsigned(4, absent=0, valid_bits=63),
    "sunssf": NumberType(size=1, low=-MAX_SCALE, high=MAX_SCALE, absent=-0x8000, signed=True),
}
FLOATS = {"float32": (">f", 2), "float64": (">d", 4)}


def integer_of(words: Sequence[int], *, signed: bool) -> int:
    """The integer that big-endian registers hold, most significant register first."""
    value = 0
    for word in words:
        value = (value << REGISTER_BITS) | word
    bits = REGISTER_BITS * len(words)
    return value - (1 << bits) if signed and value >> (bits - 1) else value


def words_of(value: int, size: int) -> Words:
    """`size` big-endian registers of an integer in two's complement; it must fit."""
    value &= (1 << (REGISTER_BITS * size)) - 1
    return tuple((value >> (REGISTER_BITS * i)) & 0xFFFF for i in reversed(range(size)))


def _bytes_of(words: Sequence[int]) -> bytes:
    """Registers as octets in bus order."""
    return struct.pack(f">{len(words)}H", *words)


def decode(type_: str, words: Sequence[int]) -> Value | None:
    """The unscaled value of a point; `None` if not implemented, as a scale factor outside -10..10."""
    number = NUMBERS.get(type_)
    if number is not None:
        return _decode_number(type_, number, words)
    if type_ in FLOATS:
        value: float = struct.unpack(FLOATS[type_][0], _bytes_of(words))[0]
        return None if math.isnan(value) else value
    return _decode_octets(type_, _bytes_of(words))


def _decode_number(type_: str, number: NumberType, words: Sequence[int]) -> int | None:
    value = integer_of(words, signed=number.signed)
    if value == number.absent:
        return None
    return None if type_ == "sunssf" and abs(value) > MAX_SCALE else value


def _decode_octets(type_: str, octets: bytes) -> str | None:
    if type_ == "string":
        return _text_of(octets)
    if type_ == "pad" or not any(octets):
        return None
    if type_ == "ipaddr":
        return ".".join(str(octet) for octet in octets)
    if type_ == "ipv6addr":
        return ":".join(octets[i : i + 2].hex() for i in range(0, len(octets), 2))
    if type_ == "eui48":
        return None if octets[2:] == b"\xff" * 6 else ":".join(f"{octet:02X}" for octet in octets[2:])
    msg = f"unknown SunSpec point type {type_!r}"
    raise ValueError(msg)


def _text_of(octets: bytes) -> str | None:
    """The text before the first NUL; 0xFF fill counts as padding.

    Octets outside UTF-8 and characters that cannot be printed, which XML cannot carry, become U+FFFD. The
    empty string may be sent as 0x0080.
    """
    if not any(octets):
        return None
    head = octets.split(b"\x00", 1)[0].rstrip(b"\xff")
    if octets[:2] == b"\x00\x80":
        return ""
    text = head.decode("utf-8", errors="replace")
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def encode(type_: str, value: Value, size: int) -> Words:
    """The registers of an unscaled value.

    Raises ValueError where the value is out of range, of the wrong kind or equal to the not-implemented code:
    nothing is wrapped or clamped.
    """
    number = NUMBERS.get(type_)
    if number is not None:
        return _encode_number(type_, number, value)
    if type_ in FLOATS and not isinstance(value, str):
        form, _ = FLOATS[type_]
        return struct.unpack(f">{size}H", struct.pack(form, value))
    if type_ == "string" and isinstance(value, str):
        return _encode_text(value, size)
    msg = f"{value!r} cannot be written as {type_}"
    raise ValueError(msg)


def _encode_number(type_: str, number: NumberType, value: Value) -> Words:
    if not isinstance(value, int):
        msg = f"{value!r} is not a whole number, as {type_} needs"
        raise ValueError(msg)  # noqa: TRY004
    if not number.low <= value <= number.high or value == number.absent:
        msg = f"{value} is outside {type_} ({number.low}..{number.high})"
        raise ValueError(msg)
    return words_of(value, number.size)


def _encode_text(text: str, size: int) -> Words:
    octets = text.encode()
    if len(octets) > 2 * size:
        msg = f"{text!r} is longer than {2 * size} octets"
        raise ValueError(msg)
    return struct.unpack(f">{size}H", octets.ljust(2 * size, b"\x00"))


def absent_words(type_: str, size: int) -> Words:
    """The registers that say "not implemented" for a type."""
    if type_ in NUMBERS:
        return words_of(NUMBERS[type_].absent, size)
    if type_ in FLOATS:
        return (0x7FC0, 0) if size == 2 else (0x7FF8, 0, 0, 0)
    if type_ == "pad":
        return (0x8000,) * size
    return (0xFFFF,) * size if type_ == "eui48" else (0,) * size


def scaled(raw: int | float, exponent: int) -> int | float:
    """Raw * 10^exponent; the nearest float where the exponent is negative."""
    factor: int = 10 ** abs(exponent)
    return raw * factor if exponent >= 0 else raw / factor


def raw_of(value: float | Decimal, exponent: int, rounding: Rounding = Rounding.NEAREST) -> int:
    """The integer raw with raw * 10^exponent nearest to `value` in its shortest decimal form (half to even).

    Raises ValueError for a value that is not finite.
    """
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not exact.is_finite():
        msg = f"{value} is not finite"
        raise ValueError(msg)
    return int(exact.scaleb(-exponent).to_integral_value(rounding=rounding.value))
