"""Throwaway keys and certificates of both kinds, made once."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from certs import fingerprint_of
from openadr_ven.v2b.signature import Signer


@dataclass(frozen=True, slots=True)
class Identity:
    """A self-signed certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.der)

    def signer(self) -> Signer:
        return Signer(self.certificate, self.key)


def identity(name: str, kind: str = "ec", days: int = 3650) -> Identity:
    """The certificate of a name; `days` negative is one that is over."""
    return _identity(name, kind, days)


@cache
def _identity(name: str, kind: str, days: int) -> Identity:
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if kind == "ec":
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return Identity(certificate_of(f"{name} {kind}", key, days), key)


def certificate_of(
    name: str, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, days: int = 3650
) -> x509.Certificate:
    """A self-signed certificate of a key."""
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=3650))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.DNSName("localhost"),
                    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
                ]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
