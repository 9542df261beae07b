"""The task that reads a server: discovery, polling, clock, back-off. It decides nothing about devices."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from der_client.client_event import Tell, What
from der_client.discovery import Identity, Want, is_elsewhere
from der_client.errors import ExchangeError, MissingError, RefusedError, UnreachableError, WrongServerError
from der_client.server_clock import ServerClock
from der_client.session import Session
from der_client.shelf import Shelf
from der_client.timing import Backoff
from der_client.view import ServerView, pin_flaw
from der_client.watched import Watched
from schemas import Registration, Time

log = logging.getLogger(__name__)

LOST_POLLS: Final = 3


class Poller:
    """Keeps `view` and `clock` as the server has them. Owned by one client."""

    def __init__(
        self,
        session: Session,
        identity: Identity,
        clock: Watched[ServerClock | None],
        *,
        tell: Tell,
        spread: Callable[[], float],
        local_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = session.settings
        self.view: Watched[ServerView | None] = Watched(None)
        self.clock = clock
        self._session = session
        self._tell = tell
        self._spread = spread
        self._local_s = local_s
        self._shelf = Shelf(self.settings.uri, identity, floor_s=self.settings.poll_floor_s)
        self.backoff = Backoff(first_s=self.settings.retry_first_s, most_s=self.settings.retry_most_s)
        self._failures = 0
        self._heard_s = local_s()
        self._wake = asyncio.Event()
        self._rediscover = False

    async def run(self) -> None:
        """Read what is missing or due, for ever."""
        while True:
            if self._rediscover:
                self._restart("asked for")
            want = self._shelf.next(self._local_s())
            if want is None:
                await self._pause(self._shelf.wait_s(self._local_s()))
            else:
                await self._poll(want)

    def request_rediscovery(self) -> None:
        """Walk again from DeviceCapability: a URI that others use is gone."""
        self._rediscover = True
        self._wake.set()

    def silent_share(self) -> float:
        """How long the server has been silent, as a share of the time after which it counts as lost."""
        limit_s = max(LOST_POLLS * self._shelf.longest_poll_s(), self.settings.lost_after_s)
        return (self._local_s() - self._heard_s) / limit_s if self._failures else 0.0

    async def _poll(self, want: Want) -> None:
        """Read one resource and deal with what can go wrong."""
        try:
            await self._read(want)
        except MissingError as error:
            await self._missing(want, error)
        except UnreachableError as error:
            await self._unreachable(error)
            self._pass_over(want, error)
        except RefusedError as error:
            await self._refused(want, error)
        except WrongServerError as error:
            log.warning("server not used: %s", error)
            self._tell(What.WRONG_PIN, str(error), href=want.href)
            self.view.set(ServerView())
            self._shelf.restart()
            await self._pause(self.settings.retry_most_s)
        else:
            self._heard()
            self._publish()

    async def _read(self, want: Want) -> None:
        if want.type is Time:
            found, sent_s, received_s = await self._session.get_timed(want.href, Time)
            self._set_clock(found.currentTime, sent_s, received_s)
            self._shelf.put(want.href, found, received_s, self._spread())
            return
        resource = await self._session.get(want.href, want.type)
        self._shelf.put(want.href, resource, self._local_s(), self._spread())
        if isinstance(resource, Registration):
            flaw = pin_flaw(ServerView(registration=resource), self.settings.pin)
            if flaw:
                raise WrongServerError(flaw)

    def _set_clock(self, server_s: int, sent_s: float, received_s: float) -> None:
        known = self.clock.value
        if known is None:
            self.clock.set(ServerClock.first(server_s, sent_s, received_s))
        else:
            self.clock.set(known.observed(server_s, sent_s, received_s))

    def _publish(self) -> None:
        view = self._shelf.view()
        if view is None or view == self.view.value:
            return
        if self.view.value is None or view.is_registered != self.view.value.is_registered:
            words = "registered" if view.is_registered else "not registered"
            text = f"{words} at the server, {len(view.programs)} DERPrograms"
            log.info("%s", text)
            self._tell(What.DISCOVERED, text, href=self._shelf.root)
        self.view.set(view)

    async def _missing(self, want: Want, error: MissingError) -> None:
        """Rediscover where a known URI is gone; go on without one that was never there."""
        if want.href == self._shelf.root:
            await self._unreachable(error)
            return
        self._heard()
        if self._shelf.miss(want.href, self._local_s(), self._spread()):
            self._restart(f"{want.href} is gone")
        else:
            log.warning("the server links to %s and does not have it", want.href)
            self._publish()

    async def _refused(self, want: Want, error: RefusedError) -> None:
        log.warning("refused: %s", error)
        if want.href == self._shelf.root or self._is_garbled(want, error):
            await self._unreachable(error)
            return
        self._heard()
        self._shelf.postpone(want.href, self._local_s(), self._spread())
        self._publish()

    def _is_garbled(self, want: Want, error: RefusedError) -> bool:
        """True for nonsense in the place of what was known before a rediscovery: nothing was withdrawn."""
        view = self.view.value
        was_known = view is not None and want.href in view.wants and not self._shelf.holds(want.href)
        return was_known and (error.status is None or error.status < 300)

    async def _unreachable(self, error: ExchangeError) -> None:
        self._failures += 1
        if self._failures == 1:
            log.warning("server does not answer: %s", error)
            self._tell(What.SERVER_LOST, str(error), href=error.href)
        await self._pause(self.backoff.wait_s(self._failures, self._spread()))

    def _pass_over(self, want: Want, error: UnreachableError) -> None:
        """Go on without a resource that fails, or with what is held of it: others get their turn."""
        is_its_own = error.status is not None and want.href != self._shelf.root
        may_wait = is_elsewhere(self._shelf.root, want.href) or (is_its_own and self._shelf.holds(want.href))
        if may_wait and self._failures >= LOST_POLLS:
            self._shelf.postpone(want.href, self._local_s(), self._spread())

    def _heard(self) -> None:
        self._heard_s = self._local_s()
        if self._failures:
            self._failures = 0
            log.info("server answers again")
            self._tell(What.SERVER_BACK, "server answers again")

    def _restart(self, why: str) -> None:
        log.info("rediscovery from %s: %s", self._shelf.root, why)
        self._tell(What.REDISCOVERY, why, href=self._shelf.root)
        self._rediscover = False
        self._session.forget_moves()
        self._shelf.restart()

    async def _pause(self, wait_s: float) -> None:
        """Wait for the time to pass, or for a request to rediscover."""
        self._wake.clear()
        if self._rediscover:
            return
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            return
