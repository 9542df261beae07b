"""One process that serves both sides of a site, alone or at its place among several."""

import asyncio
import gc
import logging
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

import uvloop

from certs import CertsError
from function_sets import pen_warning
from sep2_server.app import Sep2Server
from sep2_server.operator.side import OperatorSide
from sep2_server.operator.site import Site
from sep2_server.process.hangups import take_hangups
from sep2_server.process.logs import logging_of, set_level
from sep2_server.process.place import Place, alone
from sep2_server.process.service import ServiceManager
from sep2_server.process.sockets import raise_file_limit
from sep2_server.process.supervisor import Tell
from sep2_server.setting_values import SettingsError
from sep2_server.store import Store

log = logging.getLogger(__name__)

GARBAGE_THRESHOLDS: Final = (20_000, 20, 50)
"""Objects of a request are freed when it ends; what is left to the collector is little."""
Reread = Callable[[], Site]
"""Reads the settings of the site again."""


async def serve(
    site: Site,
    *,
    place: Place | None = None,
    tell: Tell,
    ready: Callable[[], None] = lambda: None,
    reread: Reread | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve at a place, alone if none is given, until `stop` is set or the process is told to stop.

    `tell` hears where things are, `ready` is called once all is listened on. SIGHUP: `renew`.
    """
    ending = stop or asyncio.Event()
    here = place or alone(site.server)
    store = Store.of(site.server, is_shared=here.of > 1)
    try:
        async with AsyncExitStack() as running:
            access = running.enter_context(logging_of(site.server, here.meter))
            server = Sep2Server(site.server, store, place=here)
            server.access = access
            await running.enter_async_context(server)
            side = OperatorSide(site.operator, server) if here.is_first else None
            if side is not None:
                await running.enter_async_context(side)
            _on_signals(ending, lambda: renew(server, side, reread or (lambda: site)))
            if side is not None:
                _announce(site, server, side, tell)
            ready()
            await ending.wait()
            await server.stop()
    finally:
        store.close()


def renew(server: Sep2Server, side: OperatorSide | None, reread: Reread) -> bool:
    """Read certificates, keys, roots and settings again; False where they are bad: the old stay in force."""

    def read() -> None:
        site = reread()
        server.renew(site.server)
        set_level(server.settings)
        if side is not None:
            side.renew()

    return attempt(read)


def attempt(read: Callable[[], None]) -> bool:
    """Whether files could be read again; where not, the log says why."""
    try:
        read()
    except (SettingsError, CertsError, OSError) as flaw:
        log.log(logging.ERROR, "Nothing was reloaded: %s", flaw)
        return False
    log.info("Certificates and settings were reloaded")
    return True


def settle_memory() -> None:
    """Look no more for garbage in what is there at the start, and less often in the rest."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def serve_alone(site: Site, *, tell: Tell, reread: Reread, manager: ServiceManager) -> None:
    """Serve as one process until SIGTERM or SIGINT."""
    raise_file_limit()
    settle_memory()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(site, tell=tell, ready=manager.ready, reread=reread))
    manager.stopping()


def _announce(site: Site, server: Sep2Server, side: OperatorSide, tell: Tell) -> None:
    tell(f"devices    https://{site.server.host}:{server.port}/dcap")
    tell(f"operators  {side.url}, token in {side.token_file}")
    warning = pen_warning(site.server.pen)
    if warning:
        tell(f"note       {warning}")


def _on_signals(ending: asyncio.Event, renewed: Callable[[], object]) -> None:
    """Let SIGTERM and SIGINT end the process, and SIGHUP renew it, also one that came before."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    loop.add_signal_handler(signal.SIGHUP, renewed)
    take_hangups()
