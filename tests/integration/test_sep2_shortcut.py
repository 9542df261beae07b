"""Requests whose heads are known go past the HTTP parser, and no client can tell."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from aiohttp.web_protocol import RequestHandler

from certs import client_context
from schemas import Codec, LogEventList
from sep2_server.messages import Answer, Request
from sep2_server.process.ending import EndingServer
from sep2_server.quick_handler import QuickHandler
from sep2_server.rows import Blocked
from sep2_server.shortcut import Heads, Known
from sep2_server.transaction import Transaction
from tests.integration.sep2_harness import SEP_XML, START, Bench
from tests.integration.test_sep2_durability import event


class Parser:
    """Counts what the parser of HTTP is given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fed = 0
        receive = RequestHandler.data_received

        def counted(handler: RequestHandler, data: bytes) -> None:
            self.fed += bool(data)
            receive(handler, data)

        monkeypatch.setattr(RequestHandler, "data_received", counted)


class Pieces:
    """What connections are given, piece by piece, as it comes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.given: list[bytes] = []
        self._news = asyncio.Event()
        receive = QuickHandler.data_received

        def noted(handler: QuickHandler, data: bytes) -> None:
            receive(handler, data)
            self.given.append(data)
            self._news.set()

        monkeypatch.setattr(QuickHandler, "data_received", noted)

    async def until(self, piece: bytes) -> None:
        """Wait until the last thing that was given is this piece."""
        async with asyncio.timeout(10):
            while not self.given or self.given[-1] != piece:
                self._news.clear()
                await self._news.wait()


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> Pieces:
    return Pieces(monkeypatch)


@pytest.fixture
def parser(monkeypatch: pytest.MonkeyPatch) -> Parser:
    return Parser(monkeypatch)


class Line:
    """A connection of a device, by the octet."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def take(self) -> tuple[int, bytes, bytes]:
        """One answer: status, head without its date, body."""
        async with asyncio.timeout(10):
            head = await self.reader.readuntil(b"\r\n\r\n")
            found = re.search(rb"Content-Length: (\d+)", head)
            body = await self.reader.readexactly(int(found[1])) if found else b""
        return int(head[9:12]), re.sub(rb"Date: [^\r]*", b"", head), body

    async def ask(self, octets: bytes) -> tuple[int, bytes, bytes]:
        self.writer.write(octets)
        return await self.take()


class House:
    """A server with two devices, and connections of them."""

    def __init__(self, bench: Bench, hrefs: dict[str, str]) -> None:
        self.bench = bench
        self.hrefs = hrefs
        self._lines: list[Line] = []

    async def line(self, name: str = "quick-1") -> Line:
        known = self.bench.credentials(name)
        context = client_context(known.certificate_path, known.key_path, known.root_path)
        line = Line(*await asyncio.open_connection("127.0.0.1", self.bench.server.port, ssl=context))
        self._lines.append(line)
        return line

    async def close(self) -> None:
        for line in self._lines:
            line.writer.close()
            await asyncio.wait([asyncio.ensure_future(line.writer.wait_closed())])


@pytest.fixture
async def house(bench: Bench) -> AsyncIterator[House]:
    hrefs = {name: (await bench.enrol(name)).href for name in ("quick-1", "quick-2")}
    made = House(bench, hrefs)
    yield made
    await made.close()


