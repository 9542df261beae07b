"""What strangers sent, on the lines of an operator."""

import json

import pytest

from certs import one_line, printable_json

NASTY = ["\x1b[2J", "a\nb", "\x7f", "\x9b31m", "\u202ecod", "\u2028", "\U000e0041", "\ud800", '"\\']


@pytest.mark.parametrize("text", NASTY)
def test_a_line_is_printable(text: str) -> None:
    assert one_line(f"x {text}").isprintable()


@pytest.mark.parametrize("text", ["", "plain", "é ñ 漢", "a\\b"])
def test_a_printable_line_stays_as_it_is(text: str) -> None:
    assert one_line(text) == text
    assert printable_json(text) == text


@pytest.mark.parametrize("text", NASTY)
def test_json_is_printable_and_means_the_same(text: str) -> None:
    value = {"name": text, "plain": ["é", 1]}
    shown = printable_json(json.dumps(value, indent=2, ensure_ascii=False))
    assert all(line.isprintable() for line in shown.split("\n"))
    assert json.loads(shown) == value
    assert '"é"' in shown
