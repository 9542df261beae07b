"""Who the devices of a fleet are: certificates issued for it or found in a folder; the list to enrol by."""

from __future__ import annotations

import csv
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from certs import LFDI, CertsError, Pki, lfdi_of, make_pin, sfdi_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CERTIFICATE: Final = "cert.pem"
KEY: Final = "key.pem"
COLUMNS: Final = ("name", "lfdi", "pin")
PREFIX: Final = "fleet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One device: its name, its files, and who it then is."""

    name: str
    certificate: Path
    key: Path
    roots: Path
    lfdi: LFDI
    sfdi: int


def issue(pki_folder: Path, count: int, prefix: str = PREFIX) -> list[Identity]:
    """`count` devices of a PKI that `lineside certs init` made; those issued before are used again.

    CertsError where the folder holds no PKI.
    """
    pki = Pki.open(pki_folder)
    return [_issued(pki, f"{prefix}-{number:06d}") for number in range(1, count + 1)]


def load(folder: Path, roots: Path, count: int | None = None) -> list[Identity]:
    """The devices in the subfolders of a folder, each with cert.pem and key.pem, by name. CertsError."""
    places = sorted(p.parent for p in folder.glob(f"*/{CERTIFICATE}") if (p.parent / KEY).is_file())
    found = [_loaded(place, roots) for place in places[:count]]
    if not found:
        raise CertsError(f"{folder}: no subfolder has {CERTIFICATE} and {KEY}")
    return found


def write_csv(path: Path, identities: Iterable[Identity]) -> None:
    """Write the list by which `lineside op enrol --csv` enrols the devices; PINs are made for it."""
    path.touch(mode=0o600)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        rows.writerows((i.name, i.lfdi, f"{make_pin(secrets.randbelow):06d}") for i in identities)


def _issued(pki: Pki, name: str) -> Identity:
    place = pki.folder / name
    known = pki.credentials(name) if (place / CERTIFICATE).is_file() else pki.issue_device(name)
    return Identity(
        name=name,
        certificate=known.certificate_path,
        key=known.key_path,
        roots=known.root_path,
        lfdi=known.lfdi,
        sfdi=known.sfdi,
    )


def _loaded(place: Path, roots: Path) -> Identity:
    lfdi = lfdi_of((place / CERTIFICATE).read_bytes())
    return Identity(
        name=place.name,
        certificate=place / CERTIFICATE,
        key=place / KEY,
        roots=roots,
        lfdi=lfdi,
        sfdi=sfdi_of(lfdi),
    )
