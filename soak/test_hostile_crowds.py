"""Crowds that mean harm: memory is bounded, all are closed in time, and others are served meanwhile."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from certs import Pki
from soak.callers import Caller, callers, until_closed
from soak.files import make_room
from soak.memory import Growth, watched
from soak.neighbour import log_event, neighbour, own_href
from tests.integration.process.site_process import SiteProcess, context_of, site_process

HANDSHAKE_S: Final = 5
HEAD_S: Final = 10
BODY_S: Final = 10
WRITE_S: Final = 10
SLACK_S: Final = 15
"""How much later than the settings say the last of a crowd may be closed."""
SETTINGS: Final = f"""\
handshake_s = {HANDSHAKE_S}
keep_alive_s = {HEAD_S}
body_s = {BODY_S}
write_s = {WRITE_S}
connections = 100000
connections_per_address = 100000
connections_per_client = 100000
"""
HALF_OPEN: Final = 4000
SLOW: Final = 400
"""Of each kind."""
DEAF: Final = 100
BODIES: Final = 128
FLOODS: Final = 500
LARGEST: Final = 1 << 20
"""`most_octets` as it is where no setting says otherwise."""
MOST_OCTETS_EACH: Final = 60 * 1024
LOG_EVENTS: Final = 100
"""A list of them is some 40 kB."""
MOST_UNREAD: Final = 2 << 20
"""Answers that wait for one client: the event loop pauses at 0.5 MB, before and again after encryption."""
POST: Final = "POST {}/lel HTTP/1.1\r\nHost: a\r\nContent-Type: application/sep+xml\r\nContent-Length: {}\r\n"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SiteProcess, str]]:
    """Two workers that close what does not go on within seconds, with a device `crowd`; the href of that."""
    make_room(HALF_OPEN)
    folder = tmp_path_factory.mktemp("hostile")
    pki = Pki.create(folder / "pki", depth=3)
    pki.issue_server("server", hosts=["127.0.0.1"])
    with site_process(folder, pki, "--workers=2", settings=SETTINGS) as made:
        made.enrol("neighbour")
        wire = made.connect(made.enrol("crowd"))
        href = own_href(wire)
        for number in range(LOG_EVENTS):
            assert wire.ask("POST", f"{href}/lel", log_event(number))[0] == 201
        wire.close()
        yield made, href


@pytest.fixture
def site(town: tuple[SiteProcess, str]) -> SiteProcess:
    """The server."""
    return town[0]


@pytest.fixture
def href(town: tuple[SiteProcess, str]) -> str:
    """The EndDevice of the crowd, all of which show its certificate."""
    return town[1]


@contextmanager
def disturbed(site: SiteProcess, what: str, count: int) -> Iterator[Growth]:
    """What a crowd does: the neighbour is served meanwhile, and the memory is watched and printed."""
    with neighbour(site, site.pki.credentials("neighbour")) as waits, watched(site) as growth:
        yield growth
    sys.stdout.write(
        f"\n{count} {what}: {growth.peak / 1e6:.1f} MB at most, {growth.kept / 1e6:.1f} MB kept afterwards\n"
    )
    waits.check("meanwhile")


def test_connections_without_a_handshake_are_closed_in_time(site: SiteProcess) -> None:
    with (
        disturbed(site, "half-open connections", HALF_OPEN) as growth,
        callers(site, None, HALF_OPEN) as crowd,
    ):
        for one in crowd[::2]:
            one.send(b"\x16\x03\x01")
        until_closed(crowd, HANDSHAKE_S + SLACK_S, Caller.listen)
    assert growth.peak / HALF_OPEN <= MOST_OCTETS_EACH


def test_heads_and_bodies_that_drip_are_cut_off_in_time(site: SiteProcess, href: str) -> None:
    context = context_of(site.pki.credentials("crowd"))
    body_head = f"{POST.format(href, 5000)}\r\n".encode()

    def drip(one: Caller) -> None:
        one.send(b"x")
        one.listen()

    with disturbed(site, "dripping clients", 2 * SLOW) as growth, callers(site, context, 2 * SLOW) as crowd:
        for number, one in enumerate(crowd):
            one.send(body_head if number % 2 else b"GET /tm HTTP/1.1\r\nX: ")
        until_closed(crowd, max(HEAD_S, BODY_S) + SLACK_S, drip)
    assert growth.peak / len(crowd) <= 2 * MOST_OCTETS_EACH


def test_clients_that_do_not_read_are_dropped_in_time(site: SiteProcess, href: str) -> None:
    context = context_of(site.pki.credentials("crowd"))
    get = f"GET {href}/lel?l=255 HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    with disturbed(site, "clients that do not read", DEAF) as growth, callers(site, context, DEAF) as crowd:
        until_closed(crowd, WRITE_S + 4 * SLACK_S, lambda one: one.send(get * 100))
    assert growth.peak / len(crowd) <= MOST_UNREAD


def test_large_bodies_take_their_size_and_no_more(site: SiteProcess, href: str) -> None:
    context = context_of(site.pki.credentials("crowd"))
    head = f"{POST.format(href, LARGEST)}Connection: close\r\n\r\n".encode()
    event = log_event(LOG_EVENTS)
    whole = head + event + b" " * (LARGEST - len(event))
    with disturbed(site, "bodies of 1 MB", BODIES) as growth, callers(site, context, BODIES) as crowd:
        sent = dict.fromkeys(crowd, 0)

        def upload(one: Caller) -> None:
            while taken := one.send(whole[sent[one] : sent[one] + 65_536]):
                sent[one] += taken
            one.listen()

        until_closed(crowd, BODY_S + 4 * SLACK_S, upload)
    found = {one.heard[9:12] for one in crowd}
    assert found == {b"201"}
    assert growth.peak <= 3 * BODIES * LARGEST


def test_floods_of_headers_are_refused(site: SiteProcess) -> None:
    context = context_of(site.pki.credentials("crowd"))

    def pour(one: Caller) -> None:
        for _ in range(64):
            if not one.send(b"X-Y: " + b"z" * 1000 + b"\r\n"):
                break
        one.listen()

    with disturbed(site, "floods of headers", FLOODS) as growth, callers(site, context, FLOODS) as crowd:
        for one in crowd:
            one.send(b"GET /tm HTTP/1.1\r\nHost: a\r\n")
        until_closed(crowd, HEAD_S + SLACK_S, pour)
    assert growth.peak / FLOODS <= 4 * MOST_OCTETS_EACH
