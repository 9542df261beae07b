"""Who the peers of a client are: plain ones without the library of certificates, all others with it."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from certs.findings import Finding
from certs.identity import LFDI, lfdi_of_encoding
from certs.plain import is_plain, is_plain_certificate
from certs.session import TlsSession, encodings_of, verified_encodings

if TYPE_CHECKING:
    from certs.peer import KnownIssuers

MOST_SEEN: Final = 64
"""CAs that are remembered; those of all servers of a client are few."""


class PeerJudge:
    """Says of each finished handshake who the peer is, or why it is to be refused, by the rules of 6.11.

    A peer whose chain is plain and ends at a root costs neither the time nor the memory of a library of
    certificates; that is loaded with the first that is not, or that resumes a session.
    """

    def __init__(self, roots: Path, *chains: Path) -> None:
        """Trust the roots in a PEM file; the CAs in further files are known for sessions that are resumed.

        NotThereError or UnreadableError for files that cannot be used.
        """
        found = [encodings_of(path.read_bytes()) if path.is_file() else () for path in (roots, *chains)]
        self._roots = frozenset(found[0])
        self._seen: dict[bytes, None] = {}
        self._issuers: KnownIssuers | None = None
        if all(found) and all(is_plain_certificate(one) for chain in found for one in chain):
            self._remember(one for chain in found[1:] for one in chain)
        else:
            self._issuers = _issuers_of(roots, chains)

    def judged(self, session: TlsSession) -> tuple[LFDI | None, Finding | None]:
        """Who the peer is, or why to refuse it; neither for a peer without a certificate."""
        if self._issuers is None:
            chain = verified_encodings(session)
            if chain and chain[-1] in self._roots and is_plain(chain):
                self._remember(chain[1:])
                return lfdi_of_encoding(chain[0]), None
        return self._judged_by_all(session)

    def _remember(self, issuers: Iterable[bytes]) -> None:
        """Keep the CAs of a chain for a session that is resumed later; of the latest 64."""
        for encoded in issuers:
            self._seen.pop(encoded, None)
            self._seen[encoded] = None
        while len(self._seen) > MOST_SEEN:
            del self._seen[next(iter(self._seen))]

    def _judged_by_all(self, session: TlsSession) -> tuple[LFDI | None, Finding | None]:
        from certs.peer import KnownIssuers, judged_peer  # noqa: PLC0415 - loads the library of certificates
        from certs.reading import certificate_of  # noqa: PLC0415 - as does this

        if self._issuers is None:
            self._issuers = KnownIssuers(certificate_of(encoded) for encoded in self._roots)
            self._issuers.remember(certificate_of(encoded) for encoded in self._seen)
        identity, reason = judged_peer(session, self._issuers)
        return (None, reason) if reason is not None or identity is None else (identity.lfdi, None)


def _issuers_of(roots: Path, chains: Iterable[Path]) -> "KnownIssuers":
    from certs.peer import KnownIssuers  # noqa: PLC0415 - loads the library of certificates

    return KnownIssuers.from_files(roots, *chains)
