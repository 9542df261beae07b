"""What a server must refuse: the right status, an Error body, nothing stored, no word of its insides."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator

import pytest

from certs import Pki, client_context
from schemas import Error, LogEvent, LogEventList
from schemas.codes import ErrorReason
from tests.integration.sep2_harness import SEP_XML, Bench, Client

pytestmark = pytest.mark.usefixtures("each_database")
GOOD = (
    b'<LogEvent xmlns="urn:ieee:std:2030.5:ns"><createdDateTime>1700000000</createdDateTime>'
    b"<functionSet>11</functionSet><logEventCode>0</logEventCode><logEventID>1</logEventID>"
    b"<logEventPEN>40732</logEventPEN><profileID>2</profileID></LogEvent>"
)
NAMED = GOOD.replace(b"<functionSet>11</functionSet>", b"<functionSet>&x;</functionSet>")
FORMAT, VALUES, LIMIT = (
    ErrorReason.INVALID_FORMAT,
    ErrorReason.INVALID_VALUES,
    ErrorReason.RESOURCE_LIMIT_REACHED,
)
BODIES = [
    pytest.param(b"", FORMAT, id="empty"),
    pytest.param(GOOD[:-3], FORMAT, id="not-well-formed"),
    pytest.param(b"\x00\xff\xfe", FORMAT, id="binary"),
    pytest.param(b"<!DOCTYPE a>" + GOOD, FORMAT, id="doctype"),
    pytest.param(b'<!DOCTYPE a [<!ENTITY x "11">]>' + NAMED, FORMAT, id="internal-entity"),
    pytest.param(
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + NAMED, FORMAT, id="external-entity"
    ),
    pytest.param(
        b'<!DOCTYPE a [<!ENTITY a "1"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY x "&b;&b;&b;&b;">]>' + NAMED,
        FORMAT,
        id="entity-expansion",
    ),
    pytest.param(
        GOOD.replace(b"<profileID>", b"<colour>red</colour><profileID>"), FORMAT, id="unknown-element"
    ),
    pytest.param(
        GOOD.replace(b"<functionSet>11</functionSet>", b"").replace(
            b"</LogEvent>", b"<functionSet>11</functionSet></LogEvent>"
        ),
        FORMAT,
        id="wrong-order",
    ),
    pytest.param(GOOD.replace(b"<profileID>2</profileID>", b""), FORMAT, id="missing-element"),
    pytest.param(b'<Time xmlns="urn:ieee:std:2030.5:ns"/>', FORMAT, id="another-type"),
    pytest.param(GOOD.replace(b"urn:ieee:std:2030.5:ns", b"http://zigbee.org/sep"), FORMAT, id="namespace"),
    pytest.param(GOOD.replace(b">11<", b">256<"), VALUES, id="out-of-range"),
    pytest.param(GOOD.replace(b">11<", b">eleven<"), FORMAT, id="no-number"),
    pytest.param(GOOD + b" " * (1 << 20), LIMIT, id="oversized"),
    pytest.param(GOOD.replace(b"<functionSet>", b"<a>" * 5000 + b"<functionSet>"), FORMAT, id="deep"),
]


@pytest.fixture
async def log_list(bench: Bench, caplog: pytest.LogCaptureFixture) -> AsyncIterator[tuple[Client, str]]:
    """A device and its LogEventList; afterwards the list is empty and the server has logged no error."""
    row, client = await bench.device("bad-1")
    href = f"{row.href}/lel"
    yield client, href
    page = await client.read(href, LogEventList)
    assert page.all == 0
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(("body", "reason"), BODIES)
async def test_a_bad_body_is_400_with_an_error_body(
    log_list: tuple[Client, str], body: bytes, reason: int
) -> None:
    client, href = log_list
    reply = await client.send("POST", href, body)
    assert reply.status == 400
    assert reply.headers["Content-Type"] == SEP_XML
    assert reply.decoded(Error) == Error(reasonCode=reason)


async def test_chunks_beyond_the_limit_are_400(log_list: tuple[Client, str], bench: Bench) -> None:
    _, href = log_list
    body = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    head = f"POST {href} HTTP/1.1\r\nHost: a\r\nContent-Type: {SEP_XML}\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await raw(bench, head.encode() + body * 17)
    assert answer.partition(b" ")[2].startswith(b"400 ")


@pytest.mark.parametrize("kind", ["text/xml", "application/json", "application/sep-exi", "nonsense"])
async def test_another_media_type_is_415(log_list: tuple[Client, str], kind: str) -> None:
    client, href = log_list
    reply = await client.send("POST", href, GOOD, {"Content-Type": kind})
    assert (reply.status, reply.decoded(Error).reasonCode) == (415, FORMAT)


async def test_the_level_of_a_media_type_is_no_other_type(bench: Bench) -> None:
    row, client = await bench.device("bad-2")
    reply = await client.send(
        "POST", f"{row.href}/lel", GOOD, {"Content-Type": "application/sep+xml; level=+S1"}
    )
    assert reply.status == 201
    assert (await client.read(reply.location, LogEvent)).logEventID == 1


@pytest.mark.parametrize("accept", ["text/html", "application/sep-exi", "application/sep+xml;q=0"])
async def test_what_cannot_be_accepted_is_406(bench: Bench, accept: str) -> None:
    _, client = await bench.device("bad-1")
    reply = await client.get("/tm", Accept=accept)
    assert (reply.status, reply.decoded(Error).reasonCode) == (406, FORMAT)


@pytest.mark.parametrize(
    "accept", ["application/sep+xml;level=-S1", "text/html, */*;q=0.1", "application/*", SEP_XML.upper()]
)
async def test_what_can_be_accepted_is_200(bench: Bench, accept: str) -> None:
    _, client = await bench.device("bad-1")
    assert (await client.get("/tm", Accept=accept)).status == 200


@pytest.mark.parametrize("query", ["s=-1", "l=x", "a=1.5", "s=", "l=%F0"])
async def test_a_query_that_is_no_number_is_400(bench: Bench, query: str) -> None:
    _, client = await bench.device("bad-1")
    reply = await client.get(f"/edev?{query}")
    assert (reply.status, reply.decoded(Error).reasonCode) == (400, VALUES)


async def test_the_query_of_what_is_no_list_is_ignored(bench: Bench) -> None:
    _, client = await bench.device("bad-1")
    assert (await client.get("/tm?s=-1&l=x")).status == 200


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        pytest.param("FOO /dcap HTTP/1.1\r\nHost: a\r\n\r\n", 501, id="unknown-method"),
        pytest.param(
            "PATCH /dcap HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 501, id="method-beyond-the-five"
        ),
        pytest.param("GET /dcap HTTP/1.1\r\n\r\n", 400, id="missing-host"),
        pytest.param("GET /dcap\r\n\r\n", 400, id="no-version"),
        pytest.param("nonsense\r\n\r\n", 400, id="no-request"),
        pytest.param("GET /dcap HTTP/1.1\r\nHost: a\r\nBad Header\r\n\r\n", 400, id="bad-header"),
        pytest.param("GET /dcap HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200, id="fine"),
        pytest.param(
            "GET https://a:1/dcap HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200, id="whole-uri"
        ),
        pytest.param("GET /no/such HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404, id="unknown"),
        pytest.param("GET /%2e%2e/dcap HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404, id="dots"),
    ],
)
async def test_http_itself_has_its_own_refusals(bench: Bench, request_text: str, status: int) -> None:
    await bench.enrol("bad-1")
    answer = await raw(bench, request_text.encode())
    assert answer.partition(b" ")[2].startswith(f"{status} ".encode())
    assert (b"<Error " in answer) == (status != 200)


async def test_a_body_may_wait_to_be_asked_for(bench: Bench) -> None:
    row = await bench.enrol("bad-1")
    head = f"POST {row.href}/lel HTTP/1.1\r\nHost: a\r\nContent-Type: {SEP_XML}\r\nConnection: close\r\n"
    lengths = f"Content-Length: {len(GOOD)}\r\nExpect: 100-continue\r\n\r\n"
    answer = await raw(bench, (head + lengths).encode() + GOOD)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 ")


async def test_head_has_the_headers_of_get_and_no_body(bench: Bench) -> None:
    row, client = await bench.device("bad-1")
    got = await client.get(row.href)
    head = await client.send("HEAD", row.href)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(got.body))
    assert head.headers["Content-Type"] == SEP_XML


async def test_an_unknown_client_is_403_everywhere(bench: Bench) -> None:
    row = await bench.enrol("bad-1")
    stranger = await bench.client("stranger")
    paths = ("/dcap", "/tm", "/edev", row.href, "/no/such", "/derp")
    replies = [await stranger.get(path) for path in paths]
    assert [reply.status for reply in replies] == [403] * 6


async def test_a_certificate_of_a_foreign_root_does_not_get_through(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    foreign = Pki.create(tmp_path_factory.mktemp("foreign") / "pki", depth=2).issue_device("mallory")
    context = client_context(foreign.certificate_path, foreign.key_path, bench.pki.root_path)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await exchange(bench, context, b"GET /dcap HTTP/1.1\r\nHost: a\r\n\r\n")


async def test_a_self_signed_certificate_does_not_get_through(bench: Bench) -> None:
    name = "self-signed"
    known = (bench.pki.folder / name).is_dir()
    credentials = bench.pki.credentials(name) if known else bench.pki.issue_self_signed(name)
    context = client_context(credentials.certificate_path, credentials.key_path, bench.pki.root_path)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await exchange(bench, context, b"GET /dcap HTTP/1.1\r\nHost: a\r\n\r\n")


async def test_a_failure_of_the_server_is_500_without_a_word_of_why(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, client = await bench.device("bad-1")

    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("sep2_server.dispatch.time_at", fail)
    reply = await client.get("/tm")
    assert reply.status == 500
    assert b"secret" not in reply.body
    assert reply.decoded(Error).reasonCode == VALUES
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.message for record in errors] == ["A request failed"]


async def raw(bench: Bench, text: bytes) -> bytes:
    """What the server sends to octets of an enrolled client until it closes or has answered."""
    credentials = bench.credentials("bad-1")
    context = client_context(credentials.certificate_path, credentials.key_path, credentials.root_path)
    return await exchange(bench, context, text)


async def exchange(bench: Bench, context: ssl.SSLContext, text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.server.port, ssl=context)
    try:
        writer.write(text)
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()
