"""Parts of a certificate as plain values: extensions, key identifiers, names, policies. RFC 5280, 4.2."""

import hashlib
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certs import oids
from certs.hardware import HardwareModuleName

KEY_USAGES: Final = {
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}
KEY_IDENTIFIER_OCTETS: Final = 8

_Value = TypeVar("_Value", bound=x509.ExtensionType)


def extension_of(certificate: x509.Certificate, kind: type[_Value]) -> x509.Extension[_Value] | None:
    """Extension of this class with its critical mark, or None. RFC 5280, 4.2."""
    try:
        return certificate.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def is_ca(certificate: x509.Certificate) -> bool:
    """Whether BasicConstraints say CA true. RFC 5280, 4.2.1.9."""
    constraints = extension_of(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.value.ca


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the names match and the signature verifies with the issuer's key. RFC 5280, 6.1.3."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Whether the certificate is signed with its own key. RFC 5280, 3.2."""
    return is_issued_by(certificate, certificate)


def is_p256(certificate: x509.Certificate) -> bool:
    """Whether the key is on the curve secp256r1. IEEE 2030.5-2018, 6.11."""
    key = certificate.public_key()
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)


def key_description(certificate: x509.Certificate) -> str:
    """Key type in words: `EC secp256r1` or `RSAPublicKey`."""
    key = certificate.public_key()
    return f"EC {key.curve.name}" if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__


def key_identifier(key: ec.EllipticCurvePublicKey) -> bytes:
    """Eight octets that name a key: 0100 and the low 60 bits of its SHA-1.

    Method 2 of RFC 5280, 4.2.1.2.
    """
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    low = hashlib.sha1(point, usedforsecurity=False).digest()[-KEY_IDENTIFIER_OCTETS:]
    return bytes([0x40 | low[0] & 0x0F]) + low[1:]


def subject_key_identifier(certificate: x509.Certificate) -> bytes | None:
    """Octets of the SubjectKeyIdentifier, or None. RFC 5280, 4.2.1.2."""
    found = extension_of(certificate, x509.SubjectKeyIdentifier)
    return None if found is None else found.value.digest


def authority_key_identifier(certificate: x509.Certificate) -> bytes | None:
    """Octets of keyIdentifier in the AuthorityKeyIdentifier, or None. RFC 5280, 4.2.1.1."""
    found = extension_of(certificate, x509.AuthorityKeyIdentifier)
    return None if found is None else found.value.key_identifier


def key_usages(certificate: x509.Certificate) -> frozenset[str]:
    """Uses the KeyUsage allows, in the words of RFC 5280, 4.2.1.3; empty without the extension."""
    found = extension_of(certificate, x509.KeyUsage)
    if found is None:
        return frozenset()
    return frozenset(word for name, word in KEY_USAGES.items() if getattr(found.value, name))


def policies_of(certificate: x509.Certificate) -> tuple[x509.PolicyInformation, ...]:
    """Certificate policies in their order. RFC 5280, 4.2.1.4."""
    found = extension_of(certificate, x509.CertificatePolicies)
    return () if found is None else tuple(found.value)


def alternative_names(certificate: x509.Certificate) -> tuple[x509.GeneralName, ...]:
    """Names of the SubjectAltName in their order. RFC 5280, 4.2.1.6."""
    found = extension_of(certificate, x509.SubjectAlternativeName)
    return () if found is None else tuple(found.value)


def host_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """DNS names and IP addresses of the SubjectAltName as text. RFC 5280, 4.2.1.6."""
    names = alternative_names(certificate)
    return tuple(str(name.value) for name in names if isinstance(name, x509.DNSName | x509.IPAddress))


def hardware_module_name(certificate: x509.Certificate) -> HardwareModuleName | None:
    """First HardwareModuleName of the SubjectAltName, or None; HardwareNameError if it is malformed.

    IEEE 2030.5-2018, 6.11.7.4.
    """
    for name in alternative_names(certificate):
        if isinstance(name, x509.OtherName) and name.type_id == oids.HARDWARE_MODULE_NAME:
            return HardwareModuleName.from_der(name.value)
    return None


def cannot_issue(certificate: x509.Certificate) -> bool:
    """Whether no path validation would take the certificate for a CA: neither CA true nor keyCertSign.

    RFC 5280, 4.2.1.3 and 4.2.1.9.
    """
    return not is_ca(certificate) and "keyCertSign" not in key_usages(certificate)
