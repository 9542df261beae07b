"""The reference page says what the table does."""

from pathlib import Path

from openadr_ven.to_sep2.page import translation_page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "openadr_translation.md"


def test_the_page_is_that_of_the_table() -> None:
    assert PAGE.read_text() == translation_page()
