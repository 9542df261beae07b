"""The task that reads a server: discovery, polling, clock, back-off. It decides nothing about devices.

One poller serves all EndDevices of a client; each has a view of its own.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from der_client.client_event import Tell, What
from der_client.discovery import Want, is_elsewhere
from der_client.errors import ExchangeError, MissingError, RefusedError, UnreachableError, WrongServerError
from der_client.quiet import until_quiet_is_over
from der_client.server_clock import ServerClock
from der_client.session import Session
from der_client.shelf import Party, Shelf
from der_client.timing import Backoff
from der_client.view import ServerView, pin_flaw
from der_client.watched import Watched
from schemas import DERCurveList, DERList, EndDevice, MirrorUsagePointList, Registration, Resource, Time

log = logging.getLogger(__name__)

LOST_POLLS: Final = 3
DISPENSABLE: Final = (DERList, DERCurveList, MirrorUsagePointList)
"""What a client does without until its next poll, also where it never had it: no event hangs on it."""


class Poller:
    """Keeps the `views` of all parties, in their order, and `clock` as the server has them."""

    def __init__(
        self,
        session: Session,
        parties: Sequence[Party],
        clock: Watched[ServerClock | None],
        *,
        tell: Tell,
        spread: Callable[[], float],
        local_s: Callable[[], float] = time.monotonic,
        find: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self.settings = session.settings
        self.views: list[Watched[ServerView | None]] = [Watched(None) for _ in parties]
        self.clock = clock
        self.registered: Watched[int] = Watched(0)
        """Changes whenever an EndDevice is registered, or is not any more."""
        self.shape: Watched[int] = Watched(0)
        """Changes whenever there is something else to read than before, once all of it was read."""
        self.on_surprise: Callable[[str], None] = lambda _: None
        """Hears of a resource that is polled slowly and has changed all the same."""
        self.on_back: Callable[[], None] = lambda: None
        """Hears that the server answers again."""
        self.spread = spread
        self.local_s = local_s
        self._find = find
        self._is_found = False
        self._session = session
        self._tell = tell
        self.shelf = Shelf(self.settings.uri, parties, floor_s=self.settings.poll_floor_s)
        self.backoff = Backoff(first_s=self.settings.retry_first_s, most_s=self.settings.retry_most_s)
        self._failures = 0
        self._hung: set[str] = set()  # no answer for these, although there was one for others
        self._rate_s = math.inf  # the fastest poll rate as it was when all was known
        self._revision = -1
        self._heard_s = local_s()
        self._lost_s: float | None = None  # silence after which the server is lost, worked out once in it
        self._wake = asyncio.Event()
        self._rediscover: set[int] = set()
        self._known: frozenset[str] = frozenset()
        self._wrong_pins: dict[int, int] = {}

    async def run(self) -> None:
        """Read what is missing or due, for ever; the server itself is looked for while it does not answer."""
        while True:
            if not self._is_found:
                await self._enter()
                continue
            while self._rediscover and not self._failures:
                self._restart("asked for", self._rediscover.pop())
            await until_quiet_is_over()
            want = self.shelf.next(self.local_s())
            if want is None:
                await self._pause(self.shelf.wait_s(self.local_s()))
            else:
                await self._poll(want)

    async def _enter(self) -> None:
        """Find where the server begins."""
        try:
            root = self.settings.uri if self._find is None else await self._find()
        except ExchangeError as error:
            await self._unreachable(error)
        else:
            self._is_found = True
            self.shelf.begin_at(root)

    def request_rediscovery(self, party: int = 0) -> None:
        """Walk again from DeviceCapability for one party: a URI that it uses is gone."""
        self._rediscover.add(party)
        if not self._failures:
            self._wake.set()

    @property
    def is_searching(self) -> bool:
        """Whether a walk through the server is under way or asked for, or the server does not answer."""
        return bool(self._failures or self._rediscover or self.shelf.is_incomplete)

    @property
    def is_answered(self) -> bool:
        """Whether the last poll was answered by the server itself."""
        return not self._failures

    def wake(self) -> None:
        """Look again what is to be read: something is said to have changed."""
        self._wake.set()

    def doubt(self) -> None:
        """Look whether the server answers: something was sent to it in vain, and the next poll may be far."""
        if not self._failures and self.local_s() - self._heard_s > self.settings.poll_floor_s:
            self.shelf.hurry(self.shelf.root)
            self._wake.set()

    def rediscover_users_of(self, href: str) -> None:
        """Walk again for all that use a resource which is elsewhere now."""
        self._rediscover.update(self.shelf.users(href))
        self._wake.set()

    def taken(self, href: str, resource: Resource) -> None:
        """Use a resource that the server sent of its own accord, as if it had been read."""
        if isinstance(resource, EndDevice):
            self.shelf.put_entry(resource)
        else:
            self.shelf.put(href, resource, self.local_s(), self.spread())
        self._heard_s = self.local_s()
        self._publish()
        self._wake.set()

    def silent_share(self) -> float:
        """How long the server has been silent, as a share of the time after which it counts as lost.

        That is the time of three polls, by the fastest rate at which anything is polled.
        """
        if not self._failures:
            return 0.0
        if self._lost_s is None:
            is_known = not self.shelf.is_incomplete or self._rate_s == math.inf
            rate_s = self.shelf.fastest_poll_s() if is_known else self._rate_s
            self._lost_s = max(LOST_POLLS * rate_s, self.settings.lost_after_s)
        return (self.local_s() - self._heard_s) / self._lost_s

    async def _poll(self, want: Want) -> None:
        """Read one resource and deal with what can go wrong."""
        try:
            await self._read(want)
        except MissingError as error:
            await self._missing(want, error)
        except UnreachableError as error:
            await self._unreachable(error)
            await self._pass_over(want, error)
        except RefusedError as error:
            await self._refused(want, error)
        except WrongServerError as error:
            log.debug("server not used: %s", error)
            for view in self.views:
                view.set(ServerView())
            self.registered.set(self.registered.version)
            self.shelf.restart()
            await self._pause(self.settings.retry_most_s)
        else:
            self._hung.discard(want.href)
            self._heard()
            self._publish()

    async def _read(self, want: Want) -> None:
        if want.type is Time:
            found, sent_s, received_s = await self._session.get_timed(want.href, Time)
            if self._is_our_clock(want.href):
                self._set_clock(found.currentTime, sent_s, received_s)
            self.shelf.put(want.href, found, received_s, self.spread())
            return
        resource = await self._session.get(want.href, want.type)
        if self.shelf.put(want.href, resource, self.local_s(), self.spread()):
            self.on_surprise(want.href)
        if isinstance(resource, Registration):
            self._compare_pin(want.href, resource)

    def _compare_pin(self, href: str, registration: Registration) -> None:
        """Bar EndDevices with another PIN; WrongServerError where it is that of the client itself.

        A wrong PIN is told once, and again when it was right meanwhile or is another wrong one.
        """
        for number in self.shelf.users(href):
            party = self.shelf.parties[number]
            flaw = pin_flaw(ServerView(registration=registration), party.pin)
            if flaw is None:
                self._wrong_pins.pop(number, None)
            elif self._wrong_pins.get(number) != registration.pIN:
                self._wrong_pins[number] = registration.pIN
                log.warning("EndDevice %s not used: %s", party.identity.lfdi or party.identity.sfdi, flaw)
                self._tell(What.WRONG_PIN, flaw, href=href)
            if flaw and party.is_principal:
                raise WrongServerError(flaw)
            self.shelf.bar(number, is_barred=flaw is not None)

    def server_time_s(self) -> int:
        """Server time, s since 1970 UTC; the system's while the server's is not known."""
        known = self.clock.value
        return int(time.time()) if known is None else known.now(self.local_s())

    def _is_our_clock(self, href: str) -> bool:
        """Whether events run on this Time: of the FunctionSetAssignments before that of DeviceCapability.

        Where devices have several, it is the first one by its URI, that of an aggregator last. All are until
        it is known which one is. IEEE 2030.5-2018, 10.3 (Time).
        """
        seen = zip(self.shelf.parties, (view.value for view in self.views), strict=True)
        named = [(party.is_principal, view.time_href) for party, view in seen if view and view.time_href]
        held = [one for one in named if self.shelf.resource(one[1]) is not None]
        return not held or href == min(held)[1]

    def _set_clock(self, server_s: int, sent_s: float, received_s: float) -> None:
        known = self.clock.value
        if known is None:
            self.clock.set(ServerClock.first(server_s, sent_s, received_s))
        else:
            self.clock.set(known.observed(server_s, sent_s, received_s))

    def _publish(self) -> None:
        """Put out the views that have changed."""
        for number in self.shelf.take_fresh():
            view, watched = self.shelf.view(number), self.views[number]
            if view is None or view == watched.value:
                continue
            former = watched.value
            watched.set(view)
            if former is None or view.is_registered != former.is_registered:
                self._tell_of(number, view)
                self.registered.set(self.registered.version)
        if not self.shelf.is_incomplete:
            self._rate_s = self.shelf.shortest_poll_s()
        if self.shelf.revision != self._revision and not self.shelf.is_incomplete:
            self._revision = self.shelf.revision
            self.shape.set(self._revision)

    def _tell_of(self, number: int, view: ServerView) -> None:
        party = self.shelf.parties[number]
        who = "" if party.is_principal else f"{party.identity.lfdi or party.identity.sfdi} "
        words = "registered" if view.is_registered else "not registered"
        text = f"{who}{words} at the server, {len(view.programs)} DERPrograms"
        log.info("%s", text)
        self._tell(What.DISCOVERED, text, href=self.shelf.root)

    async def _missing(self, want: Want, error: MissingError) -> None:
        """Rediscover where a known URI is gone; go on without one that was never there."""
        if want.href == self.shelf.root:
            await self._unreachable(error)
            return
        self._heard()
        if self.shelf.miss(want.href, self.local_s(), self.spread()):
            self._restart(f"{want.href} is gone", *self.shelf.users(want.href)[:1])
        else:
            log.warning("the server links to %s and does not have it", want.href)
            self._publish()

    async def _refused(self, want: Want, error: RefusedError) -> None:
        log.warning("refused: %s", error)
        if want.href == self.shelf.root or self._is_garbled(want, error):
            await self._unreachable(error)
            return
        self._heard()
        self.shelf.postpone(want.href, self.local_s(), self.spread())
        self._publish()

    def _is_garbled(self, want: Want, error: RefusedError) -> bool:
        """True for nonsense in the place of what was known before a rediscovery: nothing was withdrawn."""
        was_known = want.href in self._known and not self.shelf.holds(want.href)
        return was_known and (error.status is None or error.status < 300)

    async def _unreachable(self, error: ExchangeError) -> None:
        self._failures += 1
        self._is_found = self._is_found and self._failures % LOST_POLLS != 0
        if self._failures == 1:
            log.warning("server does not answer: %s", error)
            self._tell(What.SERVER_LOST, str(error), href=error.href)
        await self._pause(self._before_next_try_s())

    def _before_next_try_s(self) -> float:
        """How long a server is left alone that does not answer, s: no longer than it asked to be polled.

        One that wants to be read each minute has its controls read within a minute of its return.
        """
        most_s = max(self.settings.retry_first_s, self._rate_s)
        return min(most_s, self.backoff.wait_s(self._failures, self.spread()))

    async def _pass_over(self, want: Want, error: UnreachableError) -> None:
        """Go on without a resource that fails, or with what is held of it: others get their turn.

        One that is never answered may mean that the server is gone: its root says whether it is.
        """
        patience = 1 if want.href in self._hung else LOST_POLLS
        if want.href == self.shelf.root or self._failures < patience:
            return
        may_wait = self.shelf.holds(want.href) or issubclass(want.type, DISPENSABLE)
        if is_elsewhere(self.shelf.root, want.href):
            may_wait = True
        elif may_wait and error.status is None:
            may_wait = await self._has_root()
            self._hung.update([want.href] if may_wait else ())
        if may_wait:
            self.shelf.postpone(want.href, self.local_s(), self.spread())
            self._publish()

    async def _has_root(self) -> bool:
        """Whether the server answers for its DeviceCapability."""
        root = self.shelf.wanted(self.shelf.root)
        if root is None:
            return False
        try:
            await self._read(root)
        except ExchangeError:
            return False
        self._heard()
        return True

    def _heard(self) -> None:
        self._heard_s, self._lost_s = self.local_s(), None
        if self._failures:
            self._failures = 0
            log.info("server answers again")
            self._tell(What.SERVER_BACK, "server answers again")
            self.on_back()

    def _restart(self, why: str, party: int | None = None) -> None:
        log.info("rediscovery from %s: %s", self.shelf.root, why)
        self._tell(What.REDISCOVERY, why, href=self.shelf.root)
        self._session.forget_moves()
        self._known = frozenset(want.href for want, _ in self.shelf.held())
        self.shelf.restart(party)

    async def _pause(self, wait_s: float) -> None:
        """Wait for the time to pass, or for a request to rediscover a server that answers."""
        self._wake.clear()
        if self._rediscover and not self._failures:
            return
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            return
