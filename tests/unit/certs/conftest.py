"""CAs of one throwaway PKI, and a way to turn a template into a certificate."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from certs.issue import Signer, Template, ca_template, sign

NOT_BEFORE = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def issue(
    template: Template, signer: Signer | None, key: ec.EllipticCurvePrivateKey | None = None
) -> x509.Certificate:
    key = key or ec.generate_private_key(ec.SECP256R1())
    return sign(template, key, signer, not_before=NOT_BEFORE, serial_number=77)


def authority(name: str, path_length: int | None, signer: Signer | None) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    return Signer(certificate=issue(ca_template(name, key, path_length=path_length), signer, key), key=key)


@pytest.fixture(scope="session")
def serca() -> Signer:
    return authority("SERCA", None, None)


@pytest.fixture(scope="session")
def mca(serca: Signer) -> Signer:
    return authority("MCA", 1, serca)


@pytest.fixture(scope="session")
def mica(mca: Signer) -> Signer:
    return authority("MICA", 0, mca)


@pytest.fixture(scope="session")
def make() -> Callable[[Template, Signer | None], x509.Certificate]:
    return issue
