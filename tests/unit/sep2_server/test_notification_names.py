"""Names of listeners that are looked up: one without an answer holds up no other subscriber."""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sep2_server.notifications.names import AT_ONCE, Names
from sep2_server.notifications.posting import DeliveryError, Endpoint, HeldUpError

FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))]
ADDRESSES = [ipaddress.ip_address("192.0.2.1")]


class Resolver:
    """Answers for all names but those that begin with `slow`, which wait, and `none`, which there are not."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_asked, self.goes_on = threading.Event(), threading.Event()

    def getaddrinfo(self, host: str, port: int, **_: object) -> list[Any]:
        self.asked.append(host)
        self.is_asked.set()
        if host.startswith("slow"):
            assert self.goes_on.wait(30)
        if host.startswith("none"):
            raise socket.gaierror(-2, "Name or service not known")
        return FOUND


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver.getaddrinfo)
    yield resolver
    resolver.goes_on.set()


def at(host: str) -> Endpoint:
    return Endpoint("https", host, 443)


async def test_names_without_an_answer_hold_up_their_own_subscriber_alone(resolver: Resolver) -> None:
    names = Names()
    slow = [asyncio.ensure_future(names.addresses(at(f"slow{n}.example"), "evil")) for n in range(40)]
    async with asyncio.timeout(10):
        assert await names.addresses(at("good.example"), "one") == ADDRESSES
    assert [name for name in resolver.asked if name.startswith("slow")] == ["slow0.example"]
    resolver.goes_on.set()
    async with asyncio.timeout(10):
        assert await asyncio.gather(*slow) == [ADDRESSES] * 40


async def test_a_question_stays_open_until_it_is_answered_whoever_gives_up(resolver: Resolver) -> None:
    names = Names()
    first = asyncio.ensure_future(names.addresses(at("slow.example"), "one"))
    assert await asyncio.to_thread(resolver.is_asked.wait, 10)
    first.cancel()
    second = asyncio.ensure_future(names.addresses(at("good.example"), "one"))
    await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
    assert first.cancelled()
    assert resolver.asked == ["slow.example"]
    resolver.goes_on.set()
    async with asyncio.timeout(10):
        assert await second == ADDRESSES


async def test_who_waits_for_another_name_of_its_own_is_sent_away_and_comes_again(resolver: Resolver) -> None:
    """It would keep a place at a listener that is well, and look as if that gave no answer."""
    names = Names()
    slow = asyncio.ensure_future(names.addresses(at("slow.example"), "one"))
    assert await asyncio.to_thread(resolver.is_asked.wait, 10)
    with pytest.raises(HeldUpError, match=r"good\.example waits for other names"):
        await names.addresses(at("good.example"), "one", 0.05)
    resolver.goes_on.set()
    async with asyncio.timeout(10):
        assert await slow == ADDRESSES
        assert await names.addresses(at("good.example"), "one") == ADDRESSES


async def test_who_waits_for_a_place_is_sent_away_and_takes_none(resolver: Resolver) -> None:
    names = Names()
    slow = [asyncio.ensure_future(names.addresses(at("slow.example"), n)) for n in range(AT_ONCE)]
    await asyncio.sleep(0)
    for who in ("one", "two"):
        with pytest.raises(HeldUpError):
            await names.addresses(at("good.example"), who, 0.05)
    resolver.goes_on.set()
    async with asyncio.timeout(10):
        assert await asyncio.gather(*slow) == [ADDRESSES] * AT_ONCE
        later = [names.addresses(at("good.example"), n) for n in range(2 * AT_ONCE)]
        assert await asyncio.gather(*later) == [ADDRESSES] * 2 * AT_ONCE


async def test_one_name_of_a_subscriber_is_asked_for_once_at_a_time(resolver: Resolver) -> None:
    names = Names()
    asked = [asyncio.ensure_future(names.addresses(at("slow.example"), "one", 0.05)) for _ in range(9)]
    assert await asyncio.to_thread(resolver.is_asked.wait, 10)
    await asyncio.wait(asked, timeout=0.1)
    resolver.goes_on.set()
    async with asyncio.timeout(10):
        assert await asyncio.gather(*asked) == [ADDRESSES] * 9
    assert resolver.asked == ["slow.example"]


async def test_a_name_that_there_is_not_is_told(resolver: Resolver) -> None:
    names = Names()
    for _ in range(2):
        with pytest.raises(DeliveryError, match=r"none\.example cannot be resolved"):
            await names.addresses(at("none.example"), "one")


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
async def test_an_address_is_not_asked_for(resolver: Resolver, host: str) -> None:
    assert await Names().addresses(at(host), "one") == [ipaddress.ip_address(host)]
    assert resolver.asked == []


async def test_where_no_thread_can_be_started_the_next_one_is_tried(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    names = Names()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(DeliveryError, match="can't start new thread"):
            await names.addresses(at("good.example"), "one")
    async with asyncio.timeout(10):
        assert await names.addresses(at("good.example"), "one") == ADDRESSES
