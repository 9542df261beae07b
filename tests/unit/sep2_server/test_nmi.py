"""National metering identifiers and their check digit."""

import pytest

from sep2_server.nmi import check_digit, is_nmi


@pytest.mark.parametrize(
    ("ten", "digit"),
    [("2001985732", 8), ("2001985733", 6), ("3075621875", 8), ("4316854005", 9), ("QAAAVZZZZZ", 3)],
)
def test_check_digit_is_that_of_the_published_examples(ten: str, digit: int) -> None:
    assert check_digit(ten) == digit
    assert is_nmi(f"{ten}{digit}")
    assert is_nmi(ten)
    assert not is_nmi(f"{ten}{(digit + 1) % 10}")


@pytest.mark.parametrize("text", ["", "NOTAVALIDID", "200198573", "20019857328X", "200198573I"])
def test_what_has_another_form_is_none(text: str) -> None:
    assert not is_nmi(text)
