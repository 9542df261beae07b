"""Where one process of a server stands among the others, and what it was handed when it was made."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from certs import LearntIssuers, ServerTls, TlsFiles
from sep2_server.process.boards import Boards
from sep2_server.process.meter import Meter
from sep2_server.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A worker's number (0 is the first), how many there are, and what they share.

    The first carries what a server has once: the operator API, and the redirection of plain HTTP.
    Without sockets the process makes its own.
    """

    tls: ServerTls
    number: int = 0
    of: int = 1
    sockets: Sequence[socket.socket] = ()
    operator_sockets: Sequence[socket.socket] = ()
    boards: Boards | None = None
    meter: Meter = field(default_factory=Meter)

    @property
    def is_first(self) -> bool:
        """Whether this process carries what there is once."""
        return self.number == 0


def alone(settings: Settings) -> Place:
    """The place of a server that is one process. CertsError for files that cannot be used."""
    return Place(tls=ServerTls(tls_files(settings)))


def shared_tls(settings: Settings) -> ServerTls:
    """TLS for processes that are yet to fork, with the issuers that they tell each other."""
    return ServerTls(tls_files(settings), LearntIssuers.create())


def tls_files(settings: Settings) -> TlsFiles:
    """The files that the settings name."""
    return TlsFiles(
        certificate=settings.certificate,
        key=settings.key,
        roots=settings.roots,
        strict=settings.profile.strict_tls,
        allow_self_signed=settings.profile.allow_self_signed,
        extra_trusted=settings.extra_trusted_paths,
        client_certificate_required=not settings.lets_in_without_certificate,
    )
