"""Where one process of a server stands among the others, and what it was handed when it was made."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from certs import HeldTls, LearntIssuers, TlsFiles
from sep2_server.commit_marks import CommitMarks
from sep2_server.process.boards import Boards
from sep2_server.process.meter import Meter
from sep2_server.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A worker's number (0 is the first), how many there are, and what they share.

    The first carries what a server has once: the operator API, and the redirection of plain HTTP.
    Without sockets the process makes its own. `reads_files`: no parent reads those of the certificate.
    """

    tls: HeldTls
    number: int = 0
    of: int = 1
    sockets: Sequence[socket.socket] = ()
    operator_sockets: Sequence[socket.socket] = ()
    boards: Boards | None = None
    marks: CommitMarks | None = None
    meter: Meter = field(default_factory=Meter)
    reads_files: bool = True

    @property
    def is_first(self) -> bool:
        """Whether this process carries what there is once."""
        return self.number == 0

    def renewed(self, settings: Settings) -> Settings:
        """Use the files of the certificate as they now are, `in_force`. CertsError: all stays."""
        if self.reads_files:
            self.tls.renew(tls_files(settings))
        else:
            self.tls.follow()
        return self.in_force(settings)

    def in_force(self, settings: Settings) -> Settings:
        """Settings that name what is in force, whatever stands now in the files that were named."""
        files = self.tls.files
        return replace(
            settings,
            certificate=files.certificate,
            key=files.key,
            roots=files.roots,
            extra_trusted=tuple(map(str, files.extra_trusted)),
        )


def alone(settings: Settings) -> Place:
    """The place of a server that is one process. CertsError for files that cannot be used."""
    return Place(tls=HeldTls(tls_files(settings)))


def shared_tls(settings: Settings) -> HeldTls:
    """TLS for processes that are yet to fork, with the issuers that they tell each other."""
    return HeldTls(tls_files(settings), LearntIssuers.create())


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
