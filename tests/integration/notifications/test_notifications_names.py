"""Host names of listeners: the address that was checked is connected to, whatever DNS says next."""

import ipaddress
import socket
from collections.abc import AsyncIterator, Callable, Hashable
from pathlib import Path
from typing import Any

import pytest

from certs import Pki
from schemas import FunctionSetAssignmentsList
from sep2_server.notifications import listeners
from sep2_server.notifications.hosts import Address
from sep2_server.notifications.names import Names as OwnNames
from sep2_server.notifications.posting import Endpoint, MisdirectedError
from sep2_server.rows import Role
from tests.integration.notifications.conftest import Subscriber
from tests.integration.notifications.listening import Listener, listening, settled, subscribe, wish
from tests.integration.sep2_harness import Bench, running

NAME = "listener.example"
GOOD, EVIL, CLOSED = "127.0.0.1", "127.0.0.2", "127.0.0.3"
Answers = Callable[[int], list[str]]


class Names:
    """A resolver for one name, whose answers a test decides by the number of the question."""

    def __init__(self, ask: Callable[..., list[Any]]) -> None:
        self.ask = ask
        self.questions = 0
        self.answers: Answers = lambda _: [GOOD]

    def getaddrinfo(self, host: Any, port: Any, *args: Any, **named: Any) -> list[Any]:  # noqa: ANN401
        if host != NAME:
            return self.ask(host, port, *args, **named)
        self.questions += 1
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, (address, port)) for address in self.answers(self.questions)]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    names = Names(socket.getaddrinfo)
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    return names


@pytest.fixture
async def named(names: Names, told: Bench, subscriber: Subscriber) -> AsyncIterator["Named"]:
    """A client that is notified by name, and a listener of its on another address with the same port."""
    port, row = subscriber.listener.port, subscriber.row
    async with listening(told.credentials("one"), port=port, host=EVIL) as other:
        made = await subscriber.client.post(
            f"{row.href}/sub", wish(f"{row.href}/fsa", f"https://{NAME}:{port}/ntfy")
        )
        assert made.status == 201
        yield Named(told, names, subscriber.listener, other)


class Named:
    """What a test of names works with."""

    def __init__(self, bench: Bench, names: Names, good: Listener, evil: Listener) -> None:
        self.bench = bench
        self.names = names
        self.good = good
        self.evil = evil

    async def change(self, name: str) -> None:
        """Change what is subscribed to; what it leads to has been delivered, or has failed."""
        await self.bench.group(name, "one")
        await settled(self.bench)

    def errors(self) -> list[str | None]:
        return [owed.error for owed in self.bench.store.reader.ledger.all_owed()]


async def test_a_name_is_resolved_once_and_that_address_is_connected_to(named: Named) -> None:
    named.names.answers = lambda question: [GOOD] if question == 1 else [EVIL]
    await named.change("first")
    assert (len(named.good.posted), named.evil.posted, named.names.questions) == (1, [], 1)
    assert named.good.posted[0].headers["Host"] == f"{NAME}:{named.good.port}"


async def test_a_kept_connection_asks_no_name_again(named: Named) -> None:
    named.names.answers = lambda question: [GOOD] if question == 1 else [EVIL]
    for name in ("first", "second", "third"):
        await named.change(name)
    assert (len(named.good.posted), len(named.evil.posted), named.names.questions) == (3, 0, 1)


async def test_an_address_that_a_name_gets_later_is_checked_as_the_first_was(named: Named) -> None:
    await named.change("first")
    named.good.headers = {"Connection": "close"}
    await named.change("second")
    named.names.answers = lambda _: [EVIL]
    await named.change("third")
    assert (len(named.good.posted), named.evil.posted) == (2, [])
    assert named.errors() == [f"{EVIL} port {named.good.port} is not allowed by the operator"]


async def test_of_many_addresses_only_those_that_are_allowed_are_tried(named: Named) -> None:
    named.names.answers = lambda _: [EVIL, GOOD]
    await named.change("first")
    assert (len(named.good.posted), named.evil.posted, named.errors()) == (1, [], [])


