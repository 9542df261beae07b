"""The addresses that the names of listeners have now; one without an answer holds up no other. A shell."""

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Hashable
from typing import Any, Final

from sep2_server.notifications.hosts import Address
from sep2_server.notifications.posting import DeliveryError, Endpoint, HeldUpError

AT_ONCE: Final = 16
"""Names that are looked up at the same time, each in a thread: the system waits long for some of them."""
PATIENCE_S: Final = 2.0
"""How long a name waits to be looked up; its listener has other things to do than to wait with it."""


class Names:
    """Looks names up, one at a time for each subscriber."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)
        self._of: dict[Hashable, tuple[str, asyncio.Future[list[Any]]]] = {}

    async def addresses(
        self, endpoint: Endpoint, who: Hashable, patience_s: float = PATIENCE_S
    ) -> list[Address]:
        """The addresses that a host has now, for a subscriber. DeliveryError where it has none.

        Whoever gives up before there is an answer leaves the question open: the next one of the same
        subscriber shares it, or waits for its end. HeldUpError where that takes longer than `patience_s`.
        """
        if "%" not in endpoint.host:
            with contextlib.suppress(ValueError):
                return [ipaddress.ip_address(endpoint.host)]
        try:
            async with asyncio.timeout(patience_s):
                asked = await self._asked(endpoint, who)
        except TimeoutError as flaw:
            raise HeldUpError(f"{endpoint.host} waits for other names, which have no answer yet") from flaw
        try:
            found = await asyncio.shield(asked)
        except (OSError, UnicodeError) as flaw:
            raise DeliveryError(f"{endpoint.host} cannot be resolved: {flaw}") from flaw
        return list(dict.fromkeys(ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found))

    async def _asked(self, endpoint: Endpoint, who: Hashable) -> asyncio.Future[list[Any]]:
        """The question for a host, once it may be asked."""
        while True:
            while who in self._of:
                host, asked = self._of[who]
                if host == endpoint.host and not asked.done():
                    return asked
                await asyncio.wait({asked})
            await self._free.acquire()
            if who not in self._of:
                break
            self._free.release()
        asked = asyncio.get_running_loop().create_future()
        self._of[who] = endpoint.host, asked
        asked.add_done_callback(lambda _: self._of.pop(who, None))
        asked.add_done_callback(self._done)
        _look_up(asked, endpoint)
        return asked

    def _done(self, asked: asyncio.Future[list[Any]]) -> None:
        self._free.release()
        asked.exception()  # nobody may be there any more to hear of it


def _look_up(asked: asyncio.Future[list[Any]], endpoint: Endpoint) -> None:
    """Ask the system in a thread of its own, which the end of the process does not wait for."""
    loop = asyncio.get_running_loop()

    def tell(found: list[Any] | None, flaw: Exception | None) -> None:
        if asked.done():
            return
        if flaw is None:
            asked.set_result(found or [])
        else:
            asked.set_exception(flaw)

    def ask() -> None:
        found, error = None, None
        try:
            found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as flaw:
            error = flaw
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, found, error)

    try:
        threading.Thread(target=ask, name="sep2-name", daemon=True).start()
    except RuntimeError as flaw:
        tell(None, OSError(str(flaw)))
