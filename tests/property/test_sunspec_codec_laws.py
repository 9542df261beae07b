"""Laws of the SunSpec point codec."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der_client.sunspec.codec import (
    NUMBERS,
    absent_words,
    decode,
    encode,
    integer_of,
    raw_of,
    scaled,
    words_of,
)

TYPES = sorted(NUMBERS)


@pytest.mark.parametrize("type_", TYPES)
@settings(deadline=None)
@given(data=st.data())
def test_valid_number_survives_the_round_trip(type_: str, data: st.DataObject) -> None:
    number = NUMBERS[type_]
    value = data.draw(st.integers(number.low, number.high).filter(lambda drawn: drawn != number.absent))
    assert decode(type_, encode(type_, value, number.size)) == value


@pytest.mark.parametrize("type_", TYPES)
@settings(deadline=None)
@given(data=st.data())
def test_encoded_number_is_never_the_not_implemented_code(type_: str, data: st.DataObject) -> None:
    number = NUMBERS[type_]
    value = data.draw(st.integers(number.low, number.high).filter(lambda drawn: drawn != number.absent))
    assert encode(type_, value, number.size) != absent_words(type_, number.size)


@pytest.mark.parametrize("type_", TYPES)
@settings(deadline=None)
@given(value=st.integers(-(1 << 70), 1 << 70))
def test_number_outside_its_type_is_refused_and_never_wrapped(type_: str, value: int) -> None:
    number = NUMBERS[type_]
    fits = number.low <= value <= number.high and value != number.absent
    if fits:
        assert integer_of(encode(type_, value, number.size), signed=number.signed) == value
    else:
        with pytest.raises(ValueError, match="outside"):
            encode(type_, value, number.size)


@settings(deadline=None)
@given(value=st.integers(-(1 << 63), (1 << 63) - 1))
def test_registers_hold_twos_complement(value: int) -> None:
    assert integer_of(words_of(value, 4), signed=True) == value


@settings(deadline=None)
@given(raw=st.integers(-(1 << 31), 1 << 31), exponent=st.integers(-10, 10))
def test_scaled_value_is_encoded_to_the_same_register(raw: int, exponent: int) -> None:
    assert raw_of(scaled(raw, exponent), exponent) == raw


@settings(deadline=None)
@given(value=st.decimals(-100000, 100000, places=4), exponent=st.integers(-3, 3))
def test_rounding_moves_a_value_by_half_a_step_at_most(value: Decimal, exponent: int) -> None:
    step = Decimal(1).scaleb(exponent)
    assert abs(Decimal(raw_of(value, exponent)) * step - value) <= step / 2


@settings(deadline=None)
@given(
    text=st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), min_size=1, max_size=32)
)
def test_text_that_can_be_printed_survives_the_round_trip(text: str) -> None:
    assert decode("string", encode("string", text, 16)) == text


@settings(deadline=None)
@given(words=st.lists(st.integers(0, 0xFFFF), min_size=8, max_size=8))
@pytest.mark.parametrize("type_", ["string", "ipv6addr"])
def test_any_registers_decode_to_text_or_nothing(type_: str, words: list[int]) -> None:
    assert isinstance(decode(type_, words), str | None)
