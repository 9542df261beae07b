"""Quantities as people write them."""

from decimal import Decimal

import pytest

from sep2_server.operator.quantities import amount, fixed_point, plain, scale_of, span_s


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("50%", "%", "50"),
        (" 50.25 % ", "%", "50.25"),
        ("5 kW", "W", "5000"),
        ("-2.5kvar", "var", "-2500"),
        ("1.5 MW", "W", "1500000"),
        ("36 mHz", "Hz", "0.036"),
        ("60.5 Hz", "Hz", "60.5"),
        ("0.05", "", "0.05"),
        ("5 s", "s", "5"),
        ("+3 %/s", "%/s", "3"),
    ],
)
def test_an_amount_is_read_exactly(text: str, unit: str, expected: str) -> None:
    assert amount(text, unit) == Decimal(expected)


@pytest.mark.parametrize(
    ("text", "unit", "told"),
    [
        ("fifty", "%", "a number and its unit, as in '50 %'"),
        ("50", "%", "the unit %, as in '50 %'"),
        ("5 kvar", "W", "the unit W, as in '50 W'"),
        ("5 GW", "W", "the unit W, as in '50 W'"),
        ("5 ks", "s", "the unit s, as in '50 s'"),
        ("5 %", "", "a number without a unit"),
    ],
)
def test_an_amount_that_cannot_be_read_says_how_to_write_it(text: str, unit: str, told: str) -> None:
    with pytest.raises(ValueError, match="^" + told.replace("(", r"\(") + "$"):
        amount(text, unit)


@pytest.mark.parametrize(
    ("text", "step", "unit"),
    [
        ("0.01 %", "0.01", "%"),
        ("mHz", "0.001", "Hz"),
        ("0.001", "0.001", ""),
        ("0.01 % of effective voltage", "0.01", "%"),
        ("0.01 %/s", "0.01", "%/s"),
        ("s", "1", "s"),
    ],
)
def test_the_unit_of_a_field_gives_its_step(text: str, step: str, unit: str) -> None:
    assert scale_of(text) == (Decimal(step), unit)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("5m", 300), ("5 min", 300), ("1h30m", 5400), ("2d", 172_800), ("0 s", 0)],
)
def test_a_span_is_seconds(text: str, seconds: int) -> None:
    assert span_s(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5m", "5x", "m"])
def test_a_span_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a time span such as 90s"):
        span_s(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("50000", (5000, 1)), ("1500", (1500, 0)), ("0.5", (5, -1)), ("-32768", (-32768, 0)), ("0", (0, 0))],
)
def test_a_fixed_point_value_is_exact(value: str, expected: tuple[int, int]) -> None:
    assert fixed_point(Decimal(value), -32768, 32767) == expected


def test_a_value_with_too_many_digits_names_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"nearest is 123460\)"):
        fixed_point(Decimal("123456"), -32768, 32767)


def test_a_value_outside_the_range_names_the_range() -> None:
    with pytest.raises(ValueError, match=r"-32768 to 32767 times 10\^-9 to 10\^9"):
        fixed_point(Decimal(10) ** 20, -32768, 32767)


@pytest.mark.parametrize(("value", "text"), [("5.00", "5"), ("0.950", "0.95"), ("5E+3", "5000"), ("0", "0")])
def test_a_plain_decimal_has_no_exponent(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text
