"""One line for each request, whatever came of it: who, what, status."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from certs import Pki
from schemas import DERAvailability
from sep2_server.process.log_lines import Access
from tests.integration.sep2_harness import START, Bench, running
from tests.integration.test_sep2_profiles import without_certificate

if TYPE_CHECKING:
    from sep2_server.process.log_writer import AccessLog


class Kept:
    """Lines instead of a log."""

    is_on = True

    def __init__(self) -> None:
        self.lines: list[Access] = []

    def number(self) -> int:
        """Number of the next line."""
        return len(self.lines)

    def put(self, access: Access) -> None:
        """Keep a line."""
        self.lines.append(access)


@pytest.fixture
def kept(bench: Bench) -> Kept:
    kept = Kept()
    bench.server.access = cast("AccessLog", kept)
    return kept


async def test_each_request_is_one_line_whatever_its_answer(bench: Bench, kept: Kept) -> None:
    row, client = await bench.device("line-1")
    stranger = await bench.client("line-2")
    der = f"{row.href}/der/{bench.store.reader.of_kind('DER', limit=1)[0].id}"
    for _ in range(3):
        await client.get("/tm")
    await client.put(f"{der}/dera", DERAvailability(readingTime=START))
    await client.put(f"{der}/dera", DERAvailability(readingTime=START))
    await client.send("PUT", f"{der}/dera", b"<nothing/>")
    await client.get("/none?x=1")
    await client.send("DELETE", "/tm")
    await client.send("FOO", "/tm")
    await stranger.get("/dcap")
    told = [(line.method, line.target, line.status, line.route) for line in kept.lines]
    assert told == [
        ("GET", "/tm", 200, "Time"),
        ("GET", "/tm", 200, "Time"),
        ("GET", "/tm", 200, "Time"),
        ("PUT", f"{der}/dera", 204, "DERAvailability"),
        ("PUT", f"{der}/dera", 204, "DERAvailability"),
        ("PUT", f"{der}/dera", 400, ""),
        ("GET", "/none?x=1", 404, ""),
        ("DELETE", "/tm", 405, ""),
        ("UNKNOWN", "/", 501, ""),
        ("GET", "/dcap", 403, ""),
    ]
    lfdis = [bench.credentials(name).lfdi for name in ("line-1", "line-2")]
    assert [line.lfdi for line in kept.lines] == [lfdis[0]] * 9 + [lfdis[1]]
    assert all(0 <= line.seconds < 10 for line in kept.lines)
    assert [line.received > 0 for line in kept.lines] == [line.method == "PUT" for line in kept.lines]


async def test_a_request_that_fails_in_the_server_is_a_line(
    bench: Bench, kept: Kept, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    _, client = await bench.device("line-1")
    monkeypatch.setattr(bench.server.answering, "respond_by", fail)
    assert (await client.get("/tm?l=1")).status == 500
    lfdi = bench.credentials("line-1").lfdi
    told = [(line.method, line.target, line.status, line.lfdi) for line in kept.lines]
    assert told == [("GET", "/tm?l=1", 500, lfdi)]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "A request failed"
    ]
    samples = bench.server.meter.samples()["lineside_requests_total"]
    assert [number for name, number in samples.items() if 'status="500"' in name] == [1]


async def test_a_request_without_a_certificate_is_a_line_of_nobody(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, refused_certificate="403") as bench:
        kept = Kept()
        bench.server.access = cast("AccessLog", kept)
        assert await without_certificate(bench, "/dcap") == 403
        assert [(line.lfdi, line.target, line.status) for line in kept.lines] == [("", "/dcap", 403)]
