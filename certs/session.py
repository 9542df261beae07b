"""What a finished handshake shows of its peer, as octets. No library of certificates is loaded for it."""

import binascii
import re
from typing import Final, Literal, Protocol

_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")


class TlsSession(Protocol):
    """What is needed of `ssl.SSLObject` and `ssl.SSLSocket`."""

    def getpeercert(self, binary_form: Literal[True], /) -> bytes | None:
        """DER encoding of the peer's certificate."""
        ...


def encodings_of(pem: bytes) -> tuple[bytes, ...]:
    """What the certificates of a PEM text hold, unless one cannot be decoded; nobody has looked into them."""
    try:
        return tuple(binascii.a2b_base64(text) for text in _PEM.findall(pem))
    except binascii.Error:
        return ()


def verified_encodings(session: TlsSession) -> tuple[bytes, ...]:
    """DER of the chain that OpenSSL verified, leaf first, root last; empty for a resumed session.

    Python 3.13 has a public method for it; 3.11 and 3.12 have it on the object inside. Where neither
    is there the answer is empty.
    """
    public = getattr(session, "get_verified_chain", None)
    if public is not None:
        return tuple(public())
    inside = getattr(getattr(session, "_sslobj", None), "get_verified_chain", None)
    links = (inside() if inside is not None else None) or ()
    return tuple(one for link in links for one in encodings_of(link.public_bytes().encode()))
