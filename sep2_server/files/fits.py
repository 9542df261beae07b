"""Which files a FileList shows to a device: those that fit what it is, and what it asks for. Pure.

IEEE 2030.5-2018, 10 (File Download). The standard leaves it to the server which files fit a device. Here a
file fits unless a fact speaks against it: the maker and model of the DeviceInformation that the device has
put, and, where the file names them, hardware version and serial number. A query may narrow the list by
attributes of File: `?mfID=37250&type=00`; where a file does not name an attribute, any value fits.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import parse_qsl

from schemas import DeviceInformation, File

Wanted = Mapping[str, str]

ATTRIBUTES: Final = ("lFDI", "mfHwVer", "mfID", "mfModel", "mfSerNum", "mfVer", "type")
"""Attributes of File that a query may name."""


def wanted_of(query: str) -> Wanted:
    """The attributes that a query asks for; of one named twice the first counts."""
    if not query:
        return {}
    pairs = parse_qsl(query, keep_blank_values=True)
    return dict(reversed([(name, text) for name, text in pairs if name in ATTRIBUTES]))


def fits_device(file: File, information: DeviceInformation | None) -> bool:
    """Whether a file is for a device with this information; all files are where it has told none."""
    if information is None:
        return True
    return (
        file.mfID == information.mfID
        and file.mfModel == information.mfModel
        and file.mfHwVer in {None, information.mfHwVer}
        and file.mfSerNum in {None, information.mfSerNum}
    )


def is_wanted(file: File, wanted: Wanted) -> bool:
    """Whether a file has the attributes that a query asks for."""
    return all(_matches(getattr(file, name), text, name) for name, text in wanted.items())


def shown(files: Iterable[File], information: DeviceInformation | None, wanted: Wanted) -> list[File]:
    """The files of a list that a device sees, in their order."""
    return [file for file in files if fits_device(file, information) and is_wanted(file, wanted)]


def _matches(held: str | int | None, text: str, name: str) -> bool:
    if held is None:
        return True
    if name in {"lFDI", "type"}:
        return str(held).upper().lstrip("0") == text.upper().lstrip("0")
    return str(held) == text
