"""Which files a FileList shows to a device."""

from dataclasses import replace

import pytest

from schemas import DeviceInformation, File
from sep2_server.files.fits import fits_device, is_wanted, shown, wanted_of

FILE = File(fileURI="/f", mfID=37250, mfModel="PV-5", mfVer="2.1", size=10, type="00")
DEVICE = DeviceInformation(
    lFDI="AA",
    mfDate=0,
    mfHwVer="B",
    mfID=37250,
    mfModel="PV-5",
    mfSerNum="77",
    primaryPower=1,
    secondaryPower=0,
    swActTime=0,
    swVer="2.0",
)


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"mfID": 1}, False),
        ({"mfModel": "PV-6"}, False),
        ({"mfHwVer": "B"}, True),
        ({"mfHwVer": "A"}, False),
        ({"mfSerNum": "77"}, True),
        ({"mfSerNum": "78"}, False),
        ({"mfVer": "2.0"}, True),
    ],
)
def test_a_file_fits_unless_a_fact_speaks_against_it(change: dict[str, object], fits: bool) -> None:
    assert fits_device(replace(FILE, **change), DEVICE) is fits  # type: ignore[arg-type]


def test_every_file_fits_a_device_that_has_told_nothing() -> None:
    assert fits_device(FILE, None)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", {}),
        ("s=0&l=5&a=3", {}),
        ("mfID=37250&type=0&l=1", {"mfID": "37250", "type": "0"}),
        ("mfVer=2&mfVer=3", {"mfVer": "2"}),
    ],
)
def test_a_query_names_attributes(query: str, wanted: dict[str, str]) -> None:
    assert wanted_of(query) == wanted


@pytest.mark.parametrize(
    ("query", "is_shown"),
    [
        ("mfID=37250", True),
        ("mfID=1", False),
        ("type=0", True),
        ("type=00", True),
        ("type=01", False),
        ("mfHwVer=C", True),
        ("mfModel=PV-5&mfVer=2.0", False),
    ],
)
def test_a_query_narrows_the_list(query: str, is_shown: bool) -> None:
    assert is_wanted(FILE, wanted_of(query)) is is_shown


def test_a_list_keeps_its_order() -> None:
    files = [replace(FILE, mfVer=version) for version in ("3", "1", "2")]
    files.append(replace(FILE, mfID=1))
    assert [file.mfVer for file in shown(files, DEVICE, {})] == ["3", "1", "2"]
