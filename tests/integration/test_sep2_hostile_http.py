"""HTTP that is legal and rare, and HTTP that means harm: the right answer, and the next request is served."""

import asyncio
import contextlib
import gzip
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from certs import Pki, client_context
from schemas import LogEventList
from schemas.codes import ErrorReason
from sep2_server.dispatch import Dispatcher
from sep2_server.messages import Answer, Request
from sep2_server.quick_handler import QuickHandler
from tests.integration.process.site_process import until
from tests.integration.sep2_harness import SEP_XML, Bench, Client, running

EVENT = (
    b'<LogEvent xmlns="urn:ieee:std:2030.5:ns"><createdDateTime>1700000000</createdDateTime>'
    b"<functionSet>11</functionSet><logEventCode>0</logEventCode><logEventID>1</logEventID>"
    b"<logEventPEN>40732</logEventPEN><profileID>2</profileID></LogEvent>"
)
CLOSE = "Connection: close\r\n"
GET_TIME = f"GET /tm HTTP/1.1\r\nHost: a\r\n{CLOSE}\r\n"


class Line:
    """An enrolled device that speaks HTTP by the octet."""

    def __init__(self, bench: Bench, href: str, client: Client) -> None:
        self.bench = bench
        self.href = href
        self.client = client

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        known = self.bench.credentials("line-1")
        context = client_context(known.certificate_path, known.key_path, known.root_path)
        return await asyncio.open_connection("127.0.0.1", self.bench.server.port, ssl=context)

    async def send(self, text: bytes) -> bytes:
        """All that the server sends to some octets until it closes."""
        reader, writer = await self.open()
        try:
            writer.write(text)
            async with asyncio.timeout(10):
                return await reader.read()
        finally:
            writer.close()

    def post(self, body: bytes, headers: str = "") -> bytes:
        head = f"POST {self.href}/lel HTTP/1.1\r\nHost: a\r\nContent-Type: {SEP_XML}\r\n{CLOSE}{headers}"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    async def events(self) -> int:
        return (await self.client.read(f"{self.href}/lel", LogEventList)).all


@pytest.fixture
async def line(bench: Bench, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Line]:
    """A device; afterwards the server has logged no error."""
    row, client = await bench.device("line-1")
    yield Line(bench, row.href, client)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def statuses(answer: bytes) -> list[int]:
    """Status codes of all the answers in what a server sent."""
    lines = answer.replace(b"HTTP/1.", b"\r\nHTTP/1.").split(b"\r\n")
    return [int(text.split()[1]) for text in lines if text.startswith(b"HTTP/1.")]


LEGAL = [
    pytest.param(f"GET /tm HTTP/1.1\r\nhOST: a\r\naCCEPT: {SEP_XML}\r\ncONNECTION: CLOSE\r\n\r\n", id="case"),
    pytest.param("GET /tm HTTP/1.0\r\nHost: a\r\n\r\n", id="HTTP-1.0"),
    pytest.param(
        f"GET /tm HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nAccept: {SEP_XML}\r\n{CLOSE}\r\n",
        id="two-Accepts",
    ),
    pytest.param(
        f"GET /tm HTTP/1.1\r\nHost: a\r\nAccept: {SEP_XML};level=+S1, {SEP_XML};level=-S1;q=0\r\n{CLOSE}\r\n",
        id="levels",
    ),
    pytest.param("GET /tm HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", id="upgrade"),
    pytest.param(f"GET /%74m HTTP/1.1\r\nHost: a\r\n{CLOSE}\r\n", id="escaped-letter"),
]


@pytest.mark.parametrize("text", LEGAL)
async def test_a_rare_but_legal_request_is_served(line: Line, text: str) -> None:
    assert statuses(await line.send(text.encode())) == [200]


@pytest.mark.parametrize("method", ["FOO2", "M-SEARCH", "X%Y"])
async def test_any_token_that_is_no_known_method_is_501(line: Line, method: str) -> None:
    answer = await line.send(f"{method} /tm HTTP/1.1\r\nHost: a\r\n{CLOSE}\r\n".encode())
    assert statuses(answer) == [501]


