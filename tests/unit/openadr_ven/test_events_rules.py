"""The rules of the standard against the tests that there are, and the page that lists them."""

import ast
import functools
import re
from pathlib import Path

import pytest

from tests.unit.openadr_ven.rules import RULES, Rule

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "openadr.md"
NAME = re.compile(r"test_r(\d+)_")
NUMBER = re.compile(r"(?<![A-Za-z])R(\d+)(?:[\u2013-](\d+))?")


@functools.cache
def named() -> dict[int, list[str]]:
    """Tests of the VEN by the rule that they are named after."""
    found: dict[int, list[str]] = {}
    for path in sorted(HERE.rglob("test_*.py")):
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        names = [one.name for one in ast.walk(ast.parse(path.read_text())) if isinstance(one, kinds)]
        for match in filter(None, map(NAME.match, names)):
            found.setdefault(int(match[1]), []).append(match.string)
    return found


def test_every_rule_that_the_facts_name_is_in_the_table(vectors: Path) -> None:
    text = (vectors.parent / "openadr.md").read_text()
    sections = text[text.index("## 1. ") : text.index("## 5. ")]
    spans = [(int(one[1]), int(one[2] or one[1])) for one in NUMBER.finditer(sections)]
    numbers = {number for low, high in spans for number in range(low, high + 1)}

    assert len(numbers) > 60
    assert numbers == {rule.number for rule in RULES}


def test_no_rule_stands_twice() -> None:
    numbers = [rule.number for rule in RULES]

    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if not rule.wire], ids=lambda rule: f"R{rule.number}"
)
def test_every_rule_has_a_test_of_its_number(rule: Rule) -> None:
    assert named().get(rule.number), f"no test_r{rule.number}_..."


def test_every_number_in_the_name_of_a_test_is_a_rule() -> None:
    assert set(named()) <= {rule.number for rule in RULES}


def test_page_lists_the_rules() -> None:
    wanted = [f"| R{rule.number} | {rule.words} |" for rule in RULES if not rule.wire]

    assert [line for line in PAGE.read_text().splitlines() if line.startswith("| R")] == wanted


def test_code_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)

    for block in blocks:
        exec(block, {})  # noqa: S102

    assert capsys.readouterr().out == "() None\n"
