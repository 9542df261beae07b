"""XML signatures of 2.0b: detached, beside the signed object, with a ReplayProtect. Keys are loaded once.

`Signer` makes them, `Verifier` says whether a document is to be trusted, and hands on what was signed alone.
OpenADR 2.0b, R514 and section on security.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from certs import fingerprint_of
from openadr_ven.v2b.document import DS, Element, child, element_of, local
from openadr_ven.v2b.errors import Untrusted
from openadr_ven.v2b.replay import ReplayGuard
from openadr_ven.v2b.templating import escaped
from openadr_ven.v2b.writing import enveloped
from openadr_ven.v2b.xmldsig import checked, completed, shape_of

LEAST_EC: Final = 256
LEAST_RSA: Final = 2048


class Signer:
    """Signs oadrSignedObjects with one key; the method follows from its kind."""

    def __init__(
        self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    ) -> None:
        _require_strength(key)
        self._key = key
        self._shape = shape_of(
            certificate.public_bytes(Encoding.DER), is_rsa=isinstance(key, rsa.RSAPrivateKey)
        )

    @classmethod
    def of_files(cls, certificate: Path, key: Path) -> "Signer":
        """The signer of a PEM certificate and its PEM key.

        Raises TypeError for other keys than EC and RSA, ValueError for one that is too short (R68).
        """
        loaded = load_pem_private_key(key.read_bytes(), None)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise TypeError(f"{key}: neither an EC nor an RSA key")
        return cls(x509.load_pem_x509_certificate(certificate.read_bytes()), loaded)

    def sign(self, signed_object: str, timestamp: str, nonce: str) -> str:
        """The ds:Signature of an oadrSignedObject, with time of sending and nonce."""
        signature = self._shape.format(timestamp=escaped(timestamp), nonce=escaped(nonce))
        return completed(element_of(enveloped(signed_object, signature)), self._key)


class Verifier:
    """Says whether documents are of the peer that is expected, and new.

    `fingerprints` are those of the certificates that may sign; with none, the certificate of the connection
    must be the one that signs. `guard` remembers nonces.
    """

    def __init__(self, guard: ReplayGuard, fingerprints: Collection[str] = ()) -> None:
        self._guard = guard
        self._fingerprints = frozenset(one.upper() for one in fingerprints)

    def verified(self, root: Element, now: float, peer: bytes | None) -> Element:
        """The oadrSignedObject that was signed. `peer` is the certificate of the connection, DER.

        Raises Untrusted, which says why.
        """
        signed, protect = checked(root, self._signatory(root, now, peer).key)
        self._guard.check(protect, now)
        return signed

    def _signatory(self, root: Element, now: float, peer: bytes | None) -> "_Signatory":
        """Who signed, if they may: by a certificate that is configured, or by that of the connection."""
        signature = root.find(f"{{{DS}}}Signature")
        if signature is None:
            raise Untrusted("the message is not signed")
        data = child(signature, "KeyInfo", "X509Data")
        encoded = [] if data is None else [one for one in data if local(one) == "X509Certificate"]
        if not encoded:
            raise Untrusted("the signature has no certificate")
        found = _signatory_of(encoded[0].text or "")
        is_known = found.fingerprint in self._fingerprints if self._fingerprints else found.der == peer
        if not is_known:
            raise Untrusted(f"signed by {found.fingerprint}, whom nobody expects")
        if not found.begins <= now <= found.ends:
            raise Untrusted("the certificate of the signature is not valid now")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signatory:
    """A certificate that came with a signature: valid from `begins` to `ends`, s since 1970."""

    der: bytes
    fingerprint: str
    key: object
    begins: float
    ends: float


@lru_cache(maxsize=16)
def _signatory_of(text: str) -> _Signatory:
    """The certificate of an X509Certificate element, which is the same in every message of a peer."""
    try:
        der = b64decode(text)
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
        _require_strength(key)
    except (ValueError, Base64Error, UnsupportedAlgorithm) as error:
        raise Untrusted(f"the certificate of the signature is not taken: {error}") from error
    return _Signatory(
        der=der,
        fingerprint=fingerprint_of(der),
        key=key,
        begins=certificate.not_valid_before_utc.timestamp(),
        ends=certificate.not_valid_after_utc.timestamp(),
    )


def _require_strength(key: object) -> None:
    """ValueError for a key that is too short. OpenADR 2.0b, R68."""
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) and key.key_size < LEAST_EC:
        raise ValueError(f"an EC key of {key.key_size} bits, less than {LEAST_EC}")
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey) and key.key_size < LEAST_RSA:
        raise ValueError(f"an RSA key of {key.key_size} bits, less than {LEAST_RSA}")
