"""One process that serves both sides of a site, alone or at its place among several."""

import asyncio
import gc
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Final

import uvloop

from certs import CertsError
from function_sets import pen_warning
from sep2_server.app import Sep2Server
from sep2_server.operator.side import OperatorSide
from sep2_server.operator.site import Site
from sep2_server.process.hangups import take_hangups
from sep2_server.process.life import Life
from sep2_server.process.logs import logging_of, set_level
from sep2_server.process.place import Place, alone
from sep2_server.process.pulse import Pulse
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
    life: Life | None = None,
    reread: Reread | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve at a place, alone if none is given, until `stop` is set or the process is told to stop.

    `tell` hears where things are, `life` how this process is. SIGHUP: `renew`.
    """
    ending = stop or asyncio.Event()
    life = life or Life(ServiceManager(None))
    here = place or alone(site.server)
    async with AsyncExitStack() as held:
        access = held.enter_context(logging_of(site.server, here.meter))
        store = Store.of(site.server, is_shared=here.of > 1, marks=here.marks, process=here.number)
        held.callback(store.close)
        async with AsyncExitStack() as running:
            server = Sep2Server(site.server, store, place=here)
            server.access = access
            await running.enter_async_context(server)
            side = OperatorSide(site.operator, server) if here.is_first else None
            if side is not None:
                await running.enter_async_context(side)
            _on_signals(ending, lambda: _renew_told(life, server, side, reread or (lambda: site)))
            if side is not None:
                _announce(site, server, side, tell)
            life.ready()
            running.enter_context(signs_of(life))
            await ending.wait()
            life.ending(server.settings.shutdown_s, server.unfinished)
            await server.stop()


@contextmanager
def signs_of(life: Life) -> Iterator[None]:
    """While open, the loop gives signs of its life: from no other thread, as the loop alone can hang."""
    pulse = Pulse(life.alive, life.beat_s)
    pulse.start()
    try:
        yield
    finally:
        pulse.stop()


def _renew_told(life: Life, server: Sep2Server, side: OperatorSide | None, reread: Reread) -> None:
    life.reloading()
    renew(server, side, reread)
    life.reloaded()


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
    life = Life(manager)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(site, tell=tell, life=life, reread=reread))
    life.ended()


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
