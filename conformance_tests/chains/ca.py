"""A root that the target trusts, with its key, and what is issued below it. Nothing is kept of one case."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certs import LFDI, lfdi_of
from certs.anatomy import is_ca, is_self_signed
from certs.files import chain_pem, read_chain, read_key
from certs.hardware import HardwareModuleName
from certs.issue import Signer, Template, ca_template, device_template, server_template, sign
from certs.oids import DEVICE_GENERIC, TEST_CERTIFICATE
from conformance_tests.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cryptography import x509

    from certs.issue import PrivateKey

HW_TYPE: Final = "1.3.6.1.4.1.32473.1.1"
AGE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a peer presents: its chain, own certificate first, root left out; empty for no certificate."""

    chain: tuple[x509.Certificate, ...]
    key: PrivateKey | None = None

    @property
    def lfdi(self) -> LFDI | None:
        """LFDI of its certificate, None without one."""
        return lfdi_of(self.chain[0]) if self.chain else None


@dataclass(kw_only=True)
class IssuingRoot:
    """Issues below a root: devices, or servers of `hosts` where it is given. `now` is the time of issue."""

    root: Signer
    hosts: tuple[str, ...] = ()
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def read(cls, certificate: Path, key: Path, hosts: Sequence[str] = ()) -> IssuingRoot:
        """The root in these files. UsageError where it is none; CertsError for files that cannot be used."""
        found = read_chain(certificate)[0]
        if not is_ca(found) or not is_self_signed(found):
            raise UsageError(f"{certificate}: give a root, since chains of 2, 3 and 4 are issued below it")
        return cls(root=Signer(certificate=found, key=read_key(key)), hosts=tuple(hosts))

    def stranger(self) -> IssuingRoot:
        """Another root of the same name, which nobody trusts."""
        key = new_key()
        name = self.root.certificate.subject
        template = ca_template("any", key, path_length=None)
        renamed = Template(subject=name, extensions=template.extensions)
        return IssuingRoot(root=self.below(renamed, key, None), hosts=self.hosts, now=self.now)

    def leaf(self) -> Template:
        """What is certified: a device of its own serial number, or a server."""
        if self.hosts:
            return server_template("conformance test", self.hosts)
        hardware = HardwareModuleName(hwType=HW_TYPE, hwSerialNum=secrets.token_hex(8).encode())
        return device_template(hardware, [DEVICE_GENERIC, TEST_CERTIFICATE])

    def ca(
        self, name: str, signer: Signer, *, path_length: int | None, change: Template | None = None
    ) -> Signer:
        """A CA below another; `change` is its template where it is to be wrong."""
        key = new_key()
        return self.below(change or ca_template(name, key, path_length=path_length), key, signer)

    def below(
        self,
        template: Template,
        key: PrivateKey,
        signer: Signer | None,
        *,
        not_before: datetime | None = None,
    ) -> Signer:
        """A certificate of `key`, with the key, so that it can sign another."""
        number = int.from_bytes(secrets.token_bytes(8)) | 1
        begins = not_before or self.now - AGE
        made = sign(template, key, signer, not_before=begins, serial_number=number)
        return Signer(certificate=made, key=key)


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def identity(leaf: Signer, *above: Signer) -> Identity:
    """What the holder of a leaf presents, with the CAs above it in order, the root left out."""
    return Identity(chain=(leaf.certificate, *(one.certificate for one in above)), key=leaf.key)


@contextmanager
def written(held: Identity) -> Iterator[tuple[Path, Path] | None]:
    """Certificate and key as files, for as long as they are used; None for no certificate."""
    if held.key is None:
        yield None
        return
    with TemporaryDirectory(prefix="conform-") as folder:
        certificate, key = Path(folder) / "cert.pem", Path(folder) / "key.pem"
        certificate.write_bytes(chain_pem(*held.chain))
        key.touch(mode=0o600)
        key.write_bytes(
            held.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        yield certificate, key
