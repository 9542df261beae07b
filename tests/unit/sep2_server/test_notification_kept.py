"""Connections to listeners that are kept: by count, by time without a request, by age."""

import asyncio
import ipaddress
from typing import cast

from sep2_server.notifications.kept import Bounds, Kept
from sep2_server.notifications.posting import Endpoint, Posting

HERE = ipaddress.ip_address("127.0.0.1")
ONE, TWO = Endpoint("https", "one.example", 443), Endpoint("https", "two.example", 443)


class Transport(asyncio.Transport):
    """A transport that remembers whether it was broken off."""

    is_aborted = False

    def abort(self) -> None:
        self.is_aborted = True


def connection(born: float = 0.0) -> Posting:
    made = Posting(HERE, born)
    made.connection_made(Transport())
    return made


def kept(most: int = 10, idle_s: float = 60, age_s: float = 1000) -> Kept:
    return Kept(Bounds(most=most, idle_s=idle_s, age_s=age_s))


def is_aborted(posting: Posting) -> bool:
    return cast("Transport", posting._transport).is_aborted


def test_the_connection_that_was_used_last_is_taken_first_and_once() -> None:
    pool, first, second = kept(), connection(), connection()
    pool.keep(ONE, first, 1)
    pool.keep(ONE, second, 2)
    assert [pool.take(ONE, 3) for _ in range(3)] == [second, first, None]
    assert len(pool) == 0


def test_a_connection_serves_its_listener_alone() -> None:
    pool = kept()
    pool.keep(ONE, connection(), 1)
    assert pool.take(TWO, 2) is None
    assert len(pool) == 1


def test_one_that_the_listener_has_closed_is_not_taken() -> None:
    pool, lost, good = kept(), connection(), connection()
    pool.keep(ONE, good, 1)
    pool.keep(ONE, lost, 2)
    lost.connection_lost(None)
    assert pool.take(ONE, 3) is good


def test_of_too_many_the_one_that_is_idle_for_longest_goes() -> None:
    pool, first, second, third = kept(most=2), connection(), connection(), connection()
    pool.keep(ONE, first, 1)
    pool.keep(TWO, second, 2)
    pool.keep(ONE, third, 3)
    assert [is_aborted(one) for one in (first, second, third)] == [True, False, False]
    assert len(pool) == 2


def test_where_none_is_to_be_kept_each_is_closed() -> None:
    pool, one = kept(most=0), connection()
    pool.keep(ONE, one, 1)
    assert (len(pool), is_aborted(one)) == (0, True)


def test_a_sweep_closes_what_was_idle_for_too_long_and_nothing_else() -> None:
    pool, first, second = kept(idle_s=60), connection(), connection()
    pool.keep(ONE, first, 0)
    pool.keep(TWO, second, 1)
    pool.sweep(59.9)
    assert len(pool) == 2
    pool.sweep(60)
    assert (is_aborted(first), is_aborted(second), pool.take(TWO, 60)) == (True, False, second)


def test_one_that_was_used_between_is_idle_from_then_on() -> None:
    pool, one = kept(idle_s=60), connection()
    pool.keep(ONE, one, 0)
    pool.keep(ONE, pool.take(ONE, 50) or connection(), 50)
    pool.sweep(100)
    assert pool.take(ONE, 100) is one


def test_one_that_is_too_old_is_neither_taken_nor_kept_however_busy_it_is() -> None:
    pool, old, older = kept(idle_s=10_000, age_s=1000), connection(born=100), connection(born=0)
    pool.keep(ONE, old, 1099)
    pool.keep(ONE, older, 1099)
    assert (len(pool), is_aborted(older)) == (1, True)
    assert pool.take(ONE, 1100) is None
    assert is_aborted(old)


def test_all_are_closed_together() -> None:
    pool, postings = kept(), [connection() for _ in range(3)]
    for posting in postings:
        pool.keep(ONE, posting, 1)
    pool.close()
    assert ([is_aborted(one) for one in postings], len(pool)) == ([True] * 3, 0)
