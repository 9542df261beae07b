"""Point types: registers to values and back."""

from decimal import Decimal

import pytest

from der_client.sunspec.codec import Rounding, Value, absent_words, decode, encode, raw_of, scaled

ABSENT = [
    ("int16", 1, (0x8000,)),
    ("uint16", 1, (0xFFFF,)),
    ("count", 1, (0xFFFF,)),
    ("acc16", 1, (0,)),
    ("acc32", 2, (0, 0)),
    ("acc64", 4, (0, 0, 0, 0)),
    ("enum16", 1, (0xFFFF,)),
    ("enum32", 2, (0xFFFF, 0xFFFF)),
    ("bitfield16", 1, (0xFFFF,)),
    ("bitfield32", 2, (0xFFFF, 0xFFFF)),
    ("bitfield64", 4, (0xFFFF,) * 4),
    ("int32", 2, (0x8000, 0)),
    ("uint32", 2, (0xFFFF, 0xFFFF)),
    ("int64", 4, (0x8000, 0, 0, 0)),
    ("uint64", 4, (0xFFFF,) * 4),
    ("float32", 2, (0x7FC0, 0)),
    ("float64", 4, (0x7FF8, 0, 0, 0)),
    ("string", 2, (0, 0)),
    ("sunssf", 1, (0x8000,)),
    ("pad", 1, (0x8000,)),
    ("ipaddr", 2, (0, 0)),
    ("ipv6addr", 8, (0,) * 8),
    ("eui48", 4, (0xFFFF,) * 4),
]
VALUES: list[tuple[str, tuple[int, ...], Value]] = [
    ("int16", (0x8001,), -32767),
    ("uint16", (0xFFFE,), 65534),
    ("int32", (0xFFFF, 0xF448), -3000),
    ("uint32", (1, 2), 65538),
    ("uint64", (0, 0, 1, 0), 65536),
    ("acc32", (0, 7), 7),
    ("sunssf", (0xFFF6,), -10),
    ("float32", (0x4270, 0), 60.0),
    ("float64", (0x404E, 0, 0, 0), 60.0),
    ("string", (0x4162, 0x6300), "Abc"),
]


@pytest.mark.parametrize(("type_", "size", "words"), ABSENT)
def test_not_implemented_code_decodes_to_none(type_: str, size: int, words: tuple[int, ...]) -> None:
    assert decode(type_, words) is None
    assert absent_words(type_, size) == words


@pytest.mark.parametrize(("type_", "words", "value"), VALUES)
def test_registers_and_values_correspond(type_: str, words: tuple[int, ...], value: Value) -> None:
    assert decode(type_, words) == value
    assert encode(type_, value, len(words)) == words


@pytest.mark.parametrize("words", [(0x7F80, 1), (0xFFC0, 0), (0x7FFF, 0xFFFF)])
def test_every_nan_counts_as_not_implemented(words: tuple[int, ...]) -> None:
    assert decode("float32", words) is None


@pytest.mark.parametrize("word", [11, 0xFFF5])
def test_scale_factor_outside_ten_powers_counts_as_not_implemented(word: int) -> None:
    assert decode("sunssf", (word,)) is None


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((0x0080, 0), ""),
        ((0x4100, 0x4242), "A"),
        ((0x4142, 0xFFFF), "AB"),
        ((0x41FE, 0x4200), "A\ufffdB"),
        ((0x4120, 0x2000), "A  "),
    ],
)
def test_text_ends_at_nul_and_survives_octets_outside_utf8(words: tuple[int, ...], text: str) -> None:
    assert decode("string", words) == text


@pytest.mark.parametrize(
    ("type_", "words", "text"),
    [
        ("ipaddr", (0xC0A8, 0x00AA), "192.168.0.170"),
        ("ipv6addr", (0x2001, 0x0DB8, 0, 0, 0, 0, 0, 1), "2001:0db8:0000:0000:0000:0000:0000:0001"),
        ("eui48", (0, 0x0040, 0xADA9, 0x9576), "00:40:AD:A9:95:76"),
    ],
)
def test_addresses_are_text(type_: str, words: tuple[int, ...], text: str) -> None:
    assert decode(type_, words) == text


def test_padding_has_no_value() -> None:
    assert decode("pad", (1,)) is None


def test_unknown_type_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown SunSpec point type 'uint8'"):
        decode("uint8", (1,))


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("int16", 32768),
        ("int16", -32768),
        ("uint16", -1),
        ("uint16", 65535),
        ("uint16", 65536),
        ("bitfield16", 0x8000),
        ("acc32", 0),
        ("sunssf", 11),
        ("uint16", 1.5),
        ("uint16", "1"),
        ("float32", "1"),
        ("string", "longer"),
        ("string", 1),
        ("ipaddr", "1.2.3.4"),
    ],
)
def test_value_that_does_not_fit_is_refused(type_: str, value: Value) -> None:
    with pytest.raises(ValueError, match=r"outside|not a whole number|cannot be written|longer"):
        encode(type_, value, 2)


@pytest.mark.parametrize(
    ("raw", "exponent", "value"), [(2831, -1, 283.1), (67, 1, 670), (5, 0, 5), (999, -3, 0.999)]
)
def test_scale_factor_is_a_power_of_ten(raw: int, exponent: int, value: float) -> None:
    assert scaled(raw, exponent) == value


@pytest.mark.parametrize(
    ("value", "exponent", "rounding", "raw"),
    [
        (33.335, -2, Rounding.NEAREST, 3334),
        (33.345, -2, Rounding.NEAREST, 3334),
        (33.339, -2, Rounding.DOWN, 3333),
        (-33.331, -2, Rounding.DOWN, -3334),
        (33.331, -2, Rounding.UP, 3334),
        (0.1, -1, Rounding.DOWN, 1),
        (1250, 2, Rounding.NEAREST, 12),
        (Decimal("0.95"), -3, Rounding.NEAREST, 950),
    ],
)
def test_value_is_rounded_in_decimal(
    value: float | Decimal, exponent: int, rounding: Rounding, raw: int
) -> None:
    assert raw_of(value, exponent, rounding) == raw


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_value_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        raw_of(value, 0)


def test_control_characters_in_a_text_do_not_reach_a_document() -> None:
    octets = b"Ac\x07me\x1b\n\x00\x00\x00"
    words = tuple(int.from_bytes(octets[i : i + 2]) for i in range(0, len(octets), 2))

    assert decode("string", words) == "Ac\ufffdme\ufffd\ufffd"
