"""What a fleet counts, tells, polls and reports, without a server."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from certs import LFDI
from lineside.fleet.decoding import Decoder
from lineside.fleet.device import Device
from lineside.fleet.identities import Identity
from lineside.fleet.processes import share_of
from lineside.fleet.reports import Answers, output_w, readings
from lineside.fleet.share import Plan
from lineside.fleet.tally import Latencies, Tally
from lineside.fleet.telling import as_data, histogram, progress, table
from lineside.fleet.tour import Tour
from lineside.fleet.wire import Reply, WireError
from schemas import (
    DateTimeInterval,
    DERControl,
    DERControlBase,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    EndDeviceListLink,
    EventStatus,
    MirrorUsagePointListLink,
    TimeLink,
)

NOW = 1_700_000_000


def measured() -> Tally:
    tally = Tally(seconds=2.0, ready=1)
    for latency_ms in (1.0, 2.0, 100.0):
        tally.took("GET Time", 200, latency_ms)
    tally.took("PUT DERStatus", 404, 3.0)
    tally.shook(resumed=True, latency_ms=4.0)
    tally.flaws["no HTTP"] += 1
    return tally


def test_percentiles_are_exact_to_five_per_cent() -> None:
    latencies = Latencies()
    for n in range(1, 1001):
        latencies.add(n / 10)
    assert [latencies.percentile_ms(p) for p in (50, 90, 99)] == pytest.approx([50, 90, 99], rel=0.05)
    assert latencies.max_ms == 100


def test_nothing_measured_is_zero() -> None:
    assert (Latencies().percentile_ms(99), histogram(Latencies())) == (0.0, [])


def test_what_two_processes_measured_adds_up() -> None:
    whole = Tally()
    whole.merge(measured())
    whole.merge(measured())
    assert (whole.requests, whole.errors, whole.ready, whole.seconds) == (8, 4, 2, 2.0)
    assert whole.kinds["GET Time"].statuses == {200: 6}
    assert whole.handshakes["resumed"].count == 2


def test_table_tells_kinds_histogram_flaws_and_throughput() -> None:
    text = table(measured())
    assert "PUT DERStatus                           1       1" in text
    assert "<=    100 ms        1  100.0 %" in text
    assert "1 times: no HTTP" in text
    assert "4 requests of 1 devices in 2.0 s: 2.0/s, 2 errors" in text


def test_data_and_progress_tell_the_same() -> None:
    told = as_data(measured())
    assert (told["requests"], told["errors"], told["devices"]) == (4, 2, 1)
    line = progress(measured(), devices=3, since=7)
    assert line.startswith("     2 s  1/3 devices  4 requests  7/s  2 errors")


def test_tour_follows_links_at_the_rates_of_the_server() -> None:
    tour = Tour("/dcap", lfdi="AB" * 20, sfdi=1, now_s=0.0, speed=10.0)
    dcap = DeviceCapability(
        pollRate=600, TimeLink_=TimeLink(href="/t"), EndDeviceListLink_=EndDeviceListLink(href="/e", all=1)
    )
    tour.took(tour.due(0.0)[0], dcap, 0.0, 0.5)
    assert {stop.href: stop.poll_s for stop in tour.stops.values()} == {"/dcap": 60, "/t": 60, "/e": 60}
    assert [stop.href for stop in tour.due(0.0)] == ["/t", "/e"]
    assert tour.stops["/dcap"].due_s == 63.0
    assert [len(tour.due(s)) for s in (62.9, 63.0)] == [2, 3]


class Deaf:
    """A server that is read from, and breaks each connection on which something is posted."""

    def __init__(self) -> None:
        self.times = 0
        self.asked_enough = asyncio.Event()

    async def exchange(self, kind: str, _method: str, href: str, _body: bytes = b"") -> Reply:
        if kind.startswith("POST"):
            raise WireError("broken")
        path = href.partition("?")[0]
        self.times += path == "/e"
        if self.times == 3:
            self.asked_enough.set()
        return Reply(200, {}, Decoder().encoded(PAGES[path]), f"https://127.0.0.1{href}")

    async def close(self) -> None:
        """Nothing is open."""


PAGES = {
    "/dcap": DeviceCapability(
        EndDeviceListLink_=EndDeviceListLink(href="/e", all=1),
        MirrorUsagePointListLink_=MirrorUsagePointListLink(href="/m", all=0),
    ),
    "/e": EndDeviceList(
        all=1, results=1, EndDevice_=[EndDevice(href="/e/1", lFDI="AB" * 20, sFDI=11, changedTime=0)]
    ),
}


async def test_a_device_that_finds_itself_again_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    server, tally, none = Deaf(), Tally(), Path()
    monkeypatch.setattr("lineside.fleet.device.Wire", lambda *_, **__: server)
    identity = Identity(name="one", certificate=none, key=none, roots=none, lfdi=LFDI("AB" * 20), sfdi=11)
    plan = Plan(url="/dcap", identities=[identity], duration_s=60)
    device = Device(identity, plan, Decoder(), tally, Random(1))  # noqa: S311 - spread of a load
    life = asyncio.ensure_future(device.live(0.0, 0.01))
    async with asyncio.timeout(10):
        await server.asked_enough.wait()
    life.cancel()
    assert tally.flaws["broken"] >= 2
    assert tally.ready == 1


def test_tour_takes_its_own_end_device_and_no_other() -> None:
    tour = Tour("/dcap", lfdi="ab" * 20, sfdi=11, now_s=0.0)
    others = [
        EndDevice(href="/1", lFDI="CD" * 20, sFDI=11, changedTime=0),
        EndDevice(href="/2", lFDI="AB" * 20, sFDI=12, changedTime=0),
    ]
    tour.took(tour.due(0.0)[0], EndDeviceList(all=2, results=2, EndDevice_=others), 0.0, 0.0)
    assert tour.end_device is not None
    assert tour.end_device.href == "/2"


def test_resource_that_is_gone_is_dropped_and_the_root_is_not() -> None:
    tour = Tour("/dcap", lfdi="ab" * 20, sfdi=11, now_s=0.0)
    tour.drop(tour.stops["/dcap"])
    assert set(tour.stops) == {"/dcap"}


@pytest.mark.parametrize(
    ("required", "state", "now", "statuses"),
    [
        ("00", 1, NOW, []),
        ("01", 1, NOW, [1]),
        ("03", 0, NOW - 100, [1]),
        ("03", 1, NOW, [1, 2]),
        ("02", 1, NOW + 60, [2, 3]),
        ("03", 2, NOW, [1, 6]),
        ("03", 3, NOW, [1, 6]),
        ("03", 4, NOW, [1, 7]),
    ],
)
def test_responses_that_are_owed(required: str, state: int, now: int, statuses: list[int]) -> None:
    control = DERControl(
        replyTo="/r",
        responseRequired=required,
        mRID="AA",
        creationTime=NOW - 200,
        EventStatus_=EventStatus(currentStatus=state, dateTime=NOW, potentiallySuperseded=False),
        interval=DateTimeInterval(start=NOW, duration=60),
        DERControlBase_=DERControlBase(),
    )
    answers = Answers()
    assert [r.status for _, r in answers.owed([control], "AB" * 20, now)] == statuses
    assert list(answers.owed([control], "AB" * 20, now)) == []


def test_readings_of_one_interval_have_one_name() -> None:
    assert readings("AB", NOW, 60) == readings("AB", NOW, 60)
    assert readings("AB", NOW, 60) != readings("AB", NOW + 60, 60)


def test_output_is_that_of_a_sun() -> None:
    midnight = NOW - NOW % 86_400
    assert [output_w(midnight + h * 3600) for h in (0, 6, 12, 18)] == [0, 0, 5000, 0]


def test_shares_of_processes_add_up_to_the_fleet() -> None:
    plan = Plan(url="", identities=list(range(5)), duration_s=1, rate=10.0)  # type: ignore[arg-type]
    shares = [share_of(plan, n, 2) for n in range(2)]
    assert [list(share.identities) for share in shares] == [[0, 2, 4], [1, 3]]  # type: ignore[comparison-overlap]
    assert sum(share.rate or 0 for share in shares) == pytest.approx(10.0)