async def test_pipelined_requests_are_answered_in_their_order(line: Line) -> None:
    paths = ["/tm", "/no/such", "/dcap"]
    text = "".join(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n" for path in paths) + GET_TIME
    assert statuses(await line.send(text.encode())) == [200, 404, 200, 200]


async def test_a_body_with_a_get_is_skipped(line: Line) -> None:
    text = "GET /tm HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nxxxxx" + GET_TIME
    assert statuses(await line.send(text.encode())) == [200, 200]


async def test_chunks_with_extensions_and_trailers_are_a_body(line: Line) -> None:
    head = f"POST {line.href}/lel HTTP/1.1\r\nHost: a\r\nContent-Type: {SEP_XML}\r\n{CLOSE}"
    first, rest = EVENT[:50], EVENT[50:]
    chunks = b"%x;a=b\r\n%s\r\n%x\r\n%s\r\n0\r\nX: y\r\n\r\n" % (len(first), first, len(rest), rest)
    answer = await line.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks)
    assert statuses(answer) == [201]
    assert await line.events() == 1


async def test_a_body_with_a_content_coding_is_415(line: Line) -> None:
    answers = [
        await line.send(line.post(body, "Content-Encoding: gzip\r\n"))
        for body in (EVENT, gzip.compress(EVENT))
    ]
    assert [statuses(answer) for answer in answers] == [[415], [415]]
    assert await line.events() == 0


@pytest.mark.parametrize("chunks", [b"zz\r\n", b"5\r\nxxxxxxxx\r\n", b"-1\r\n\r\n"])
async def test_chunks_that_are_not_framed_right_are_400(line: Line, chunks: bytes) -> None:
    head = f"POST {line.href}/lel HTTP/1.1\r\nHost: a\r\nContent-Type: {SEP_XML}\r\n{CLOSE}"
    reader, writer = await line.open()
    writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
    await writer.drain()
    writer.write(b"1\r\n<\r\n" + chunks)
    async with asyncio.timeout(10):
        assert statuses(await reader.read()) == [400]
    writer.close()


