"""A server of several processes: what the parent makes for them, and what each of them does with it."""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import chain
from typing import Self

import uvloop

from certs import CertsError, HeldTls, listen
from sep2_server.commit_marks import CommitMarks
from sep2_server.errors import StoreError
from sep2_server.operator.api import PlainHttpError
from sep2_server.operator.errors import AuditFailed
from sep2_server.operator.site import Site
from sep2_server.process.boards import Boards
from sep2_server.process.families import lasting
from sep2_server.process.life import Life
from sep2_server.process.logs import direct_logging
from sep2_server.process.meter import Meter
from sep2_server.process.place import Place, shared_tls, tls_files
from sep2_server.process.service import ServiceManager
from sep2_server.process.serving import Reread, attempt, serve, settle_memory
from sep2_server.process.sockets import raise_file_limit
from sep2_server.process.supervisor import Duties, Supervisor, Tell
from sep2_server.setting_values import SettingsError
from sep2_server.settings import reloaded

REFUSED = 1
WRONG_USAGE = 2

log = logging.getLogger(__name__)


def serve_with_workers(site: Site, *, tell: Tell, reread: Reread, manager: ServiceManager) -> int:
    """Serve with as many processes as the settings say until SIGTERM or SIGINT; the exit code."""
    raise_file_limit()
    settle_memory()
    workshop = Workshop.open(site, reread)
    duties = Duties(
        work=workshop.work,
        say=tell,
        renew=lambda: attempt(workshop.renew),
        close=workshop.close,
        shutdown_s=lambda: workshop.site.server.shutdown_s,
        silence_s=workshop.boards.age_s,
        manager=manager,
    )
    with direct_logging(site.server):
        return Supervisor(site.server.workers, duties).run()


@dataclass(slots=True, kw_only=True)
class Workshop:
    """What workers get from their parent; `site` as it was read last, as far as a reload goes.

    One socket for each worker on the port of devices: they stay open in the parent while a worker is
    replaced, so that no connection is refused meanwhile. One TLS context, so that a session resumes on any.
    """

    site: Site
    reread: Reread
    tls: HeldTls
    sockets: list[list[socket.socket]]
    operator_sockets: list[socket.socket]
    boards: Boards
    marks: CommitMarks

    @classmethod
    def open(cls, site: Site, reread: Reread) -> Self:
        """Read the certificates and listen. CertsError or OSError say why that cannot be."""
        settings = site.server
        tls = shared_tls(settings)
        _require_free(settings.host, settings.port)
        first = listen(settings.host, settings.port, shared=True)
        port = first[0].getsockname()[1]
        further = (listen(settings.host, port, shared=True) for _ in range(settings.workers - 1))
        return cls(
            site=site,
            reread=reread,
            tls=tls,
            sockets=[first, *further],
            operator_sockets=listen(site.operator.host, site.operator.port),
            boards=Boards.create(settings.workers),
            marks=CommitMarks(settings.workers),
        )

    def work(self, number: int, tell: Tell, ready: Callable[[], None]) -> int:
        """Be a worker, in a process of its own; the exit code, after a line about what failed."""
        _close(chain.from_iterable(group for other, group in enumerate(self.sockets) if other != number))
        if number:
            _close(self.operator_sockets)
        place = Place(
            tls=self.tls,
            reads_files=False,
            number=number,
            of=len(self.sockets),
            sockets=self.sockets[number],
            operator_sockets=() if number else self.operator_sockets,
            boards=self.boards,
            marks=self.marks,
            meter=Meter(lasting(self.boards.read(number)[1])),
        )
        life = Life(ServiceManager(None), ready)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(serve(self.site, place=place, tell=tell, life=life, reread=self.reread))
            life.ended()
        except (StoreError, CertsError, AuditFailed, OSError, SettingsError, PlainHttpError) as flaw:
            log.log(logging.ERROR, "Worker %s cannot serve: %s", number, flaw)
            return WRONG_USAGE if isinstance(flaw, SettingsError | PlainHttpError) else REFUSED
        return 0

    def renew(self) -> None:
        """Read the files again for all workers. CertsError or SettingsError: all stays."""
        server = reloaded(self.site.server, self.reread().server)
        self.tls.renew(tls_files(server))
        self.site = replace(self.site, server=server)

    def close(self) -> None:
        """Listen no longer, as far as this process goes."""
        _close(chain(chain.from_iterable(self.sockets), self.operator_sockets))


def _require_free(host: str, port: int) -> None:
    """OSError where others listen at a port, also such as share it: they would get half of the devices."""
    if port:
        _close(listen(host, port))


def _close(sockets: Iterable[socket.socket]) -> None:
    for one in sockets:
        one.close()
