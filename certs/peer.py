"""Who the other side of a finished handshake is, and whether to refuse it."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Final, NamedTuple, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs import anatomy
from certs.errors import UnreadableError
from certs.files import read_chain
from certs.findings import Finding, broken
from certs.identity import LFDI, lfdi_of
from certs.learnt import LearntIssuers
from certs.reading import certificate_of
from certs.refusal import LONGEST_CHAIN, refusal
from certs.session import TlsSession, verified_encodings

MOST_KNOWN_ISSUERS: Final = 1024
MOST_ADMITTED: Final = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerIdentity:
    """Certificate of a peer and what follows from it; `chain` is the verified one as far as it is known."""

    lfdi: LFDI
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]

    @property
    def expires(self) -> float:
        """When the certificate does, s since 1970 UTC."""
        return self.certificate.not_valid_after_utc.timestamp()


class Admitted(NamedTuple):
    """A peer that is let in, and when its certificate expires, s since 1970 UTC."""

    lfdi: LFDI
    expires: float


class KnownIssuers:
    """Roots, and CAs that stood in chains already accepted: the way back to the root for a resumed session.

    A resumed TLS session shows the peer's certificate alone. Only chains without a reason to refuse are
    remembered, and a path found here is looked at again. Holds at most 1,024 CAs, the latest used.
    Processes of one server share what they learn through `learnt`.
    """

    def __init__(
        self,
        roots: Iterable[x509.Certificate],
        *,
        self_signed: Iterable[x509.Certificate] | None = None,
        learnt: LearntIssuers | None = None,
    ) -> None:
        """Start from the roots. `self_signed` are the clients trusted by themselves; None: not looked at."""
        self._seen: OrderedDict[bytes, x509.Certificate] = OrderedDict()
        self._learnt = learnt
        self.trust(roots, self_signed=self_signed)

    def trust(
        self, roots: Iterable[x509.Certificate], *, self_signed: Iterable[x509.Certificate] | None = None
    ) -> None:
        """Trust these roots and self-signed clients from now on, and no others."""
        self._admitted: OrderedDict[tuple[bytes, bool], Admitted] = OrderedDict()
        self._roots = {_encoded(root): root for root in roots}
        self._self_signed = None if self_signed is None else set(map(_encoded, self_signed))

    @classmethod
    def from_files(cls, roots: Path, *chains: Path) -> Self:
        """Issuers that start from the roots the TLS context trusts and the CAs in further PEM files.

        Give the own chain file and those of known makers' CAs, so that a new process can resume
        sessions from its first moment.
        """
        issuers = cls(read_chain(roots))
        for path in chains:
            issuers.remember(read_chain(path))
        return issuers

    def remember(self, chain: Iterable[x509.Certificate]) -> None:
        """Keep the CAs of a chain that has been accepted."""
        for certificate in chain:
            if anatomy.is_ca(certificate):
                self._keep(certificate)

    def admitted(self, leaf: bytes, *, allow_self_signed: bool) -> Admitted | None:
        """The peer with this certificate (DER) if it was admitted under the roots of today, and lately."""
        known = self._admitted.get((hashlib.sha256(leaf).digest(), allow_self_signed))
        return known if known is not None and time() <= known.expires else None

    def admit(self, leaf: bytes, peer: Admitted, *, allow_self_signed: bool) -> None:
        """Remember that a peer was admitted, until its certificate expires; of the latest 16,384."""
        self._admitted[hashlib.sha256(leaf).digest(), allow_self_signed] = peer
        if len(self._admitted) > MOST_ADMITTED:
            self._admitted.popitem(last=False)

    def complete(self, leaf: x509.Certificate) -> tuple[x509.Certificate, ...]:
        """Longest known path from the certificate upwards, at best to a root. RFC 5280, 6.1."""
        chain = [leaf]
        while len(chain) < LONGEST_CHAIN and not self._is_root(chain[-1]):
            issuer = self._issuer_of(chain[-1])
            if issuer is None:
                break
            chain.append(issuer)
        return tuple(chain)

    def reaches_root(self, chain: tuple[x509.Certificate, ...]) -> bool:
        """Whether the last certificate is one of the roots."""
        return self._is_root(chain[-1])

    def may_stand_alone(self, certificate: x509.Certificate) -> bool:
        """Whether a self-signed certificate is among those trusted by themselves, as far as that is known."""
        return self._self_signed is None or _encoded(certificate) in self._self_signed

    def _is_root(self, certificate: x509.Certificate) -> bool:
        return _encoded(certificate) in self._roots

    def _issuer_of(self, certificate: x509.Certificate) -> x509.Certificate | None:
        found = self._known_issuer_of(certificate)
        if found is None and self._learnt is not None:
            for encoded in self._learnt.news():
                self._hold(encoded, certificate_of(encoded))
            found = self._known_issuer_of(certificate)
        return found

    def _known_issuer_of(self, certificate: x509.Certificate) -> x509.Certificate | None:
        candidates = (*self._roots.values(), *self._seen.values())
        named = (candidate for candidate in candidates if candidate.subject == certificate.issuer)
        return next((issuer for issuer in named if anatomy.is_issued_by(certificate, issuer)), None)

    def _keep(self, certificate: x509.Certificate) -> None:
        encoded = _encoded(certificate)
        if encoded in self._roots:
            return
        if self._learnt is not None and encoded not in self._seen:
            self._learnt.append(encoded)
        self._hold(encoded, certificate)

    def _hold(self, encoded: bytes, certificate: x509.Certificate) -> None:
        self._seen[encoded] = certificate
        self._seen.move_to_end(encoded)
        if len(self._seen) > MOST_KNOWN_ISSUERS:
            self._seen.popitem(last=False)


def peer_identity(session: TlsSession) -> PeerIdentity | None:
    """Who the peer of a finished handshake is, or None if it presented no certificate.

    UnreadableError for a certificate that OpenSSL accepts and this package cannot read; ValueError
    from `ssl` before the handshake is done. IEEE 2030.5-2018, 6.3.4.
    """
    encoded = session.getpeercert(True)
    if not encoded:
        return None
    chain = verified_chain(session) or (certificate_of(encoded),)
    return PeerIdentity(lfdi=lfdi_of(chain[0]), certificate=chain[0], chain=chain)


def admission(
    session: TlsSession, issuers: KnownIssuers, *, allow_self_signed: bool = False
) -> Admitted | Finding | None:
    """Who the peer of a finished handshake is, or why it is refused; None without a certificate.

    As `refuse_reason`, for servers: a session that is resumed by a peer which was admitted before under the
    same roots costs no look at the chain. OpenSSL resumes a session only for whom it verified in full.
    """
    encoded = session.getpeercert(True)
    if not encoded:
        return None
    is_resumed = getattr(session, "session_reused", False)
    known = issuers.admitted(encoded, allow_self_signed=allow_self_signed) if is_resumed else None
    if known is not None:
        return known
    identity, reason = judged_peer(session, issuers, allow_self_signed=allow_self_signed)
    if reason is not None or identity is None:
        return reason
    if is_resumed and time() > identity.expires:
        return broken("expired", "the certificate has expired since the session began; wanted: a valid one")
    peer = Admitted(identity.lfdi, identity.expires)
    issuers.admit(encoded, peer, allow_self_signed=allow_self_signed)
    return peer


def refuse_reason(
    session: TlsSession, issuers: KnownIssuers, *, allow_self_signed: bool = False
) -> Finding | None:
    """Why to refuse the peer of a finished handshake, or None: the rules that OpenSSL does not apply.

    The caller closes the connection or answers 403. A peer without certificate gives no reason: whether one
    is needed is the context's business. Remembers the CAs of accepted chains in `issuers` and completes
    resumed sessions from there; one that cannot be completed is refused, and the peer must come
    back with a full handshake. IEEE 2030.5-2018, 6.11; CSIP COMM-004 D to G.
    """
    return judged_peer(session, issuers, allow_self_signed=allow_self_signed)[1]


def judged_peer(
    session: TlsSession, issuers: KnownIssuers, *, allow_self_signed: bool = False
) -> tuple[PeerIdentity | None, Finding | None]:
    """Who the peer of a finished handshake is, and why to refuse it, from one look at the certificates."""
    try:
        identity = peer_identity(session)
    except UnreadableError as error:
        text = f"{error}; wanted: a certificate that can be read"
        return None, broken("readable", text, "RFC 5280, 4.1")
    return identity, _reason(identity.chain, issuers, allow_self_signed) if identity is not None else None


def _reason(
    chain: tuple[x509.Certificate, ...], issuers: KnownIssuers, allow_self_signed: bool
) -> Finding | None:
    if len(chain) == 1 and not anatomy.is_self_signed(chain[0]):
        chain = issuers.complete(chain[0])
        if not issuers.reaches_root(chain):
            text = "a resumed session shows no chain and its CA is not known; wanted: a full handshake"
            return broken("chain-unseen", text)
    trusted = issuers.may_stand_alone(chain[0]) if len(chain) == 1 else issuers.reaches_root(chain)
    if not trusted:
        return broken("root-untrusted", "the root is no longer trusted; wanted: a chain to a root of today")
    reason = refusal(chain, allow_self_signed=allow_self_signed)
    if reason is None:
        issuers.remember(chain[1:])
    return reason


def _encoded(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def verified_chain(session: TlsSession) -> tuple[x509.Certificate, ...]:
    """Chain that OpenSSL verified, leaf first, root last; empty for a resumed session."""
    return tuple(certificate_of(encoded) for encoded in verified_encodings(session))
