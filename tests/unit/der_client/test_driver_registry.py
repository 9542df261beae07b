"""Drivers are found by entry points; packages of others are real ones, on the path."""

from pathlib import Path

import pytest

from der_client.battery_driver import BatteryDriver
from der_client.driver_registry import driver_kind, installed
from der_client.errors import DriverError
from der_client.settings import load_settings
from owner import SettingsError, SettingShape

HEAD = """
from dataclasses import dataclass
from der_client.driver import DeviceDriver, Driver

@dataclass(frozen=True, slots=True, kw_only=True)
class GadgetSettings:
    address: int
    speed: float = 0.5
"""
GADGET = f"""{HEAD}
class Gadget(DeviceDriver):
    '''A gadget on a string.

    It has a second paragraph.
    '''
    kind = "gadget"
    Settings = GadgetSettings

    def __init__(self, name, settings):
        super().__init__(name, settings, None)
"""
SERVER = '[server]\nuri = "https://h/dcap"\ncertificate = "c"\nkey = "k"\nroots = "r"\n'


def install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: str, *, package: str = "gadget-pack"
) -> None:
    """Put a package with a driver `gadget` on the path, as an installer would."""
    module = package.replace("-", "_")
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{module}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[lineside.drivers]\ngadget = {module}:Gadget\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(__import__("sys").modules, module, raising=False)


def test_our_own_drivers_are_installed() -> None:
    assert installed() == ("battery", "sunspec")
    assert driver_kind("battery").driver is BatteryDriver
    assert driver_kind("battery").package.startswith("lineside ")


def test_a_kind_that_nobody_installed_is_named_beside_those_that_are_there() -> None:
    with pytest.raises(DriverError, match="'kettle' is none of battery, sunspec"):
        driver_kind("kettle")


def test_a_driver_of_another_package_is_found_with_its_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, GADGET)
    found = driver_kind("gadget")

    assert installed() == ("battery", "gadget", "sunspec")
    assert (found.kind, found.package, found.summary) == (
        "gadget",
        "gadget-pack 1.2",
        "A gadget on a string.",
    )
    assert found.schema == (
        SettingShape(name="address", type_name="int", default=None),
        SettingShape(name="speed", type_name="float", default="0.5"),
    )


def test_the_settings_of_another_packages_driver_are_checked_by_its_dataclass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, GADGET)
    text = SERVER + '[[devices]]\n[[devices]]\nkind = "gadget"\nname = "g"\n'

    with pytest.raises(SettingsError, match=r"^devices\.1\.address: must be set$"):
        load_settings(text)
    assert "speed=0.5" in repr(load_settings(text, ["devices.1.address=7"]).devices[1])


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import nothing_of_that_name", "gadget-pack 1.2 is broken: ModuleNotFoundError"),
        ("1 / 0", "gadget-pack 1.2 is broken: ZeroDivisionError"),
        ("Other = 1", "gadget-pack 1.2 is broken: AttributeError"),
        ("Gadget = 1", "gadget_pack:Gadget of package gadget-pack 1.2 is no Driver"),
        (
            f"{HEAD}\nclass Gadget(Driver):\n    kind = 'gadget'\n    Settings = GadgetSettings\n",
            "gadget-pack 1.2 lacks apply, close, health, identify, read",
        ),
        (GADGET.replace('kind = "gadget"', 'kind = "toy"'), "gadget-pack 1.2 needs kind = 'gadget'"),
        (GADGET.replace("Settings = GadgetSettings", "Settings = dict"), "and a dataclass as Settings"),
    ],
    ids=["import", "raises", "no name", "no driver", "abstract", "other kind", "no schema"],
)
def test_a_broken_driver_names_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, words: str
) -> None:
    install(tmp_path, monkeypatch, code)

    with pytest.raises(DriverError) as caught:
        driver_kind("gadget")
    assert words in str(caught.value)


def test_a_broken_driver_is_no_trouble_while_nobody_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "1 / 0")

    assert load_settings(SERVER).devices[0].kind == "sunspec"


def test_a_kind_that_two_packages_bring_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    install(tmp_path / "a", monkeypatch, GADGET)
    install(tmp_path / "b", monkeypatch, GADGET, package="other-pack")

    with pytest.raises(DriverError, match=r"gadget-pack 1\.2 and other-pack 1\.2: remove all but one"):
        driver_kind("gadget")
