"""The page on OpenADR lists what its tests play: the acceptance cases, the rules, and what there is not."""

import json
from pathlib import Path

import pytest

from tests.unit.openadr_ven.acceptance import rows_of
from tests.unit.openadr_ven.rules import ELSEWHERE
from tests.unit.openadr_ven.test_to_sep2_cases import CASES

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "openadr.md").read_text()


def part_of(heading: str) -> str:
    """What stands below a heading."""
    return PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def table_of(heading: str) -> list[str]:
    return [line for line in part_of(heading).splitlines() if line.startswith("|")]


def test_page_lists_every_acceptance_case_in_its_order() -> None:
    assert [row.split("|")[1].strip() for row in table_of("Acceptance cases")[2:]] == list(CASES)
    assert len(CASES) == 30


def test_rows_say_what_the_data_says_that_is_played(vectors: Path) -> None:
    cases = json.loads((vectors / "openadr" / "mapping_cases.json").read_text())["cases"]
    assert table_of("Acceptance cases") == rows_of(cases)


@pytest.mark.parametrize("number", [number for number, _ in ELSEWHERE])
def test_page_says_of_a_rule_that_is_not_ours_whose_it_is(number: int) -> None:
    assert f"R{number} " in part_of("2.0b")


@pytest.mark.parametrize("heading", ["2.0b", "Acceptance cases"])
def test_what_is_not_supported_stands_beside_what_is(heading: str) -> None:
    assert "(#what-is-not-supported)" in part_of(heading)
    assert part_of("What is not supported").count("\n* ") >= 7


@pytest.mark.parametrize(
    "words",
    ["PUSH", "XMPP", "HISTORY_GREENBUTTON", "SHA-1", "currentValue", "Availability schedules of device"],
)
def test_what_the_ven_does_not_do_is_named(words: str) -> None:
    assert words in part_of("What is not supported")
