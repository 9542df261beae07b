"""The scripted server of the client's cases: what it serves, keeps, notifies and gets wrong on command."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import aiohttp
import pytest
from aiohttp import web

from certs import Credentials, Door, Pki, TlsFiles, client_context, server_context
from conformance_tests import AnyCase, Case, Role, Trial
from conformance_tests.client.bench import ClientBench
from conformance_tests.client.faults import Fault, Moment, Wrong
from conformance_tests.client.seen import Record
from conformance_tests.client.target import ClientSetup, ClientTarget
from conformance_tests.errors import TargetError
from schemas import (
    Codec,
    DERControlBase,
    DERControlList,
    DERControlResponse,
    DERProgramList,
    DERStatus,
    DeviceCapability,
    EndDeviceList,
    Malformed,
    MirrorUsagePoint,
    Notification,
    Registration,
    Resource,
    Subscription,
    Time,
)

R = TypeVar("R")
CODEC = Codec()
SEP = {"Content-Type": "application/sep+xml"}


async def nothing(_: ClientBench) -> None:
    """A case that plays nothing."""


CASE: AnyCase = Case(
    id="stage/ONE/client",
    title="one",
    source="this test",
    clause="1",
    requirement="something holds",
    role=Role.DER_CLIENT,
    procedure=nothing,
)


@dataclass
class Visitor:
    """A client of the stage."""

    http: aiohttp.ClientSession
    bench: ClientBench
    base: str = field(init=False)

    def __post_init__(self) -> None:
        self.base = self.bench.uri.removesuffix("/dcap")

    async def send(self, method: str, href: str, body: object = None) -> tuple[int, dict[str, str], bytes]:
        data = None if body is None else body if isinstance(body, bytes) else CODEC.encode(body)
        async with self.http.request(
            method, self.base + href, data=data, headers=SEP, allow_redirects=False
        ) as answer:
            return answer.status, dict(answer.headers), await answer.read()

    async def read(self, href: str, cls: type[R]) -> R:
        status, _, body = await self.send("GET", href)
        assert status == 200
        return CODEC.decode(body, cls)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    made = Pki.create(tmp_path_factory.mktemp("pki") / "pki", depth=3)
    made.issue_server("server", hosts=["127.0.0.1"])
    made.issue_device("device")
    made.issue_device("stranger")
    return made


def files_of(own: Credentials) -> TlsFiles:
    return TlsFiles(certificate=own.certificate_path, key=own.key_path, roots=own.root_path)


@asynccontextmanager
async def staged(pki: Pki, name: str = "device", *, seed: str | None = "pepper") -> AsyncIterator[Visitor]:
    own = pki.credentials(name)
    setup = ClientSetup(
        role=Role.DER_CLIENT,
        profile="csip",
        tls=files_of(pki.credentials("server")),
        lfdi=str(pki.credentials("device").lfdi),
        seed=seed,
    )
    context = client_context(own.certificate_path, own.key_path, own.root_path)
    trial = Trial(CASE, asyncio.get_running_loop().time)
    async with (
        ClientTarget(setup) as target,
        target.bench(CASE, trial) as bench,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as http,
    ):
        yield Visitor(http, bench)


@pytest.fixture
async def visitor(pki: Pki) -> AsyncIterator[Visitor]:
    async with staged(pki) as made:
        yield made


async def test_a_client_finds_by_links_what_a_case_built(visitor: Visitor) -> None:
    stage = visitor.bench.stage
    device = stage.add_device(visitor.bench.lfdi, pin=222229)
    program = stage.add_program("SP", primacy=4)
    stage.assign(device, [program])
    stage.publish(program, DERControlBase(opModMaxLimW=50), start_s=stage.now() - 1, duration_s=60)

    dcap = await visitor.read("/dcap", DeviceCapability)
    assert dcap.EndDeviceListLink_ is not None
    assert dcap.EndDeviceListLink_.all == 1
    found = await visitor.read(dcap.EndDeviceListLink_.href, EndDeviceList)
    [entry] = found.EndDevice_
    assert entry.RegistrationLink_ is not None
    registration = await visitor.read(entry.RegistrationLink_.href, Registration)
    programs = await visitor.read(stage.tree.addresses.of(f"{device.path}/fsa/1/derp"), DERProgramList)
    link = programs.DERProgram_[0].ActiveDERControlListLink_
    assert link is not None
    assert link.all == 1
    active = await visitor.read(link.href, DERControlList)

    assert entry.lFDI == visitor.bench.lfdi
    assert registration.pIN == 222229
    assert active.DERControl_[0].EventStatus_.currentStatus == 1


async def test_hrefs_say_nothing_of_the_defaults_unless_they_are_asked_for(pki: Pki) -> None:
    async with staged(pki) as scrambled:
        assert scrambled.bench.stage.devices != "/edev"
    async with staged(pki, seed=None) as plain:
        assert plain.bench.stage.devices == "/edev"


async def test_a_stranger_with_a_good_certificate_is_refused(pki: Pki) -> None:
    async with staged(pki, "stranger") as visitor:
        assert (await visitor.send("GET", "/dcap"))[0] == 403
        assert visitor.bench.requests[0].lfdi == pki.credentials("stranger").lfdi


async def test_lists_come_in_their_order_page_by_page(visitor: Visitor) -> None:
    stage = visitor.bench.stage
    now = stage.now()
    for number, at in ((1, now - 10), (2, now), (3, now - 5)):
        stage.add_device(f"{number:040X}", sfdi=number, changed_s=at)

    first = await visitor.read(f"{stage.devices}?s=0&l=2", EndDeviceList)
    rest = await visitor.read(f"{stage.devices}?s=2&l=2", EndDeviceList)

    assert [one.sFDI for one in first.EndDevice_] == [2, 3]
    assert (first.all, first.results) == (3, 2)
    assert [one.sFDI for one in rest.EndDevice_] == [1]
    assert (await visitor.send("GET", f"{stage.devices}?s=x"))[0] == 400


async def test_what_a_client_writes_is_kept_and_shown(visitor: Visitor) -> None:
    stage = visitor.bench.stage
    device = stage.add_device(visitor.bench.lfdi)
    place = device.ders[0].status
    before, _, _ = await visitor.send("GET", place)
    put, _, _ = await visitor.send("PUT", place, DERStatus(readingTime=77))
    posted, headers, _ = await visitor.send(
        "POST", stage.replies, DERControlResponse(endDeviceLFDI=visitor.bench.lfdi, status=1, subject="AB")
    )

    assert (before, put, posted) == (404, 204, 201)
    assert (await visitor.read(place, DERStatus)).readingTime == 77
    assert (await visitor.read(headers["Location"], DERControlResponse)).status == 1
    assert [(one.lfdi, one.status) for one in visitor.bench.replies("ab")] == [(visitor.bench.lfdi, 1)]


async def test_a_mirror_usage_point_is_made_once(visitor: Visitor) -> None:
    point = MirrorUsagePoint(
        mRID="AB", roleFlags="49", serviceCategoryKind=0, status=1, deviceLFDI=visitor.bench.lfdi
    )
    mirrors = visitor.bench.stage.mirrors
    first, headers, _ = await visitor.send("POST", mirrors, point)
    second, again, _ = await visitor.send("POST", mirrors, point)

    assert (first, second) == (201, 204)
    assert headers["Location"] == again["Location"]
    assert (await visitor.read(headers["Location"], MirrorUsagePoint)).postRate == 60


async def test_what_must_not_be_written_is_refused(visitor: Visitor) -> None:
    stage = visitor.bench.stage
    assert (await visitor.send("PUT", stage.time, b"<x/>"))[0] == 405
    assert (await visitor.send("FOO", stage.time))[0] == 501
    assert (await visitor.send("POST", stage.replies, b"<x/>"))[0] == 400
    assert visitor.bench.requests[-1].flaws


async def test_time_can_jump_while_waiting_goes_on(visitor: Visitor) -> None:
    stage = visitor.bench.stage
    before = (await visitor.read(stage.time, Time)).currentTime
    elapsed = visitor.bench.clock.elapsed_s()
    visitor.bench.clock.shift(10_000)

    assert (await visitor.read(stage.time, Time)).currentTime - before >= 10_000
    assert visitor.bench.clock.elapsed_s() - elapsed < 1_000


async def test_rates_change_while_it_runs(visitor: Visitor) -> None:
    stage = visitor.bench.stage
    stage.set_rate("EndDeviceList", 33)
    assert (await visitor.read(stage.devices, EndDeviceList)).pollRate == 33


async def test_a_resource_that_moved_is_gone_where_it_was(visitor: Visitor) -> None:
    stage = visitor.bench.stage
    old = stage.devices
    new = stage.move(old)

    assert (await visitor.send("GET", old))[0] == 404
    dcap = await visitor.read("/dcap", DeviceCapability)
    assert dcap.EndDeviceListLink_ is not None
    assert dcap.EndDeviceListLink_.href == new != old


@pytest.mark.parametrize("wrong", list(Wrong))
async def test_a_spoiled_body_cannot_be_read(visitor: Visitor, wrong: Wrong) -> None:
    visitor.bench.fault(Fault(routes=frozenset({"Time"}), wrong=wrong))
    _, _, body = await visitor.send("GET", visitor.bench.stage.time)
    with pytest.raises(Malformed):
        CODEC.decode(body, Time)


@pytest.mark.parametrize(("drop", "taken"), [(Moment.BEFORE_TAKEN, 0), (Moment.BEFORE_ANSWER, 1)])
async def test_a_dropped_connection_gives_no_answer(visitor: Visitor, drop: Moment, taken: int) -> None:
    stage = visitor.bench.stage
    reply = DERControlResponse(endDeviceLFDI=visitor.bench.lfdi, status=1, subject="AB")
    visitor.bench.fault(Fault(methods=frozenset({"POST"}), drop=drop))
    with pytest.raises(aiohttp.ClientError):
        await visitor.send("POST", stage.replies, reply)

    assert len(stage.tree.held[stage.replies].items) == taken
    assert visitor.bench.replies("AB") == []


async def test_an_answer_can_end_in_its_middle(visitor: Visitor) -> None:
    visitor.bench.fault(Fault(drop=Moment.WITHIN_ANSWER))
    with pytest.raises(aiohttp.ClientError):
        await visitor.send("GET", "/dcap")


async def test_faults_answer_redirect_and_end(visitor: Visitor) -> None:
    bench = visitor.bench
    other = bench.serving.listen(bench.host)
    bench.fault(Fault(status=500, times=1, retry_after_s=3))
    failed, headers, _ = await visitor.send("GET", "/dcap")
    bench.fault(Fault(status=301, location=f"https://{bench.host}:{other}", times=1))
    moved, where, _ = await visitor.send("GET", "/dcap?s=0")

    assert (failed, headers["Retry-After"]) == (500, "3")
    assert (moved, where["Location"]) == (301, f"https://{bench.host}:{other}/dcap?s=0")
    assert (await visitor.send("GET", "/dcap"))[0] == 200


async def test_a_server_that_restarts_keeps_what_it_holds(visitor: Visitor) -> None:
    bench = visitor.bench
    bench.stage.add_device(bench.lfdi)
    gone = asyncio.create_task(bench.power_cycle(0.2))
    await asyncio.sleep(0)
    with pytest.raises(aiohttp.ClientError):
        await visitor.send("GET", "/dcap")
    await gone

    assert (await visitor.read(bench.stage.devices, EndDeviceList)).all == 1


async def test_a_change_is_told_to_who_subscribed(visitor: Visitor, pki: Pki) -> None:
    told: asyncio.Queue[Resource] = asyncio.Queue()
    own = pki.credentials("device")

    async def hear(request: web.BaseRequest) -> web.Response:
        told.put_nowait(CODEC.decode(await request.read(), Notification))
        return web.Response(status=400)

    listener = web.Server(hear)
    door = Door.at(
        "127.0.0.1", 0, listener, server_context(own.certificate_path, own.key_path, own.root_path)
    )
    bench = visitor.bench
    device = bench.stage.add_device(bench.lfdi)
    subscription = Subscription(
        subscribedResource=bench.stage.devices,
        encoding=0,
        level="+S1",
        limit=10,
        notificationURI=f"https://127.0.0.1:{door.port}/ntfy",
    )
    status, headers, _ = await visitor.send("POST", device.subscriptions, subscription)
    bench.stage.add_device("AB", sfdi=6)
    async with asyncio.timeout(10):
        heard = await told.get()
    dropped = await bench.waits(lambda: headers["Location"] not in bench.stage.tree.held, 10)
    await door.close()
    await listener.shutdown(0.1)

    assert status == 201
    assert isinstance(heard, Notification)
    assert isinstance(heard.Resource_, EndDeviceList)
    assert heard.Resource_.all == 2
    assert dropped
    assert bench.notified[0].answer == 400


async def test_every_request_is_kept_with_its_tls_facts(visitor: Visitor) -> None:
    await visitor.send("GET", "/dcap")
    [seen] = visitor.bench.requests
    facts = seen.exchange.tls

    assert facts is not None
    assert (facts.version, len(facts.chain)) == ("TLSv1.2", 3)
    assert (seen.method, seen.route, seen.status) == ("GET", "DeviceCapability", 200)
    assert visitor.bench.trial.evidence.exchanges == [seen.exchange]


async def test_answers_that_are_the_same_are_kept_once(visitor: Visitor) -> None:
    for _ in range(3):
        await visitor.send("GET", "/dcap")

    assert len({id(one.exchange.body) for one in visitor.bench.requests}) == 1
    assert len(visitor.bench.trial.evidence.exchanges) == 1


async def test_a_client_that_floods_the_server_ends_the_waiting(visitor: Visitor) -> None:
    record = visitor.bench.serving.record = Record(visitor.bench.clock, most=2)
    for _ in range(4):
        await visitor.send("GET", "/dcap")

    assert len(record.requests) == 2
    with pytest.raises(TargetError, match="more than 2 requests"):
        await visitor.bench.first(lambda one: one.path == "/none", 5)


async def test_octets_that_are_no_request_end_the_connection_alone(visitor: Visitor, pki: Pki) -> None:
    own = pki.credentials("device")
    context = client_context(own.certificate_path, own.key_path, own.root_path)
    reader, writer = await asyncio.open_connection("127.0.0.1", visitor.bench.port, ssl=context)
    writer.write(b"\x00\x01 garbage\r\n\r\n")
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()

    assert "no request line" in visitor.bench.record.handshakes[-1]
    assert (await visitor.send("GET", "/dcap"))[0] == 200


async def test_waiting_for_a_request_ends_when_it_comes_or_in_bounded_time(visitor: Visitor) -> None:
    bench = visitor.bench
    waiting = asyncio.create_task(bench.first(lambda one: one.path == "/dcap", 10))
    await visitor.send("GET", bench.stage.time)
    await visitor.send("GET", "/dcap")
    found = await waiting

    assert found is not None
    assert found.path == "/dcap"
    assert await bench.first(lambda one: one.path == "/none", 0.05) is None


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_client_that_waits_before_its_body_is_told_to_go_on(
    visitor: Visitor, is_chunked: bool
) -> None:
    """RFC 9110, 10.1.1."""
    body = CODEC.encode(Time(currentTime=1, dstEndTime=0, dstOffset=0, dstStartTime=0, quality=7, tzOffset=0))

    async def parts() -> AsyncIterator[bytes]:
        yield body

    data = parts() if is_chunked else body
    async with visitor.http.post(visitor.base + "/dcap", data=data, headers=SEP, expect100=True) as answer:
        assert answer.status == 405
