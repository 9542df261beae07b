"""PKI for labs and pilots: one folder, a root, up to two CAs below it, and everything they sign.

FOLDER/root.pem              SERCA certificate, the only file that peers need to trust
FOLDER/ca/{serca,mca,mica}/  cert.pem and key.pem of each CA
FOLDER/NAME/cert.pem         what the peer NAME presents: its own certificate and the CAs, without the root
FOLDER/NAME/key.pem          its private key, mode 0600
"""

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from certs import issue, oids
from certs.errors import AlreadyThereError, CertsError, NotThereError, RequestError
from certs.files import (
    CERTIFICATE_FILE,
    KEY_FILE,
    chain_pem,
    key_pem,
    read_chain,
    read_key,
    write_file,
    write_folder,
)
from certs.hardware import HardwareModuleName
from certs.identity import LFDI, lfdi_of, sfdi_of
from certs.issue import Signer, Template
from certs.modbus import role_extension

ROOT_FILE: Final = "root.pem"
CA_FOLDER: Final = "ca"
LAB_HW_TYPE: Final = "1.3.6.1.4.1.32473.1.1"  # the arc that RFC 5612 keeps for examples
CAS_OF_DEPTH: Final[dict[int, tuple[tuple[str, int | None], ...]]] = {
    2: (("serca", None),),
    3: (("serca", None), ("mica", 0)),
    4: (("serca", None), ("mca", 1), ("mica", 0)),
}

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Files with which one peer speaks TLS, and who it then is. The chain file leaves the root out."""

    name: str
    certificate_path: Path
    key_path: Path
    root_path: Path
    lfdi: LFDI
    sfdi: int


class Pki:
    """CAs of one folder, from the root down to the one that signs devices and services."""

    def __init__(self, folder: Path, signers: Sequence[Signer]) -> None:
        self.folder = folder
        self._signers = tuple(signers)

    @classmethod
    def create(cls, folder: Path, depth: int = 4, *, force: bool = False) -> Self:
        """New PKI whose chains have `depth` certificates: 2, 3 or 4, root and device included.

        RequestError for another depth, AlreadyThereError if the folder holds a PKI and not `force`:
        what an older root signed is then worth nothing. IEEE 2030.5-2018, 6.11.
        """
        if depth not in CAS_OF_DEPTH:
            raise RequestError(f"depth: {depth} is not 2, 3 or 4 certificates")
        if (folder / ROOT_FILE).exists() and not force:
            raise AlreadyThereError(f"{folder} holds a PKI; give --force to replace its CAs")
        signers = _new_signers(CAS_OF_DEPTH[depth])
        names = [name for name, _ in CAS_OF_DEPTH[depth]]
        files: dict[str, bytes] = {}
        for name, (key, certificate) in zip(names, signers, strict=True):
            files[f"{name}/{CERTIFICATE_FILE}"] = chain_pem(certificate)
            files[f"{name}/{KEY_FILE}"] = key_pem(key)
        write_folder(folder / CA_FOLDER, files, force=force)
        write_file(folder / ROOT_FILE, chain_pem(signers[0][1]), force=force)
        return cls(folder, [Signer(certificate=certificate, key=key) for key, certificate in signers])

    @classmethod
    def open(cls, folder: Path) -> Self:
        """PKI that `create` wrote into this folder; NotThereError if there is none."""
        names = [name for name, _ in CAS_OF_DEPTH[4] if (folder / CA_FOLDER / name).is_dir()]
        if not names:
            raise NotThereError(f"{folder} holds no PKI; make one with: lineside certs init {folder}")
        places = [folder / CA_FOLDER / name for name in names]
        return cls(folder, [_signer_of(place) for place in places])

    @classmethod
    def open_or_create(cls, folder: Path) -> Self:
        """PKI of this folder, made where none is there. NotThereError for a root whose CAs are elsewhere."""
        is_there = (folder / ROOT_FILE).exists() or (folder / CA_FOLDER).exists()
        return cls.open(folder) if is_there else cls.create(folder)

    @property
    def depth(self) -> int:
        """Certificates in a chain, the root and the peer's own included."""
        return len(self._signers) + 1

    @property
    def root_path(self) -> Path:
        """File with the root certificate, for every peer to trust."""
        return self.folder / ROOT_FILE

    def issue_device(
        self,
        name: str,
        *,
        hw_type: str = LAB_HW_TYPE,
        serial: bytes | None = None,
        policies: Sequence[str] = (oids.DEVICE_GENERIC.dotted_string, oids.TEST_CERTIFICATE.dotted_string),
        force: bool = False,
    ) -> Credentials:
        """New device certificate; its serial number is the name unless given. IEEE 2030.5-2018, 6.11.7.

        `policies` are dotted OIDs. RequestError, HardwareNameError or AlreadyThereError says what is wrong.
        """
        serial = _checked(name).encode() if serial is None else serial
        hardware = HardwareModuleName(hwType=hw_type, hwSerialNum=serial)
        template = issue.device_template(hardware, [_oid(policy) for policy in policies])
        return self._issue(name, template, force=force)

    def issue_server(self, name: str, *, hosts: Sequence[str], force: bool = False) -> Credentials:
        """New utility server certificate for these DNS names and IP addresses. IEEE 2030.5-2018, 6.11."""
        if not hosts:
            raise RequestError(f"server {name}: name at least one host, as in --host der.example.org")
        return self._issue(name, issue.server_template(name, hosts), force=force)

    def has_server(self, name: str, *, hosts: Sequence[str]) -> bool:
        """Whether `issue_server` of this PKI made what is there under this name, for all these hosts."""
        place = self.folder / _checked(name)
        try:
            certificate, key = read_chain(place / CERTIFICATE_FILE)[0], read_key(place / KEY_FILE)
            certificate.verify_directly_issued_by(self._signers[-1].certificate)
            held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (CertsError, InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
            return False
        return key.public_key() == certificate.public_key() and set(issue.names_of(hosts)) <= set(held)

    def issue_aggregator(
        self,
        name: str,
        *,
        hosts: Sequence[str] = (),
        organization: str = "Lineside lab aggregator",
        country: str = "US",
        hw_type: str = LAB_HW_TYPE,
        force: bool = False,
    ) -> Credentials:
        """New aggregator certificate, its serial number the name; `hosts` is where it takes notifications."""
        hardware = HardwareModuleName(hwType=hw_type, hwSerialNum=_checked(name).encode())
        template = issue.aggregator_template(name, organization, country, hosts, hardware)
        return self._issue(name, template, force=force)

    def issue_modbus(
        self, name: str, *, hosts: Sequence[str] = (), role: str | None = None, force: bool = False
    ) -> Credentials:
        """New certificate for Modbus/TCP Security: of a device at `hosts`, or of a client with a `role`.

        RequestError for a host or role that is none, AlreadyThereError unless `force`.
        """
        extension = None if role is None else role_extension(role)
        return self._issue(name, issue.modbus_template(name, hosts, extension), force=force)

    def issue_self_signed(self, name: str, *, force: bool = False) -> Credentials:
        """New certificate that no CA signed, to show that peers refuse it. IEEE 2030.5-2018, 6.11.7.3."""
        return self._write(
            name, lambda key: (_signed(issue.self_signed_template(name), key, None),), force=force
        )

    def credentials(self, name: str) -> Credentials:
        """Credentials that were issued under this name; NotThereError if there are none."""
        place = self.folder / _checked(name)
        leaf = read_chain(place / CERTIFICATE_FILE)[0]
        lfdi = lfdi_of(leaf)
        return Credentials(
            name=name,
            certificate_path=place / CERTIFICATE_FILE,
            key_path=place / KEY_FILE,
            root_path=self.root_path,
            lfdi=lfdi,
            sfdi=sfdi_of(lfdi),
        )

    def _issue(self, name: str, template: Template, *, force: bool) -> Credentials:
        intermediates = [signer.certificate for signer in reversed(self._signers[1:])]
        return self._write(
            name, lambda key: (_signed(template, key, self._signers[-1]), *intermediates), force=force
        )

    def _write(
        self,
        name: str,
        chain_for: Callable[[ec.EllipticCurvePrivateKey], tuple[x509.Certificate, ...]],
        *,
        force: bool,
    ) -> Credentials:
        place = self.folder / _checked(name)
        key = ec.generate_private_key(ec.SECP256R1())
        files = {CERTIFICATE_FILE: chain_pem(*chain_for(key)), KEY_FILE: key_pem(key)}
        write_folder(place, files, force=force)
        return self.credentials(name)


def _new_signers(
    cas: Sequence[tuple[str, int | None]],
) -> list[tuple[ec.EllipticCurvePrivateKey, x509.Certificate]]:
    made: list[tuple[ec.EllipticCurvePrivateKey, x509.Certificate]] = []
    for name, path_length in cas:
        key = ec.generate_private_key(ec.SECP256R1())
        template = issue.ca_template(f"{name.upper()} {secrets.token_hex(4)}", key, path_length=path_length)
        above = Signer(key=made[-1][0], certificate=made[-1][1]) if made else None
        made.append((key, _signed(template, key, above)))
    return made


def _signed(template: Template, key: ec.EllipticCurvePrivateKey, signer: Signer | None) -> x509.Certificate:
    now = datetime.now(UTC).replace(microsecond=0)
    return issue.sign(template, key, signer, not_before=now, serial_number=x509.random_serial_number())


def _signer_of(place: Path) -> Signer:
    return Signer(certificate=read_chain(place / CERTIFICATE_FILE)[0], key=read_key(place / KEY_FILE))


def _checked(name: str) -> str:
    if _NAME.fullmatch(name) is None or name in {CA_FOLDER, ROOT_FILE}:
        raise RequestError(f"name: {name[:80]!r} must be letters, digits, '.', '_' or '-', and not 'ca'")
    return name


def _oid(text: str) -> x509.ObjectIdentifier:
    try:
        return x509.ObjectIdentifier(text)
    except ValueError as error:
        raise RequestError(f"policy: {text[:60]!r} is no object identifier") from error
