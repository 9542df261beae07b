"""The page of devices is what the declarations say."""

from pathlib import Path

from der_client.sunspec.reference import page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "devices.md"


def test_page_of_devices_is_that_of_the_declarations() -> None:
    assert PAGE.read_text() == page(), "python -m der_client.sunspec.reference > docs/devices.md"


def test_every_mode_and_every_known_quirk_is_on_the_page() -> None:
    text = page()
    assert "| `opModLVRTMustTrip` | 707.MustTrip | 129 | 7 | yes |" in text
    assert "| `OutBack*`, `OG*` |" in text
