"""A body that comes behind its head, as many clients send it: it is answered as one that comes with it."""

import asyncio
import logging

import pytest
from aiohttp.web_protocol import RequestHandler

from schemas import LogEventList
from sep2_server import quick_handler
from sep2_server.process.ending import EndingServer
from sep2_server.quick_handler import QuickHandler
from sep2_server.shortcut import octets_behind
from tests.integration.test_sep2_shortcut import House, Line, Parser, Pieces, get, house, parser, pieces, post

__all__ = ["house", "parser", "pieces"]

PATIENT_S = 30.0


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """No part goes to the parser because the machine is slow."""
    monkeypatch.setattr(quick_handler, "REST_S", PATIENT_S)


async def send(line: Line, pieces: Pieces, octets: bytes, *cuts: int) -> None:
    """Send octets in parts; each is read by itself."""
    parts = [octets[start:end] for start, end in zip((0, *cuts), (*cuts, len(octets)), strict=True)]
    for part in parts[:-1]:
        line.writer.write(part)
        await pieces.until(part)
    line.writer.write(parts[-1])


def head_end(octets: bytes) -> int:
    return octets.index(b"\r\n\r\n") + 4


async def test_a_head_is_learned_though_its_body_comes_later_and_is_known_then(
    house: House, parser: Parser, pieces: Pieces
) -> None:
    line = await house.line()
    path = house.hrefs["quick-1"] + "/lel"
    for number in range(10, 15):
        octets = post(path, number)
        end = head_end(octets)
        await send(line, pieces, octets, *((end,) if number % 2 else (end, end + 20, len(octets) - 1)))
        assert (await line.take())[0] == 201
    assert parser.fed == 1
    assert [(await line.ask(get(path)))[0] for _ in range(3)] == [200] * 3
    assert parser.fed == 2
    client = await house.bench.client("quick-1")
    assert (await client.read(path, LogEventList)).all == 5


async def test_what_follows_a_body_in_parts_is_answered_after_it(house: House, pieces: Pieces) -> None:
    line = await house.line()
    path = house.hrefs["quick-1"] + "/lel"
    for number in (10, 11):
        octets = post(path, number)
        await send(line, pieces, octets + get(path) + post(path, number + 10), head_end(octets) + 5)
        assert [(await line.take())[0] for _ in range(3)] == [201, 200, 201]


async def test_who_sends_the_rest_late_is_answered_by_the_parser(
    house: House, parser: Parser, pieces: Pieces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_handler, "REST_S", 0.05)
    line = await house.line()
    path = house.hrefs["quick-1"] + "/lel"
    await line.ask(post(path, 10))
    fed, octets = parser.fed, post(path, 11)
    line.writer.write(octets[:-9])
    async with asyncio.timeout(10):
        while parser.fed == fed:
            await pieces.until(octets[:-9])
            await asyncio.sleep(0.02)
    line.writer.write(octets[-9:])
    assert (await line.take())[0] == 201
    assert (await line.ask(post(path, 12)))[0] == 201


async def test_drops_do_not_keep_a_part_for_longer(
    house: House, parser: Parser, pieces: Pieces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_handler, "REST_S", 0.3)
    line = await house.line()
    path = house.hrefs["quick-1"] + "/lel"
    await line.ask(post(path, 10))
    fed, octets = parser.fed, post(path, 11)
    at = head_end(octets)
    line.writer.write(octets[:at])
    await pieces.until(octets[:at])
    async with asyncio.timeout(10):
        while parser.fed == fed:
            at += 1
            line.writer.write(octets[at - 1 : at])
            await pieces.until(octets[at - 1 : at])
            await asyncio.sleep(0.05)
    assert at < len(octets)
    line.writer.write(octets[at:])
    assert (await line.take())[0] == 201


