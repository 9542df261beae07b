"""A second media type over the wire, by a codec that wraps XML in a marker. IEEE 2030.5-2018, 4.5."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from certs import Pki
from schemas import Codec, DERControlList, Error, LogEvent, LogEventList, Malformed, Notification
from sep2_server import BodyCodec, BodyCodecs
from sep2_server.body_codecs import EXI_MEDIA_TYPE
from tests.integration.notifications.listening import listening, wish
from tests.integration.sep2_harness import SEP_XML, START, Bench, make_control, running

MARK = b"$EXI"
BOTH = f"{EXI_MEDIA_TYPE}, {SEP_XML};q=0.5"


@dataclass(frozen=True)
class Marked:
    """What stands for EXI here: the document backwards after a marker."""

    media_type: str = EXI_MEDIA_TYPE
    encoding: int = 1

    def encode(self, document: bytes) -> bytes:
        """Mark a document."""
        return MARK + document[::-1]

    def decode(self, body: bytes, *, most: int) -> bytes:
        """Take the mark off."""
        if not body.startswith(MARK) or len(body) > most + len(MARK):
            raise Malformed("well-formed", "no mark")
        return body[len(MARK) :][::-1]


CODEC: BodyCodec = Marked()
EVENT = LogEvent(
    createdDateTime=START,
    functionSet=11,
    logEventCode=0,
    logEventID=1,
    logEventPEN=40732,
    profileID=2,
)


def unmarked(body: bytes) -> bytes:
    return CODEC.decode(body, most=1 << 20)


@pytest.fixture
async def bench(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    """A server with the second codec."""
    async with running(
        tmp_path, sep2_pki, codecs=BodyCodecs([CODEC]), notification_gap_ms=0, notification_hosts="127.0.0.1"
    ) as made:
        yield made


@pytest.mark.parametrize("path", ["/dcap", "/tm", "/edev", "/derp?l=1"])
async def test_each_client_gets_its_type_from_memory_too(bench: Bench, path: str) -> None:
    _, client = await bench.device("one")
    kinds = (SEP_XML, EXI_MEDIA_TYPE, "*/*", BOTH, SEP_XML)
    replies = [await client.get(path, Accept=accept) for accept in kinds]
    assert [reply.headers["Content-Type"] for reply in replies] == [
        SEP_XML,
        EXI_MEDIA_TYPE,
        SEP_XML,
        EXI_MEDIA_TYPE,
        SEP_XML,
    ]
    assert {unmarked(reply.body) for reply in replies[1::2]} == {reply.body for reply in replies[::2]}


async def test_what_has_changed_is_new_in_both_types(bench: Bench) -> None:
    row, client = await bench.device("one")
    path = f"{row.href}/lel"
    for accept in (SEP_XML, EXI_MEDIA_TYPE):
        await client.get(path, Accept=accept)
    assert (await client.post(path, EVENT)).status == 201
    xml, other = [await client.get(path, Accept=accept) for accept in (SEP_XML, EXI_MEDIA_TYPE)]
    assert (xml.decoded(LogEventList).all, unmarked(other.body)) == (1, xml.body)


async def test_a_body_is_read_by_the_codec_of_its_type(bench: Bench) -> None:
    row, client = await bench.device("one")
    body = CODEC.encode(Codec().encode(EVENT))
    kinds = (EXI_MEDIA_TYPE, f"{EXI_MEDIA_TYPE.upper()};level=+S1", SEP_XML, "application/other")
    replies = [await client.send("POST", f"{row.href}/lel", body, {"Content-Type": kind}) for kind in kinds]
    assert [reply.status for reply in replies] == [201, 201, 400, 415]
    assert (await client.read(f"{row.href}/lel", LogEventList)).all >= 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/edev/99999", 404), ("POST", "/dcap", 405), ("POST", "/edev", 400)],
)
async def test_an_error_is_told_in_the_type_that_the_client_accepts(
    bench: Bench, method: str, path: str, status: int
) -> None:
    _, client = await bench.device("one")
    headers = {"Accept": EXI_MEDIA_TYPE, "Content-Type": EXI_MEDIA_TYPE}
    body = b"no mark" if method == "POST" else None
    reply = await client.send(method, path, body, headers)
    assert (reply.status, reply.headers["Content-Type"]) == (status, EXI_MEDIA_TYPE)
    Codec().decode(unmarked(reply.body), Error)


async def test_who_accepts_nothing_of_ours_is_told_in_xml(bench: Bench) -> None:
    _, client = await bench.device("one")
    reply = await client.get("/dcap", Accept="text/html")
    assert (reply.status, reply.headers["Content-Type"]) == (406, SEP_XML)
    reply.decoded(Error)


async def test_notifications_are_written_in_the_encoding_of_the_subscription(bench: Bench) -> None:
    row, client = await bench.device("one")
    _, program = await bench.group("feeder", "one")
    async with listening(bench.credentials("one")) as listener:
        asked = wish(f"{program.href}/derc", listener.uri)
        asked.encoding = 1
        assert (await client.post(f"{row.href}/sub", asked)).status == 201
        await bench.control(program, make_control("A1", START + 60, 60))
        async with asyncio.timeout(15):
            posted = await listener.queue.get()
    assert posted.headers["Content-Type"] == EXI_MEDIA_TYPE
    note = Codec().decode(unmarked(posted.body), Notification)
    assert isinstance(note.Resource_, DERControlList)
    assert [control.mRID for control in note.Resource_.DERControl_] == ["A1"]


async def test_without_the_codec_its_encoding_and_type_are_refused(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, notification_hosts="127.0.0.1") as plain:
        row, client = await plain.device("one")
        asked = wish(f"{row.href}/fsa", "https://127.0.0.1:1/ntfy")
        asked.encoding = 1
        statuses = [
            (await client.post(f"{row.href}/sub", asked)).status,
            (await client.get("/dcap", Accept=EXI_MEDIA_TYPE)).status,
            (await client.send("POST", f"{row.href}/lel", b"x", {"Content-Type": EXI_MEDIA_TYPE})).status,
        ]
    assert statuses == [400, 406, 415]