async def test_a_name_without_an_address_fails_and_is_tried_again(named: Named) -> None:
    named.names.answers = lambda _: []
    await named.change("first")
    assert named.errors() == [f"{NAME} has no address"]
    named.names.answers = lambda _: [GOOD]
    named.bench.clock.advance(10)
    named.bench.server.notifications.wake()
    assert isinstance((await named.good.next()).Resource_, FunctionSetAssignmentsList)


async def test_a_name_that_is_allowed_leads_into_no_network_of_the_server(
    names: Names, tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, notification_gap_ms=0, notification_hosts=NAME) as bench:
        row, client = await bench.device("one")
        async with listening(bench.credentials("one")) as listener:
            await subscribe(client, row, f"{row.href}/fsa", f"https://{NAME}:{listener.port}/ntfy")
            await bench.group("feeder", "one")
            await settled(bench)
            assert listener.posted == []
            (owed,) = bench.store.reader.ledger.all_owed()
            assert owed.error == (
                f"{GOOD} is of a network that is not public: the operator must allow it by its address"
            )
            assert names.questions == 1


async def test_an_operator_who_takes_the_address_back_stops_a_kept_connection(
    names: Names, tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, notification_gap_ms=0) as bench:
        row, client = await bench.device("one")
        await bench.store.do(lambda tx: tx.ledger.allow(row.id, GOOD))
        async with listening(bench.credentials("one")) as listener:
            await subscribe(client, row, f"{row.href}/fsa", f"https://{NAME}:{listener.port}/ntfy")
            await bench.group("first", "one")
            await listener.next()
            await settled(bench)
            await bench.store.do(lambda tx: tx.ledger.allow(row.id, CLOSED))
            await bench.store.do(lambda tx: tx.ledger.disallow(row.id, GOOD))
            await bench.group("second", "one")
            await settled(bench)
            assert len(listener.posted) == 1
            (owed,) = bench.store.reader.ledger.all_owed()
            assert str(owed.error).endswith("is not allowed by the operator")


@pytest.mark.parametrize("any_peer", [False, True])
async def test_names_of_all_devices_of_an_aggregator_are_looked_up_as_its_own(
    tmp_path: Path, sep2_pki: Pki, monkeypatch: pytest.MonkeyPatch, *, any_peer: bool
) -> None:
    """A device for each dead name would take all places where names are looked up."""
    asked: list[Hashable] = []
    real = OwnNames.addresses

    async def addresses(own: OwnNames, endpoint: Endpoint, who: Hashable, patience_s: float) -> list[Address]:
        asked.append(who)
        return await real(own, endpoint, who, patience_s)

    monkeypatch.setattr(OwnNames, "addresses", addresses)
    async with running(
        tmp_path, sep2_pki, notification_gap_ms=0, notification_hosts=GOOD, notification_any_peer=any_peer
    ) as bench:
        boss = await bench.enrol("boss", role=Role.AGGREGATOR)
        await bench.enrol("one", aggregator=boss)
        await bench.device("two")
        ids = {row.id: row for row in bench.store.reader.of_kind("EndDevice") if row.id != boss.id}
        rows = [ids[number] for number in sorted(ids)]
        for name, row in zip(("one", "two"), rows, strict=True):
            async with listening(bench.credentials(name)) as listener:
                await subscribe(await bench.client(name), row, f"{row.href}/fsa", listener.uri)
                await bench.group(f"of {name}", name)
                await listener.next()
                await settled(bench)
        assert asked == [bench.credentials("boss").lfdi, bench.credentials("two").lfdi]


def test_an_address_is_held_against_the_servers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def refusal(*of: object) -> str:
        asked.append(of[-1])
        return "no"

    monkeypatch.setattr(listeners, "refusal_of_address", refusal)
    address = ipaddress.ip_address("127.0.0.1")
    with pytest.raises(MisdirectedError, match="no"):
        listeners._require_address((), Endpoint("https", "listener.example.com", 443), address)
    assert asked == [frozenset({address})]
