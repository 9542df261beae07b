"""The documentation names every setting, and its commands exist."""

import re
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from der_client import ClientSettings, DeviceSettings
from der_client.driver_registry import driver_kind, installed
from der_client.site_settings import SiteMeterSettings
from der_client.sunspec import SunSpecSettings
from der_client.sunspec.settings import SunSpecMeterSettings
from lineside import __main__ as front

ROOT = Path(__file__).resolve().parents[2]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = re.compile(r"^\s*(?:\.venv/bin/)?(lineside(?: [a-z]+){1,3})", re.MULTILINE)


def settings_of(cls: type, place: str = "") -> Iterator[str]:
    """Dotted names of all settings; those of the drivers stand in the tables of the devices."""
    hints = typing.get_type_hints(cls)
    for field in fields(cls):
        kind = hints[field.name]
        if is_dataclass(kind) and isinstance(kind, type):
            yield from settings_of(kind, f"{place}{field.name}.")
        elif field.name == "devices":
            yield from settings_of(DeviceSettings, "devices.")
        elif field.name == "meters":
            yield from settings_of(SiteMeterSettings, "meters.")
            own = set(settings_of(SunSpecMeterSettings)) - set(settings_of(SunSpecSettings))
            yield from (f"meters.{name}" for name in own - {"meter_positive"})
        elif field.name != "driver":
            yield f"{place}{field.name}"


def driver_settings() -> Iterator[str]:
    """Dotted names of what our own drivers let one set."""
    for kind in installed():
        yield from (f"devices.{shape.name}" for shape in driver_kind(kind).schema)


@pytest.mark.parametrize("name", sorted({*settings_of(ClientSettings), *driver_settings()}))
def test_client_how_to_names_every_setting(name: str) -> None:
    page = "failsafe.md" if name.startswith("safety.") else "howto/client.md"
    assert f"`{name}`" in (ROOT / "docs" / page).read_text()


@pytest.mark.parametrize("path", DOCS, ids=lambda p: p.name)
def test_commands_of_the_documentation_exist(path: Path) -> None:
    commands = {tuple(found.split()[1:]) for found in COMMAND.findall(path.read_text())}
    assert {c[0] for c in commands} <= set(front.COMMANDS)


@pytest.mark.parametrize("path", DOCS, ids=lambda p: p.name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", path.read_text())
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []
