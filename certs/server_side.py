"""TLS of a running server: context and known issuers, renewed while connections live."""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from certs.context import operator_context, renew_own, renew_server_context, server_context
from certs.files import read_chain
from certs.identity import LFDI, lfdi_of
from certs.learnt import LearntIssuers
from certs.peer import KnownIssuers


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """What `server_context` is made from."""

    certificate: Path
    key: Path
    roots: Path
    strict: bool = False
    allow_self_signed: bool = False
    extra_trusted: tuple[Path, ...] = ()
    client_certificate_required: bool = True


class ServerTls:
    """One TLS context with its issuers; processes that fork after it was made resume each other's sessions.

    `certificate` is the one that new handshakes present.
    """

    def __init__(self, files: TlsFiles, learnt: LearntIssuers | None = None) -> None:
        """Read the files. CertsError for those that cannot be used."""
        self.files = files
        self.context = server_context(
            files.certificate,
            files.key,
            files.roots,
            strict=files.strict,
            allow_self_signed=files.allow_self_signed,
            extra_trusted=files.extra_trusted,
            client_certificate_required=files.client_certificate_required,
        )
        self.certificate = read_chain(files.certificate)[0]
        self.issuers = KnownIssuers(read_chain(files.roots), self_signed=_self_signed(files), learnt=learnt)
        self.issuers.remember(read_chain(files.certificate))

    @property
    def lfdi(self) -> LFDI:
        """Of `certificate`."""
        return lfdi_of(self.certificate)

    def renew(self, files: TlsFiles | None = None) -> None:
        """Use what now stands in the files for every later handshake; open connections live on.

        All is read and checked before anything changes: a CertsError leaves the old in force. A root that is
        no longer named is refused after the handshake, because OpenSSL cannot forget one. Sessions
        made before still resume where the client's path still ends at a root.
        """
        fresh = ServerTls(files or self.files)
        named = fresh.files
        roots, alone, own = read_chain(named.roots), _self_signed(named), read_chain(named.certificate)
        extra = named.extra_trusted if named.allow_self_signed else ()
        renew_server_context(self.context, named.certificate, named.key, named.roots, extra)
        self.issuers.trust(roots, self_signed=alone)
        self.issuers.remember(own)
        self.files, self.certificate = named, fresh.certificate


class OperatorTls:
    """TLS of a running operator API: a context whose certificate can be renewed."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Read the files. CertsError for those that cannot be used."""
        self.context = operator_context(certificate, key)

    def renew(self, certificate: Path, key: Path) -> None:
        """Present what now stands in these files from the next handshake on; a CertsError changes nothing."""
        operator_context(certificate, key)
        renew_own(self.context, certificate, key)


def _self_signed(files: TlsFiles) -> list[x509.Certificate]:
    return [read_chain(path)[0] for path in files.extra_trusted] if files.allow_self_signed else []
