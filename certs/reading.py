"""Certificates out of bytes: DER, PEM, chains.

Every part is parsed here, so that later code meets no surprise in a certificate of a stranger.
"""

import re
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from certs.errors import UnreadableError

PEM_START: Final = b"-----BEGIN CERTIFICATE-----"

_PART: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_HALF: Final = re.compile(rb"^-----[BE]", re.MULTILINE)
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


def certificate_of(encoded: bytes) -> x509.Certificate:
    """Certificate that DER holds, or the first of a PEM text; UnreadableError otherwise. RFC 5280, 4.1."""
    return chain_of(encoded)[0]


def encoding_of(certificate: x509.Certificate | bytes) -> bytes:
    """DER encoding of a certificate; bytes are as for `certificate_of`. UnreadableError."""
    read = certificate_of(certificate) if isinstance(certificate, bytes) else certificate
    return read.public_bytes(Encoding.DER)


def chain_of(encoded: bytes) -> tuple[x509.Certificate, ...]:
    """All certificates of a PEM text in their order, or the one of a DER encoding; UnreadableError otherwise.

    RFC 5280, 4.1.
    """
    try:
        if PEM_START in encoded:
            _require_whole(encoded)
            chain = tuple(x509.load_pem_x509_certificates(encoded))
        else:
            chain = (x509.load_der_x509_certificate(encoded),)
    except _UNREADABLE as error:
        raise UnreadableError(f"no certificate that can be read: {error}") from error
    for certificate in chain:
        require_readable(certificate)
    return chain


def _require_whole(text: bytes) -> None:
    """Raise UnreadableError where a part of a PEM text begins and does not end: it would be left out."""
    if _HALF.search(_PART.sub(b"", text)):
        raise UnreadableError("the last part begins and does not end: is the file being written?")


def require_readable(certificate: x509.Certificate) -> None:
    """Raise UnreadableError unless names, dates, extensions and key of the certificate can all be parsed."""
    try:
        _ = certificate.version, certificate.subject, certificate.issuer, certificate.serial_number
        _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        _ = certificate.extensions, certificate.public_key(), certificate.signature_algorithm_oid
    except _UNREADABLE as error:
        raise UnreadableError(f"a part of the certificate cannot be read: {error}") from error
