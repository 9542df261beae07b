"""Compiled points read what the codec reads, whatever the registers hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.sunspec.codec import NUMBERS, decode, scaled
from der_client.sunspec.readers import reader_of

words = st.integers(0, 0xFFFF) | st.sampled_from([0, 1, 10, 11, 0x7FFF, 0x8000, 0xFFF5, 0xFFF6, 0xFFFF])


@pytest.mark.parametrize("type_", sorted(NUMBERS))
@given(registers=st.lists(words, min_size=6, max_size=6))
def test_number_with_its_scale_factor_reads_alike(type_: str, registers: list[int]) -> None:
    size = NUMBERS[type_].size
    raw = decode(type_, registers[1 : 1 + size])
    exponent = decode("sunssf", registers[5:6])
    unscaled, with_scale = reader_of(type_, 1, size, None), reader_of(type_, 1, size, 5)
    assert unscaled(registers) == raw
    expected = scaled(raw, exponent) if isinstance(raw, int) and isinstance(exponent, int) else raw
    assert with_scale(registers) == (raw if type_ == "sunssf" else expected)


@pytest.mark.parametrize(("type_", "size"), [("float32", 2), ("float64", 4), ("string", 4), ("eui48", 4)])
@given(registers=st.lists(words, min_size=5, max_size=5))
def test_everything_else_reads_alike(type_: str, size: int, registers: list[int]) -> None:
    assert reader_of(type_, 1, size, None)(registers) == decode(type_, registers[1 : 1 + size])


@pytest.mark.parametrize("exponent", [-2, 3])
@given(registers=st.lists(words, min_size=1, max_size=1))
def test_fixed_power_of_ten_is_applied(exponent: int, registers: list[int]) -> None:
    raw = decode("uint16", registers)
    expected = scaled(raw, exponent) if isinstance(raw, int) else None
    assert reader_of("uint16", 0, 1, None, exponent)(registers) == expected


@pytest.mark.parametrize("type_", ["uint16", "int32", "acc64", "string"])
def test_point_behind_the_registers_raises(type_: str) -> None:
    with pytest.raises(IndexError):
        reader_of(type_, 2, NUMBERS[type_].size if type_ in NUMBERS else 2, None)([1, 2])


def test_scale_factor_behind_the_registers_counts_as_nothing() -> None:
    assert reader_of("uint16", 0, 1, 7)([5, 6]) == 5
