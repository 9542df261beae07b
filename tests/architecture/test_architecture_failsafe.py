"""The page of failures says what the code does, and names a test that shows it."""

import re
from pathlib import Path

from der_client.interlocks import SafetyRules, interlocks
from der_client.interlocks.page import with_tables

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "failsafe.md"
NUMBERS = frozenset(range(1, 37))
"""The published list of 35 interlocks, and the rate of temperature."""
NO_LEVELS = frozenset({24, 25})
"""Ramps and pauses: rules of the way to a setpoint."""


def test_tables_of_the_page_are_those_of_the_declarations() -> None:
    text = PAGE.read_text()

    assert with_tables(text) == text, "run python -m der_client.interlocks docs/failsafe.md"


def test_every_interlock_of_the_published_list_has_a_level() -> None:
    rows = interlocks(SafetyRules()).by_name.values()

    assert {row.number for row in rows} == NUMBERS - NO_LEVELS


def test_names_of_interlocks_are_unique_and_fit_a_log_event() -> None:
    groups = interlocks(SafetyRules()).groups
    names = [row.name for group in groups for row in group.interlocks]

    assert len(names) == len(set(names))
    assert [name for name in names if len(name) > 48] == []


def names_on_the_page() -> list[str]:
    return sorted(set(re.findall(r"`(test_\w+)`", PAGE.read_text())))


def names_of_tests() -> set[str]:
    texts = (path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    return {
        name for text in texts for name in re.findall(r"^ *(?:async )?def (test_\w+)", text, re.MULTILINE)
    }


def test_every_test_that_the_page_names_exists() -> None:
    assert set(names_on_the_page()) <= names_of_tests()
