"""Certificate and key files: read, and written so that a reader never sees half of them.

A file appears by renaming a finished one; a folder of files appears by renaming a finished folder.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from certs.errors import AlreadyThereError, NotThereError, RequestError, UnreadableError
from certs.reading import chain_of

CERTIFICATE_FILE: Final = "cert.pem"
KEY_FILE: Final = "key.pem"
KEY_MODE: Final = 0o600
CERTIFICATE_MODE: Final = 0o644


def read_chain(path: Path) -> tuple[x509.Certificate, ...]:
    """Certificates of a PEM or DER file in their order; NotThereError or UnreadableError names the file."""
    try:
        return chain_of(_read(path))
    except UnreadableError as error:
        raise UnreadableError(f"{path}: {error}") from error


def read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Elliptic-curve private key of an unencrypted PEM file; RequestError for another kind of key."""
    try:
        key = load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise RequestError(f"{path}: no unencrypted private key in PEM form") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise RequestError(f"{path}: the key is not on an elliptic curve; P-256 is wanted")
    return key


def chain_pem(*chain: x509.Certificate) -> bytes:
    """PEM text of the certificates, one after the other."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """PEM text (PKCS 8, not encrypted) of a private key."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write_file(path: Path, content: bytes, *, force: bool = False) -> None:
    """Write a file that all may read, whole or not at all; AlreadyThereError if it exists and not `force`."""
    temporary = _written(path.parent, content, CERTIFICATE_MODE)
    try:
        if force:
            temporary.replace(path)
        else:
            path.hardlink_to(temporary)
    except FileExistsError as error:
        raise AlreadyThereError(f"{path} exists; give --force to replace it") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_folder(folder: Path, files: Mapping[str, bytes], *, force: bool = False) -> None:
    """Write a folder of certificate and key files, whole or not at all.

    Names that end in `key.pem` get mode 0600. AlreadyThereError if the folder exists and not `force`.
    """
    if folder.exists() and not force:
        raise AlreadyThereError(f"{folder} exists; give --force to replace it")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, content in files.items():
            _fill(temporary / name, content)
        temporary.chmod(0o755)
        _replace_folder(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _fill(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    mode = KEY_MODE if path.name == KEY_FILE else CERTIFICATE_MODE
    _written(path.parent, content, mode).replace(path)


def _replace_folder(fresh: Path, folder: Path) -> None:
    """Rename `fresh` to `folder`; an old one is moved aside first and deleted last."""
    if folder.exists():
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
        folder.replace(aside)
        fresh.replace(folder)
        shutil.rmtree(aside)
    else:
        fresh.replace(folder)


def _written(folder: Path, content: bytes, mode: int) -> Path:
    """Temporary file of this content and mode in the folder, on the disk and not only on its way there."""
    descriptor, name = tempfile.mkstemp(prefix=".", dir=folder)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    return Path(name)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotThereError(f"{path}: {(error.strerror or 'unreadable').lower()}") from error
