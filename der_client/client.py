"""The clients: of one EndDevice, and of an aggregator with many. What they share, wired; no rule is here."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import Final

from der_client.client_event import ClientEvent, OnEvent, Tell, What
from der_client.crowd import Crowd
from der_client.device import Device, WrittenPoint
from der_client.entry import Entry
from der_client.identity import identity_of
from der_client.local_control import LocalControl, socket_path
from der_client.member import Member, Queues, Ways
from der_client.opting import Choice
from der_client.outbox import Outbox
from der_client.plants import Plant, parties_of, require_timely_meters
from der_client.poller import Poller
from der_client.profiles import profile_named
from der_client.registrar import Registrar
from der_client.server_clock import ServerClock
from der_client.session import Session
from der_client.settings import ClientSettings
from der_client.site_desk import Meter
from der_client.spool import Lane, Spool
from der_client.starts import Starts
from der_client.subscriber import Subscriber
from der_client.upstream import Upstream
from der_client.watched import Watched
from schemas import Codec, MirrorUsagePointList

log = logging.getLogger(__name__)

RANDOM: Final = random.SystemRandom()
LFDI: Final = "lfdi"
"""Name in the spool of the LFDI of an EndDevice that the settings name by its SFDI."""


class AggregatorClient:
    """An IEEE 2030.5 client of many EndDevices with one certificate: `run` until cancelled.

    Devices' reversion timers stay armed then. Each plant is found in the EndDeviceList that the server shows
    to the certificate; what its EndDevices have in common is polled once. `on_event` is called with what a
    person would ask about; it must not block. `local_s` is a monotonic clock, `spread` gives random
    numbers from 0 to 1 for jitter and randomized events.
    """

    def __init__(
        self,
        settings: ClientSettings,
        plants: Sequence[Plant],
        *,
        on_event: OnEvent | None = None,
        local_s: Callable[[], float] = time.monotonic,
        spread: Callable[[], float] = RANDOM.random,
    ) -> None:
        self.settings = settings
        self.identity = identity_of(settings.server.certificate)
        self._plants = tuple(plants)
        site = settings.safety.site
        require_timely_meters(self._plants, settings.control.period_s, site.meter_stale_s)
        is_listed = profile_named(settings.profile).lists_mirrors
        also = settings.follows | ({MirrorUsagePointList} if is_listed else set())
        self._parties = parties_of(self._plants, self.identity, settings.server.pin, also=also)
        self._on_event = on_event
        self._local_s = local_s
        self._spread = spread
        self._crowd = Crowd()
        self._clock = Watched[ServerClock | None](None)
        self._members: list[Member] = []
        self._choices: list[Choice] = []
        self._starts = Starts(self._clock, local_s)

    async def run(self) -> None:
        """Discover, follow, control and report, for ever."""
        spool = await asyncio.to_thread(Spool, self.settings.spool)
        try:
            codec = Codec(profile_named(self.settings.profile).schema)
            async with Session(self.settings.server, codec, local_s=self._local_s) as session:
                await self._run(session, spool)
        finally:
            self._members.clear()
            self._choices.clear()
            await spool.settled()
            await asyncio.to_thread(spool.close)

    def now_s(self) -> float:
        """Server time, s since 1970 UTC; the system's while the server's is not known."""
        clock = self._clock.value
        return time.time() if clock is None else clock.time_s(self._local_s())

    async def opt_out(
        self, mrid: str | None = None, until: int | None = None, *, end_device: str | None = None
    ) -> None:
        """Leave one event, or all (None), alone until server time `until`, s, or until `opt_in`.

        For a local operator, for one EndDevice (LFDI) or all of them (None); kept on disk. Before `run` it
        is kept for the start, as for EndDevices whose LFDI is not known yet. IEEE 2030.5-2018, 10.2.3.
        """
        await self._opt(Choice(is_out=True, mrid=mrid, until=until, end_device=end_device))

    async def opt_in(self, mrid: str | None = None, *, end_device: str | None = None) -> None:
        """Take part in one event, or in all (None), again."""
        await self._opt(Choice(is_out=False, mrid=mrid, end_device=end_device))

    async def _opt(self, choice: Choice) -> None:
        if len(self._members) < len(self._plants):
            self._choices.append(choice)
        for member in [one for one in self._members if choice.is_for(one.lfdi)]:
            await member.opt(choice)

    async def _run(self, session: Session, spool: Spool) -> None:
        poller = Poller(
            session,
            self._parties,
            self._clock,
            tell=self._tell,
            spread=self._spread,
            local_s=self._local_s,
            find=Entry(session, profile_named(self.settings.profile)).find,
        )
        queues = Queues(responses=Watched(0), records=Watched(0))
        ways: Ways = {lane: {} for lane in Lane}
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(poller.run(), name="poller")
            tasks.create_task(self._starts.run(), name="starts")
            tasks.create_task(self._local_control().run(), name="local control")
            waiting = []
            for number, plant in enumerate(self._plants):
                upstream = await self._upstream(session, poller, spool, number)
                if upstream is None:
                    waiting.append(number)
                else:
                    await self._member(upstream, plant, queues).start(tasks, ways)
            for number in waiting:
                tasks.create_task(self._later(tasks, number, (session, poller, spool), queues, ways))
            tasks.create_task(_open(poller, queues), name="ways to the server")
            self._send(tasks, spool, ways, queues)
            if self.settings.registration.in_band or any(one.connection_point for one in self._plants):
                registrar = Registrar(session, poller, self._plants, self._tell, settings=self.settings)
                tasks.create_task(registrar.run(), name="registration")
            if self.settings.subscription.host is not None:
                wish = self.settings.subscription
                subscriber = Subscriber(wish, session, poller, spool, self._tell, now_s=self.now_s)
                tasks.create_task(subscriber.run(), name="subscriptions")

    def _local_control(self) -> LocalControl:
        """The channel of a local operator, for all devices."""
        path = socket_path(self.settings.spool)
        return LocalControl(path, lambda: [one for it in self._members for one in it.controllers], self)

    def _member(self, upstream: Upstream, plant: Plant, queues: Queues) -> Member:
        devices = [self._crowd.join(device) for device in plant.devices]
        choices = [choice for choice in self._choices if choice.is_for(upstream.lfdi)]
        member = Member(
            upstream,
            devices,
            self.settings,
            queues,
            meter=plant.meter,
            choices=choices,
            ders=plant.ders,
        )
        member.starts = self._starts
        self._members.append(member)
        return member

    async def _later(
        self,
        tasks: asyncio.TaskGroup,
        number: int,
        shared: tuple[Session, Poller, Spool],
        queues: Queues,
        ways: Ways,
    ) -> None:
        """Begin with a plant that the settings name by SFDI alone once the server has told its LFDI."""
        session, poller, spool = shared
        view, plant = poller.views[number], self._plants[number]
        while True:
            version, seen = view.version, view.value
            if seen is not None and seen.end_device is not None and seen.end_device.lFDI:
                break
            await view.newer(version)
        await asyncio.to_thread(spool.of(plant.owner).remember, LFDI, seen.end_device.lFDI.upper())
        upstream = await self._upstream(session, poller, spool, number)
        if upstream is not None:
            await self._member(upstream, plant, queues).start(tasks, ways)

    async def _upstream(self, session: Session, poller: Poller, spool: Spool, number: int) -> Upstream | None:
        """The way to the server of a plant; None while its LFDI is not known."""
        plant = self._plants[number]
        part = spool.of(plant.owner)
        known: str | None = plant.identity(self.identity).lfdi
        lfdi = known or await asyncio.to_thread(part.recall, LFDI)
        if not lfdi:
            return None
        return Upstream(
            session=session,
            poller=poller,
            spool=part,
            tell=self._teller(lfdi),
            lfdi=lfdi,
            spread=self._spread,
            local_s=self._local_s,
            party=number,
            tick_s=max(1.0, self.settings.control.period_s),
        )

    def _send(self, tasks: asyncio.TaskGroup, spool: Spool, ways: Ways, queues: Queues) -> None:
        """Start the tasks that send what the spool holds."""
        for lane in Lane:
            queued = queues.responses if lane is Lane.RESPONSE else queues.records
            tasks.create_task(Outbox(lane, spool, ways[lane]).run(queued), name=f"outbox {lane}")

    def _teller(self, lfdi: str) -> Tell:
        def tell(
            what: What,
            detail: str,
            *,
            href: str | None = None,
            mrid: str | None = None,
            points: tuple[WrittenPoint, ...] = (),
        ) -> None:
            if self._on_event is not None:
                event = ClientEvent(
                    time_s=self.now_s(),
                    what=what,
                    detail=detail,
                    href=href,
                    mrid=mrid,
                    points=points,
                    lfdi=lfdi,
                )
                self._on_event(event)

        return tell

    def _tell(
        self,
        what: What,
        detail: str,
        *,
        href: str | None = None,
        mrid: str | None = None,
        points: tuple[WrittenPoint, ...] = (),
    ) -> None:
        self._teller("")(what, detail, href=href, mrid=mrid, points=points)


class DERClient(AggregatorClient):
    """An IEEE 2030.5 DER client: one EndDevice, whose `devices` stand in the order of the server's DERList.

    A facility EMS fronts several of them, with the `meter` at their connection point if there is one. All
    else is as with an aggregator.
    """

    def __init__(
        self,
        settings: ClientSettings,
        devices: Sequence[Device],
        *,
        on_event: OnEvent | None = None,
        local_s: Callable[[], float] = time.monotonic,
        spread: Callable[[], float] = RANDOM.random,
        meter: Meter | None = None,
    ) -> None:
        plant = Plant(devices=tuple(devices), meter=meter)
        super().__init__(settings, [plant], on_event=on_event, local_s=local_s, spread=spread)


async def _open(poller: Poller, queues: Queues) -> None:
    """Let the outboxes look again whenever an EndDevice is registered, or not any more."""
    while True:
        version = poller.registered.version
        queues.responses.set(0)
        queues.records.set(0)
        await poller.registered.newer(version)
