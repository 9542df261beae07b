"""The page of the 3.x wire says what the code has."""

import re
from pathlib import Path

import pytest

from openadr_ven.events.signals import PAYLOADS_3, Kind
from openadr_ven.v3.leniency import Leniency
from openadr_ven.v3.report import REPORTS_3

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "openadr3.md").read_text()


def rows_of(heading: str) -> dict[str, str]:
    """The table below a heading: the first column and the second."""
    part = PAGE.split(f"{heading}\n", 1)[1].split("\n#", 1)[0]
    return dict(re.findall(r"^\| (?!-)([^|]+?) \| ([^|]+?) \|", part, re.MULTILINE)[1:])


def test_page_has_every_rule_of_leniency_in_its_words() -> None:
    rows = rows_of("### What is read although it breaks the schema")

    assert rows == {f"`{rule.name}`": rule.value for rule in Leniency}


def test_page_has_every_payload_type_with_its_kind() -> None:
    rows = rows_of("### Payload types")
    found = {name: Kind(kind) for names, kind in rows.items() for name in names.split(", ")}

    assert found == {name: shape.kind for name, shape in PAYLOADS_3.items()}


def test_page_has_every_report_payload_with_its_units() -> None:
    rows = rows_of("### Reports")
    found = {name: units for names, units in rows.items() for name in names.split(", ")}

    assert found == {name: shape.units or "none" for name, shape in REPORTS_3.items()}


@pytest.mark.parametrize("name", ["MOST_BYTES", "MOST_DEPTH"])
def test_page_has_the_bounds(name: str) -> None:
    from openadr_ven.v3 import bounded

    assert f"{getattr(bounded, name):,}" in PAGE