def get(path: str, headers: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: a\r\nAccept: {SEP_XML}\r\n{headers}\r\n".encode()


def post(path: str, number: int) -> bytes:
    body = Codec().encode(event(number))
    head = (
        f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {SEP_XML}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def test_what_was_asked_before_is_not_parsed_and_gets_the_same_octets(
    house: House, parser: Parser
) -> None:
    first, second = await house.line(), await house.line()
    path = house.hrefs["quick-1"]
    answers = [await first.ask(get(path)) for _ in range(4)]
    assert parser.fed == 1
    await second.ask(get("/dcap"))
    answers += [await second.ask(get(path)) for _ in range(2)]
    assert parser.fed == 2
    assert answers == [answers[0]] * 6
    assert answers[0][0] == 200


async def test_writes_go_past_the_parser_and_are_stored(house: House, parser: Parser) -> None:
    line = await house.line()
    path = house.hrefs["quick-1"] + "/lel"
    created = [await line.ask(post(path, number)) for number in range(10, 20)]
    assert parser.fed == 1
    assert {status for status, _, _ in created} == {201}
    assert len({re.search(rb"Location: (\S+)", head)[1] for _, head, _ in created}) == 10  # type: ignore[index]
    client = await house.bench.client("quick-1")
    assert (await client.read(path, LogEventList)).all == 10


async def test_a_head_tells_nothing_to_another_client(house: House) -> None:
    path = house.hrefs["quick-1"]
    own, other = await house.line(), await house.line("quick-2")
    assert [(await own.ask(get(path)))[0] for _ in range(2)] == [200, 200]
    await other.ask(get("/dcap"))
    assert (await other.ask(get(path)))[0] == 404
    assert (await other.ask(post(path + "/lel", 1)))[0] == 404
    assert (await own.ask(post(path + "/lel", 1)))[0] == 201
    assert (await other.ask(post(path + "/lel", 1)))[0] == 404


async def test_what_a_write_changes_is_seen_at_once_and_a_block_too(house: House) -> None:
    line = await house.line()
    path = house.hrefs["quick-1"] + "/lel"
    for number in range(1, 5):
        await line.ask(post(path, number))
        _, _, body = await line.ask(get(path))
        assert f'all="{number}"'.encode() in body
    lfdi = house.bench.credentials("quick-1").lfdi
    await house.bench.store.do(lambda tx: tx.put_blocked(Blocked(lfdi, "lost", START)))
    assert [(await line.ask(octets))[0] for octets in (get(path), post(path, 9))] == [403, 403]


async def test_requests_in_one_piece_in_many_and_too_early_are_answered_in_order(
    house: House, pieces: Pieces
) -> None:
    line = await house.line()
    path = house.hrefs["quick-1"] + "/lel"
    await line.ask(post(path, 1))
    await line.ask(get(path))
    line.writer.write(post(path, 2) + get(path) + post(path, 3))
    assert [(await line.take())[0] for _ in range(3)] == [201, 200, 201]
    line.writer.write(post(path, 4))
    await line.writer.drain()
    for _ in range(3):
        line.writer.write(get(path))
    assert [(await line.take())[0] for _ in range(4)] == [201, 200, 200, 200]
    octets = post(path, 5)
    for cut in (10, octets.index(b"\r\n\r\n") + 4, len(octets) - 1):
        line.writer.write(octets[:cut])
        await pieces.until(octets[:cut])
        line.writer.write(octets[cut:])
        assert (await line.take())[0] == 201
        status, _, body = await line.ask(get(path))
        assert status == 200
    assert b'all="7"' in body


@pytest.mark.parametrize(
    "octets",
    [
        get("/tm", "Connection: close\r\n"),
        get("/tm", "Range: bytes=0-1\r\n"),
        get("/tm").replace(b"HTTP/1.1", b"HTTP/1.0"),
        get("/tm").replace(b"GET", b"HEAD"),
        get("/nothing"),
    ],
)
async def test_what_is_not_plain_or_not_granted_is_parsed_each_time(house: House, octets: bytes) -> None:
    before = len(house.bench.server.answering.heads)
    line = await house.line()
    line.writer.write(octets)
    async with asyncio.timeout(10):
        await line.reader.readuntil(b"\r\n\r\n")
    assert len(house.bench.server.answering.heads) == before


async def test_chunks_are_never_taken_for_a_known_head(house: House) -> None:
    line = await house.line()
    path = house.hrefs["quick-1"] + "/lel"
    body = Codec().encode(event(1))
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {SEP_XML}\r\nTransfer-Encoding: chunked\r\n\r\n"
    octets = head.encode() + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    for _ in range(3):
        assert (await line.ask(octets))[0] == 201
    assert not len(house.bench.server.answering.heads)


async def test_a_write_under_way_is_answered_when_the_server_stops(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await house.line()
    path = house.hrefs["quick-1"] + "/lel"
    await line.ask(post(path, 1))
    begun, go_on, ending = asyncio.Event(), asyncio.Event(), asyncio.Event()
    begin = house.bench.store.begin_short

    def slow(job: object) -> asyncio.Future[object]:
        async def later() -> object:
            begun.set()
            await go_on.wait()
            return await begin(job)  # type: ignore[arg-type]

        return asyncio.ensure_future(later())

    end = EndingServer.end

    async def told(server: EndingServer, grace_s: float) -> None:
        ending.set()
        await end(server, grace_s)

    monkeypatch.setattr(house.bench.store, "begin_short", slow)
    monkeypatch.setattr(EndingServer, "end", told)
    line.writer.write(post(path, 2))
    await begun.wait()
    stopping = asyncio.ensure_future(house.bench.server.stop())
    await ending.wait()
    assert not stopping.done()
    go_on.set()
    assert (await line.take())[0] == 201
    await stopping


async def test_a_store_that_fails_and_a_body_that_is_wrong_are_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await house.line()
    path = house.hrefs["quick-1"] + "/lel"
    good = post(path, 1)
    await line.ask(good)
    wrong = good.replace(b"<functionSet>11", b"<functionSet>xx")
    status, _, body = await line.ask(wrong)
    assert (status, b"<reasonCode>" in body) == (400, True)

    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Transaction, "__init__", broken)
    status, head, _ = await line.ask(good)
    assert (status, b"Retry-After: 30" in head) == (503, True)
    monkeypatch.undo()
    assert (await line.ask(good))[0] == 201


async def test_a_connection_that_is_idle_after_known_requests_is_closed(house: House) -> None:
    line = await house.line()
    for _ in range(3):
        await line.ask(get("/tm"))
    handler = next(iter(house.bench.server._connections.connections))  # type: ignore[union-attr]
    handler._next_keepalive_close_time = 0
    assert handler._keepalive_handle is not None
    handler._keepalive_handle.cancel()
    handler._process_keepalive()
    assert await asyncio.wait_for(line.reader.read(), 5) == b""


async def test_other_pages_of_a_known_list_are_not_parsed(house: House, parser: Parser) -> None:
    line = await house.line()
    assert (await line.ask(get("/edev?s=0&l=1")))[0] == 200
    fed = parser.fed
    pages = {}
    for query in ("s=0&l=0", "l=1", "s=1&l=255", "s=0&l=1&a=1700000000", "s=0&l=1"):
        status, _, body = await line.ask(get(f"/edev?{query}"))
        assert status == 200
        pages[query] = re.search(rb'results="(\d+)"', body)[1]  # type: ignore[index]
    assert (pages["s=0&l=0"], pages["l=1"], pages["s=1&l=255"]) == (b"0", b"1", b"0")
    assert parser.fed == fed
    assert len(house.bench.server.answering.heads) == 1


async def test_the_access_log_names_the_page_that_was_asked_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await house.line()
    await line.ask(get("/edev?s=0&l=1"))
    seen: list[str] = []
    tell = QuickHandler._tell

    def noted(handler: QuickHandler, known: Known, answer: Answer, began: float, received: int) -> None:
        seen.append(known.target)
        tell(handler, known, answer, began, received)

    monkeypatch.setattr(QuickHandler, "_tell", noted)
    await line.ask(get("/edev?s=1&l=7"))
    assert seen == ["/edev?s=1&l=7"]


@pytest.mark.parametrize(
    "query", ["s=x", "s=-1", "s=0&l=1&a=2&s=1", "s=0;l=1", "s=01234567890", "%73=0", "x=1", "s="]
)
async def test_queries_of_another_kind_are_parsed(house: House, parser: Parser, query: str) -> None:
    line = await house.line()
    await line.ask(get("/edev?s=0&l=1"))
    fed = parser.fed
    await line.ask(get(f"/edev?{query}"))
    assert parser.fed == fed + 1


@pytest.mark.parametrize("query", ["s=0&s=1", "l=9999999999", "a=9999999999", "s=9999999999"])
async def test_odd_pages_are_answered_alike_on_both_ways(house: House, parser: Parser, query: str) -> None:
    line = await house.line()
    long_way = await line.ask(get(f"/edev?{query}"))
    await line.ask(get("/edev?s=0&l=1"))
    fed = parser.fed
    assert await line.ask(get(f"/edev?{query}")) == long_way
    assert parser.fed == fed


async def test_what_has_changed_is_read_again_without_the_parser(house: House, parser: Parser) -> None:
    line, other = await house.line(), await house.line("quick-2")
    path = house.hrefs["quick-1"] + "/lel"
    await line.ask(get(path))
    await line.ask(post(path, 1))
    fed = parser.fed
    for number in range(2, 5):
        assert (await line.ask(post(path, number)))[0] == 201
        status, _, body = await line.ask(get(path))
        assert (status, b'all="%d"' % number in body) == (200, True)
    assert (await other.ask(get(path)))[0] == 404
    assert parser.fed == fed


async def test_a_read_that_the_end_of_the_process_cancels_is_a_failure(house: House) -> None:
    """On PostgreSQL a read is a task, and a loop that ends cancels those that are left."""
    promise: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    promise.cancel()
    asked = Request(method="GET", path="/tm", lfdi="", now=START)
    answering = house.bench.server.answering
    known = Known(asked, "/tm", 0, answering.dispatcher_of(asked)[0])
    assert answering.kept(known, promise).status == 500


def test_heads_are_bounded() -> None:
    heads = Heads(3)
    for number in range(10):
        asked = Request(method="GET", path=f"/{number}", lfdi="", now=START)
        heads.add(get(f"/{number}"), Known(asked, f"/{number}", 0, None))  # type: ignore[arg-type]
    assert len(heads) == 3
    assert heads.get(get("/6")) is None
    known = heads.get(get("/9"))
    assert known is not None
    assert known.target == "/9"


async def test_answers_that_are_counted_are_those_of_both_ways(house: House) -> None:
    line = await house.line()
    for _ in range(3):
        await line.ask(get("/tm"))
    samples = house.bench.server.meter.samples()["lineside_requests_total"]
    assert sum(number for labels, number in samples.items() if 'route="Time"' in labels) == 3


async def test_heads_that_are_long_are_not_kept(house: House) -> None:
    """There are 10,000 places: a client that sends another long one each time takes much memory."""
    line = await house.line()
    heads = house.bench.server.answering.heads
    assert (await line.ask(get("/dcap", "X: a\r\n")))[0] == 200
    assert len(heads) == 1
    for number in range(3):
        assert (await line.ask(get("/dcap", f"X: {number}{'a' * 6000}\r\n")))[0] == 200
    assert len(heads) == 1


async def test_a_get_with_a_body_does_not_lose_step(house: House, pieces: Pieces) -> None:
    line = await house.line()
    head = get("/tm", "Content-Length: 5\r\n")
    assert [(await line.ask(head + b"hello"))[0] for _ in range(2)] == [200, 200]
    line.writer.write(head)
    await pieces.until(head)
    line.writer.write(b"hello")
    status, _, body = await line.take()
    assert (status, b"<Time " in body) == (200, True)
    status, _, body = await line.ask(get("/dcap"))
    assert (status, b"<DeviceCapability " in body) == (200, True)


async def test_what_is_known_of_a_head_is_not_the_body_that_came_with_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Known] = []
    add = Heads.add

    def noted(heads: Heads, head: bytes, known: Known) -> None:
        kept.append(known)
        add(heads, head, known)

    monkeypatch.setattr(Heads, "add", noted)
    line = await house.line()
    octets = post(house.hrefs["quick-1"] + "/lel", 10)
    assert (await line.ask(octets))[0] == 201
    assert [(known.request.body, known.octets) for known in kept] == [
        (b"", len(octets) - octets.index(b"\r\n\r\n") - 4)
    ]