async def test_a_part_is_answered_when_the_server_stops(
    house: House, pieces: Pieces, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await house.line()
    path = house.hrefs["quick-1"] + "/lel"
    await line.ask(post(path, 10))
    octets, ending = post(path, 11), asyncio.Event()
    end = EndingServer.end

    async def told(server: EndingServer, grace_s: float) -> None:
        ending.set()
        await end(server, grace_s)

    monkeypatch.setattr(EndingServer, "end", told)
    line.writer.write(octets[:-9])
    await pieces.until(octets[:-9])
    stopping = asyncio.ensure_future(house.bench.server.stop())
    await ending.wait()
    line.writer.write(octets[-9:])
    assert (await line.take())[0] == 201
    await stopping


async def test_a_part_whose_rest_never_comes_leaves_nothing(
    house: House, pieces: Pieces, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await house.line()
    path = house.hrefs["quick-1"] + "/lel"
    octets = post(path, 10)
    line.writer.write(octets[:-9])
    await pieces.until(octets[:-9])
    handler = next(iter(house.bench.server._connections.connections))  # type: ignore[union-attr]
    assert isinstance(handler, QuickHandler)
    rest, lost, gone = handler._rest, handler.connection_lost, asyncio.Event()
    assert rest is not None

    def told(exc: BaseException | None) -> None:
        lost(exc)
        gone.set()

    monkeypatch.setattr(handler, "connection_lost", told)
    line.writer.close()
    await asyncio.wait_for(gone.wait(), 10)
    assert rest.cancelled()
    assert not handler._part
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_part_keeps_its_connection_from_being_idle(house: House, pieces: Pieces) -> None:
    line = await house.line()
    path = house.hrefs["quick-1"] + "/lel"
    await line.ask(get("/tm"))
    octets = post(path, 10)
    handler = next(iter(house.bench.server._connections.connections))  # type: ignore[union-attr]
    handler._next_keepalive_close_time = 0
    assert isinstance(handler, QuickHandler)
    line.writer.write(octets[:-9])
    await pieces.until(octets[:-9])
    assert handler.is_busy
    handler._process_keepalive()
    line.writer.write(octets[-9:])
    assert (await line.take())[0] == 201


async def test_a_connection_of_the_servers_own_that_fails_is_a_failure_of_the_server(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        raise ConnectionResetError("the database")

    monkeypatch.setattr(house.bench.server.answering, "respond_by", lost)
    line = await house.line()
    assert (await line.ask(post(house.hrefs["quick-1"] + "/lel", 10)))[0] >= 500
    assert "A request failed" in caplog.messages


@pytest.mark.parametrize(
    ("lines", "octets"),
    [
        pytest.param("Content-Length: 12", 12, id="plain"),
        pytest.param("content-length:7 ", 7, id="as it may be written"),
        pytest.param("Accept: a", 0, id="none"),
        pytest.param("Content-Length: 12\r\nContent-Length: 12", 0, id="twice"),
        pytest.param("Content-Length: 12\r\nExpect: 100-continue", 0, id="to be asked for"),
        pytest.param("Content-Length: 12\r\ntransfer-encoding: chunked", 0, id="chunked"),
        pytest.param("Content-Length: -12", 0, id="no number"),
        pytest.param("Content-Length: 1234567", 0, id="large"),
        pytest.param("X: Content-Length: 12", 0, id="in another line"),
    ],
)
def test_a_head_says_plainly_how_much_follows_or_is_parsed_at_once(lines: str, octets: int) -> None:
    assert octets_behind(f"POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n".encode()) == octets


async def test_who_goes_away_in_the_midst_of_a_body_is_no_failure_of_the_server(
    house: House, pieces: Pieces, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_handler, "REST_S", 0.01)
    line = await house.line()
    octets = post(house.hrefs["quick-1"] + "/lel", 10)
    handler_fed = asyncio.Event()
    receive = RequestHandler.data_received

    def fed(handler: RequestHandler, data: bytes) -> None:
        receive(handler, data)
        handler_fed.set()

    monkeypatch.setattr(RequestHandler, "data_received", fed)
    line.writer.write(octets[:-9])
    await asyncio.wait_for(handler_fed.wait(), 10)
    await asyncio.sleep(0.05)
    caplog.set_level(logging.INFO)
    line.writer.close()
    for _ in range(500):
        await asyncio.sleep(0.02)
        if not house.bench.server.connections and "went away" in caplog.text:
            break
    assert "went away" in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    counted = house.bench.server.meter.samples()["lineside_requests_total"]
    assert [name for name in counted if 'method="POST"' in name and 'status="201"' not in name] == [
        'lineside_requests_total{method="POST",route="",status="400"}'
    ]
