"""The tasks that send what the spool holds, one EndDevice beside another."""

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from itertools import count

import pytest

from der_client.discovery import Identity
from der_client.errors import ExchangeError, MissingError, UnreachableError
from der_client.outbox import MOST_TRIES, Outbox, Way
from der_client.poller import Poller
from der_client.session import Session
from der_client.shelf import Party
from der_client.spool import Lane, Owed, Spool, owed
from der_client.upstream import Upstream
from der_client.view import ServerView
from der_client.watched import Watched
from schemas import EndDevice
from tests.integration.client.harness import CODEC, Site
from tests.integration.client.stepped import tell_nobody

NAMES = ("A", "B", "C")
PATIENCE_S = 10.0


class Line:
    """A server that answers A late, is not found by B and then never answers it, and takes what C sends."""

    def __init__(self) -> None:
        self.tries: Counter[str] = Counter()
        self.answered = asyncio.Event()
        self.was_not_found = asyncio.Event()
        self.c_got_through = asyncio.Event()
        self._never = asyncio.Event()

    async def first(self, one: Owed) -> None:
        """A: the answer comes late."""
        self.tries["A"] += 1
        await self.answered.wait()

    async def second(self, one: Owed) -> None:
        """B: no connection, then one that hangs."""
        self.tries["B"] += 1
        if self.tries["B"] == 1:
            self.was_not_found.set()
            raise UnreachableError(one.href, "no connection")
        await self._never.wait()

    async def third(self, one: Owed) -> None:
        """C: it is taken."""
        self.tries["C"] += 1
        self.c_got_through.set()


async def test_an_exchange_that_hangs_holds_up_no_other_once_the_server_is_back(site: Site) -> None:
    line, spool = Line(), Spool(site.settings.spool)
    server = replace(site.settings.server, retry_first_s=120.0, retry_most_s=120.0)
    parties = [Party(identity=Identity(lfdi=name, sfdi=0), is_principal=False) for name in NAMES]
    async with Session(server, CODEC) as session:
        poller = Poller(session, parties, Watched(None), tell=tell_nobody, spread=lambda: 0.0)
        ways = {}
        for number, (name, send) in enumerate(zip(NAMES, (line.first, line.second, line.third), strict=True)):
            poller.views[number].set(ServerView(end_device=EndDevice(sFDI=0, changedTime=0)))
            part = spool.of(name)
            upstream = Upstream(
                session=session,
                poller=poller,
                spool=part,
                tell=tell_nobody,
                lfdi=name,
                spread=lambda: 0.0,
                local_s=asyncio.get_running_loop().time,
                party=number,
            )
            ways[name] = Way(upstream=upstream, send=send)
            part.owe(owed(Lane.RESPONSE, "/r", name, b"x"))
        sending = asyncio.create_task(Outbox(Lane.RESPONSE, spool, ways).run(Watched(0)))
        async with asyncio.timeout(PATIENCE_S):
            await line.was_not_found.wait()
            await asyncio.to_thread(spool.count, Lane.RESPONSE)
            line.answered.set()
            await line.c_got_through.wait()
        sending.cancel()
        await asyncio.wait({sending})
    spool.close()

    assert line.tries == {"A": 1, "B": 2, "C": 1}


class LateSpool(Spool):
    """A spool that needs longer to find nothing than anybody is put off for."""

    passed_s = 0.0

    def next(self, lane: Lane, besides: Collection[str] = ()) -> Owed | None:
        found = super().next(lane, besides)
        self.passed_s += 0.0 if found else 1_000.0
        return found


async def test_what_was_put_off_is_tried_though_its_time_came_while_the_spool_was_asked(site: Site) -> None:
    line, spool = Line(), LateSpool(site.settings.spool)
    async with Session(site.settings.server, CODEC) as session:
        party = Party(identity=Identity(lfdi="B", sfdi=0))
        poller = Poller(session, [party], Watched(None), tell=tell_nobody, spread=lambda: 0.0)
        poller.views[0].set(ServerView(end_device=EndDevice(sFDI=0, changedTime=0)))
        upstream = Upstream(
            session=session,
            poller=poller,
            spool=spool,
            tell=tell_nobody,
            lfdi="B",
            spread=lambda: 0.0,
            local_s=lambda: spool.passed_s,
        )
        spool.owe(owed(Lane.RESPONSE, "/r", "B", b"x"))
        ways = {"": Way(upstream=upstream, send=line.second)}
        sending = asyncio.create_task(Outbox(Lane.RESPONSE, spool, ways).run(Watched(0)))
        async with asyncio.timeout(PATIENCE_S):
            while line.tries["B"] < 2:
                await asyncio.to_thread(spool.count, Lane.RESPONSE)
        sending.cancel()
        await asyncio.wait({sending})
    spool.close()


class Moody:
    """A server that answers each try with the next of some errors, and takes what comes after them."""

    def __init__(self, *errors: ExchangeError) -> None:
        self.errors = list(errors)
        self.is_taken = False

    async def send(self, one: Owed) -> None:
        """One try."""
        if self.errors:
            raise self.errors.pop(0)
        self.is_taken = True


MISSING = MissingError("/r", "404", 404)
BUSY = UnreachableError("/r", "HTTP status 503", 503)


@pytest.mark.parametrize(
    ("errors", "is_taken"),
    [
        ([BUSY] * MOST_TRIES + [MISSING], True),
        ([MISSING] * (MOST_TRIES - 1), True),
        ([MISSING] * MOST_TRIES, False),
    ],
)
async def test_tries_of_a_missing_uri_alone_count_where_no_rediscovery_ends(
    site: Site, errors: list[ExchangeError], is_taken: bool
) -> None:
    server, spool, passed_s = Moody(*errors), Spool(site.settings.spool), count(0.0, 1_000.0)
    async with Session(site.settings.server, CODEC) as session:
        party = Party(identity=Identity(lfdi="A", sfdi=0))
        poller = Poller(session, [party], Watched(None), tell=tell_nobody, spread=lambda: 0.0)
        poller.views[0].set(ServerView(end_device=EndDevice(sFDI=0, changedTime=0)))
        poller.request_rediscovery()
        upstream = Upstream(
            session=session,
            poller=poller,
            spool=spool,
            tell=tell_nobody,
            lfdi="A",
            spread=lambda: 0.0,
            local_s=lambda: next(passed_s),
        )
        spool.owe(owed(Lane.RESPONSE, "/r", "A", b"x"))
        ways = {"": Way(upstream=upstream, send=server.send)}
        sending = asyncio.create_task(Outbox(Lane.RESPONSE, spool, ways).run(Watched(0)))
        async with asyncio.timeout(PATIENCE_S):
            while await asyncio.to_thread(spool.count, Lane.RESPONSE):
                pass
        sending.cancel()
        await asyncio.wait({sending})
    spool.close()

    assert (server.is_taken, server.errors) == (is_taken, [])