async def test_chunks_that_go_wrong_while_they_are_read_are_400(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, body_s=1) as bench:
        row, client = await bench.device("line-1")
        line = Line(bench, row.href, client)
        head = f"POST {line.href}/lel HTTP/1.1\r\nHost: a\r\nContent-Type: {SEP_XML}\r\n{CLOSE}"
        reader, writer = await line.open()
        writer.write(f"{head}Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        async with asyncio.timeout(10):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
            writer.write(b"1\r\n<\r\nzz\r\n")
            answer = await reader.read()
        writer.close()
        assert statuses(answer)[:1] == [400]
        assert b"<Error " in answer
        assert await line.events() == 0


@pytest.mark.parametrize("chunks", [b"zz\r\n", b"5\r\nxxxxxxxx\r\n", b"-1\r\n\r\n"])
async def test_the_rest_of_a_body_that_went_wrong_is_not_waited_for(line: Line, chunks: bytes) -> None:
    head = f"POST {line.href}/lel HTTP/1.1\r\nHost: a\r\nContent-Type: {SEP_XML}\r\n"
    reader, writer = await line.open()
    writer.write(f"{head}Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    async with asyncio.timeout(5):  # a whole body has longer
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(b"1\r\n<\r\n" + chunks)
        answer = await reader.read()
    writer.close()
    assert statuses(answer) == [400]
    assert b"<Error " in answer
    assert await line.events() == 0


async def test_a_body_that_went_wrong_behind_another_request_is_answered_behind_it(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering, asked, go_on = line.bench.server.answering, asyncio.Event(), asyncio.Event()
    respond = answering.respond_by

    async def respond_late(dispatcher: Dispatcher, request: Request) -> Answer:
        asked.set()
        await go_on.wait()
        return await respond(dispatcher, request)

    monkeypatch.setattr(answering, "respond_by", respond_late)
    reader, writer = await line.open()
    async with asyncio.timeout(10):
        writer.write(f"GET {line.href} HTTP/1.1\r\nHost: a\r\nX-Other: 1\r\n\r\n".encode())
        await asked.wait()
        head = f"POST {line.href}/lel HTTP/1.1\r\nHost: a\r\nContent-Type: {SEP_XML}\r\n"
        writer.write(line.post(EVENT).replace(CLOSE.encode(), b""))
        writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n1\r\n<\r\n".encode())
        await asyncio.sleep(0.2)
        writer.write(b"zz\r\n")
        await asyncio.sleep(0.2)
        writer.write(b"more that is none\r\n\r\n")
        await asyncio.sleep(0.2)
        go_on.set()
        answer = await reader.read()
    writer.close()
    assert statuses(answer) == [200, 201, 400]
    assert await line.events() == 1


async def test_a_body_that_goes_wrong_in_what_was_put_aside_is_not_waited_for(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More chunks than the library reads at once, as they come where the loop was busy."""
    plain, held, wanted = QuickHandler.data_received, bytearray(), b"1\r\n<\r\n" * 20_000 + b"zz\r\n"

    def receive(handler: QuickHandler, data: bytes) -> None:
        if data and (held or data.startswith(b"1\r\n")):
            held.extend(data)
            if len(held) < len(wanted):
                return
            data = bytes(held)
            held.clear()
        plain(handler, data)

    monkeypatch.setattr(QuickHandler, "data_received", receive)
    head = f"POST {line.href}/lel HTTP/1.1\r\nHost: a\r\nContent-Type: {SEP_XML}\r\n"
    reader, writer = await line.open()
    async with asyncio.timeout(5):
        writer.write(f"{head}Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(wanted)
        assert statuses(await reader.read()) == [400]
    writer.close()


async def test_a_body_that_nobody_reads_and_that_went_wrong_ends_the_connection(line: Line) -> None:
    reader, writer = await line.open()
    writer.write(
        b"POST /none HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    async with asyncio.timeout(5):
        while not (head := await reader.read(4096)):
            pass
        writer.write(b"1\r\n<\r\nzz\r\n")
        answer = head + await reader.read()
    writer.close()
    assert 200 not in statuses(answer)


@pytest.mark.parametrize("framing", ["Content-Length: 5\r\nTransfer-Encoding: chunked", "Content-Length: -1"])
async def test_a_request_with_two_lengths_or_none_is_400(line: Line, framing: str) -> None:
    head = f"POST {line.href}/lel HTTP/1.1\r\nHost: a\r\nContent-Type: {SEP_XML}\r\n{CLOSE}"
    assert statuses(await line.send(f"{head}{framing}\r\n\r\n0\r\n\r\n".encode())) == [400]


async def test_two_hosts_are_400(line: Line) -> None:
    assert statuses(await line.send(f"GET /tm HTTP/1.1\r\nHost: a\r\nHost: b\r\n{CLOSE}\r\n".encode())) == [
        400
    ]


@pytest.mark.parametrize("position", ["9" * 25, "9" * 5000])
async def test_a_position_beyond_all_numbers_is_404(line: Line, position: str) -> None:
    body = (
        f'<MirrorUsagePoint xmlns="urn:ieee:std:2030.5:ns"><mRID>B1</mRID><roleFlags>49</roleFlags>'
        f"<serviceCategoryKind>0</serviceCategoryKind><status>1</status>"
        f"<deviceLFDI>{line.bench.credentials('line-1').lfdi}</deviceLFDI><MirrorMeterReading><mRID>C1</mRID>"
        "<MirrorReadingSet><mRID>D1</mRID><timePeriod><duration>1</duration><start>1</start></timePeriod>"
        "<Reading><value>1</value></Reading></MirrorReadingSet><ReadingType/></MirrorMeterReading>"
        "</MirrorUsagePoint>"
    )
    assert (await line.client.send("POST", "/mup", body.encode())).status == 201
    found = line.bench.store.reader.of_kind("ReadingSet")
    text = f"GET {found[0].href}/r/{position} HTTP/1.1\r\nHost: a\r\n{CLOSE}\r\n"
    assert statuses(await line.send(text.encode())) == [404]


async def test_a_body_that_does_not_come_is_400_in_time(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, body_s=1) as bench:
        row, client = await bench.device("line-1")
        line = Line(bench, row.href, client)
        text = line.post(EVENT)
        assert statuses(await line.send(text[:-5])) == [400]
        assert await line.events() == 0


async def test_a_head_that_does_not_come_is_cut_off_in_time(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, keep_alive_s=1) as bench:
        row, client = await bench.device("line-1")
        assert await Line(bench, row.href, client).send(b"GET /tm HTTP/1.1\r\nHost:") == b""


async def test_a_connection_on_which_nothing_is_asked_is_cut_off_in_time(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, keep_alive_s=1) as bench:
        row, client = await bench.device("line-1")
        assert await Line(bench, row.href, client).send(b"") == b""


async def test_a_connection_whose_requests_need_no_parser_is_cut_off_in_time(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, keep_alive_s=1) as bench:
        row, client = await bench.device("line-1")
        line = Line(bench, row.href, client)
        asked = b"GET /tm HTTP/1.1\r\nHost: a\r\n\r\n"
        assert statuses(await line.send(asked)) == [200]
        assert statuses(await line.send(asked)) == [200]


async def test_a_client_that_goes_away_inside_a_body_leaves_no_trace(line: Line) -> None:
    _, writer = await line.open()
    writer.write(line.post(EVENT)[:-5])
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert await line.events() == 0


async def test_many_connections_at_once_are_served(line: Line) -> None:
    answers = await asyncio.gather(*(line.send(GET_TIME.encode()) for _ in range(60)))
    assert [statuses(answer) for answer in answers] == [[200]] * 60


async def test_a_client_has_so_many_connections_and_others_theirs(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, connections_per_client=2) as bench:
        row = await bench.enrol("line-1")
        _, other = await bench.device("line-2")
        line = Line(bench, row.href, other)
        held = [await line.open() for _ in range(2)]
        with contextlib.suppress(ConnectionError):
            assert await line.send(GET_TIME.encode()) == b""
        assert (await other.get("/tm")).status == 200
        reader, writer = held.pop()
        writer.write(GET_TIME.encode())
        assert statuses(await reader.read()) == [200]
        writer.close()
        assert statuses(await line.send(GET_TIME.encode())) == [200]
        held[0][1].close()


async def test_a_whole_uri_is_redirected_to_its_path(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, redirect_port=0) as bench:
        redirection = bench.server.redirection
        assert redirection is not None
        reader, writer = await asyncio.open_connection("127.0.0.1", redirection.port)
        writer.write(f"GET http://h:1/edev?l=2 HTTP/1.1\r\nHost: h:1\r\n{CLOSE}\r\n".encode())
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
        assert statuses(answer) == [301]
        assert f"Location: https://h:{bench.server.port}/edev?l=2\r\n".encode() in answer


SPACE = b'<LogEvent xmlns:x="urn:x" '
COSTLY = [
    pytest.param(
        b"<LogEvent " + b" ".join(b'a%x=""' % n for n in range(100_000)) + b" ", 400, id="attributes"
    ),
    pytest.param(SPACE + b" ".join(b'x:a%x=""' % n for n in range(80_000)) + b" ", 400, id="foreign"),
    pytest.param(b"<LogEvent " + b" ".join(b"a%x='<'" % n for n in range(80_000)) + b" ", 400, id="angles"),
]


@pytest.mark.parametrize(("start", "status"), COSTLY)
async def test_an_element_with_very_many_attributes_costs_no_time(
    line: Line, start: bytes, status: int
) -> None:
    before = time.process_time()
    reply = await line.client.send("POST", f"{line.href}/lel", EVENT.replace(b"<LogEvent ", start, 1))
    assert reply.status == status
    assert time.process_time() - before < 1.0


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-32"])
async def test_a_body_in_another_encoding_than_utf_8_is_400(line: Line, coding: str) -> None:
    reply = await line.client.send("POST", f"{line.href}/lel", EVENT.decode().encode(coding))
    assert reply.status == 400
    assert b"<reasonCode>%d</reasonCode>" % ErrorReason.INVALID_FORMAT in reply.body


XSI = b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
ALTERED = [
    pytest.param(EVENT.replace(b"<LogEvent ", b'<LogEvent %s xsi:type="Time" ' % XSI), 400, id="xsi-lie"),
    pytest.param(EVENT.replace(b"<functionSet>", b'<functionSet xmlns="urn:x">'), 400, id="redeclared"),
    pytest.param(EVENT.replace(b">11<", b"><![CDATA[11]]><"), 201, id="cdata"),
    pytest.param(EVENT.replace(b">11<", b">1<!-- -->1<"), 201, id="comment"),
    pytest.param(EVENT.replace(b">11<", "> \u0661\u0661 <".encode()), 400, id="other-digits"),
    pytest.param(b"\xef\xbb\xbf" + EVENT, 201, id="mark"),
    pytest.param(
        EVENT.replace(b"<profileID>", b'<x:a xmlns:x="u:x">' * 200 + b"</x:a>" * 200 + b"<profileID>"),
        201,
        id="foreign",
    ),
    pytest.param(b'<?xml version="1.0" encoding="UTF-7"?>' + EVENT, 400, id="utf-7"),
]


@pytest.mark.parametrize(("body", "status"), ALTERED)
async def test_what_xml_allows_is_read_and_nothing_else(line: Line, body: bytes, status: int) -> None:
    assert (await line.client.send("POST", f"{line.href}/lel", body)).status == status
    assert await line.events() == int(status == 201)


async def closed_within(reader: asyncio.StreamReader, seconds: float) -> bool:
    async with asyncio.timeout(seconds):
        with contextlib.suppress(ConnectionError):
            while await reader.read(65_536):
                continue
    return True


async def test_a_handshake_that_does_not_go_on_is_cut_off_in_time(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, handshake_s=1) as bench:
        _, client = await bench.device("line-1")
        reader, writer = await asyncio.open_connection("127.0.0.1", bench.server.port)
        writer.write(b"\x16\x03\x01")
        assert await closed_within(reader, 10)
        writer.close()
        assert (await client.get("/tm")).status == 200
        assert bench.server.meter.samples()["lineside_handshakes_total"] == {
            'lineside_handshakes_total{result="failed",reason="timeout"}': 1,
            'lineside_handshakes_total{result="full",reason=""}': 1,
        }


async def test_connections_of_an_address_are_bounded_before_the_handshake(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, connections_per_address=2) as bench:
        row, client = await bench.device("line-1")
        line = Line(bench, row.href, client)
        held = [await asyncio.open_connection("127.0.0.1", bench.server.port) for _ in range(2)]
        with pytest.raises(ConnectionError):
            await line.send(GET_TIME.encode())
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        assert statuses(await line.send(GET_TIME.encode())) == [200]


async def test_connections_are_bounded_in_all(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, connections=1) as bench:
        row, client = await bench.device("line-1")
        reader, writer = await Line(bench, row.href, client).open()
        with pytest.raises(ConnectionError):
            await Line(bench, row.href, client).open()
        writer.write(GET_TIME.encode())
        assert statuses(await reader.read()) == [200]
        writer.close()
        samples = bench.server.meter.samples()
        assert samples["lineside_turned_away_total"] == {'lineside_turned_away_total{bound="connections"}': 1}


async def test_a_flood_of_headers_is_400(line: Line) -> None:
    many = "".join(f"X-{number}: {number}\r\n" for number in range(1000))
    long = f"X: {'y' * 1_000_000}\r\n"
    for headers in (many, long):
        with contextlib.suppress(ConnectionError):
            answer = await line.send(f"GET /tm HTTP/1.1\r\nHost: a\r\n{headers}\r\n".encode())
            assert statuses(answer)[:1] in ([400], [431])
    assert statuses(await line.send(GET_TIME.encode())) == [200]


async def test_a_head_that_does_not_end_is_refused_before_it_takes_memory(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    """However it comes: at once, octet by octet, and behind a request that was answered."""
    reader, writer = await line.open()
    writer.write(b"GET /tm HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await reader.readuntil(b"</Time>")).startswith(b"HTTP/1.1 200")
    answer = b""
    async with asyncio.timeout(10):
        writer.write(b"GET /tm HTTP/1.1\r\nHost: a\r\n")
        for number in range(17):
            writer.write(f"X-{number}: {'y' * 990}\r\n".encode())
            await asyncio.sleep(0)
        answer = await reader.read()
    assert statuses(answer) == [400]
    writer.close()
    refused = line.post(b"z" * 900_000).replace(SEP_XML.encode(), b"text/plain").replace(CLOSE.encode(), b"")
    answer = await line.send(refused + GET_TIME.encode())
    assert statuses(answer) == [415, 200], "what is left of a body that was refused is no head"
    large = b"GET /tm HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 100 + b"\r\n"
    assert statuses(await line.send(large.replace(b"Host: a", b"Host: a\r\nConnection: close"))) == [200]


async def test_a_client_that_never_reads_is_dropped(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, write_s=1) as bench:
        row, client = await bench.device("line-1")
        line = Line(bench, row.href, client)
        _, writer = await line.open()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        request = b"GET /edev HTTP/1.1\r\nHost: a\r\n\r\n"
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(20):
                while bench.server.connections:
                    writer.write(request * 500)
                    await asyncio.wait_for(writer.drain(), 0.2)
        await asyncio.to_thread(until, lambda: not bench.server.connections)
        writer.transport.abort()
        assert statuses(await line.send(GET_TIME.encode())) == [200]
