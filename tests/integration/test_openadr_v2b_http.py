"""The 2.0b VEN over real sockets and TLS: against our VTN, and against that of openleadr."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from certs import PinningContext, openadr_client_context, openadr_server_context
from lineside.demo.ports import free_port
from openadr_ven.events import Step, uniform
from openadr_ven.memory import InMemory
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.client import Settings, Ven
from openadr_ven.v2b.desk import Desk
from openadr_ven.v2b.errors import Malformed, Refused, TransportError
from openadr_ven.v2b.exchange import Exchange
from openadr_ven.v2b.http import HttpTransport
from openadr_ven.v2b.ports import SystemClock
from openadr_ven.v2b.reading import read
from openadr_ven.v2b.replay import ReplayGuard
from openadr_ven.v2b.report_messages import POWER, DataPoint, ReportOffer, Sampling
from openadr_ven.v2b.signature import Verifier
from openadr_ven.v2b.writing import write
from openadr_ven.vtn.v2b import Fault, Vtn
from openadr_ven.vtn.v2b_http import VtnServer
from tests.unit.openadr_ven.v2b.conversations import EVENT
from tests.unit.openadr_ven.v2b.keys import Identity, identity
from tests.unit.openadr_ven.v2b.test_v2b_tls import files
from tests.unit.openadr_ven.v2b.world import SITE, Meters

QUERY = write(m.QueryRegistration(requestID="r1"))
OFFER = ReportOffer(
    reportSpecifierID="usage",
    reportName="TELEMETRY_USAGE",
    buffer_s=3600,
    points=(
        DataPoint(
            rID="battery-w",
            reportType="usage",
            readingType="Direct Read",
            resource="battery",
            measure=POWER,
            sampling=Sampling(least_s=1, most_s=60),
        ),
    ),
)


async def soon(fact: Callable[[], object]) -> None:
    """Wait for a fact, at most half a minute."""
    async with asyncio.timeout(30):
        while not fact():  # noqa: ASYNC110 - the facts are lists that a server fills
            await asyncio.sleep(0.02)


def roots(folder: Path, *who: Identity) -> Path:
    path = folder / "roots.pem"
    path.write_bytes(b"".join(one.pem for one in who))
    return path


@asynccontextmanager
async def listening(vtn: Vtn, folder: Path, *own: Identity, is_strict: bool = False) -> AsyncIterator[int]:
    """Our VTN on TLS; it trusts both VENs of the tests."""
    trusted = roots(folder, identity("ven"), identity("ven", "rsa"), *own)
    context = openadr_server_context([files(folder, one) for one in own], trusted, is_strict=is_strict)
    server = VtnServer(vtn, context)
    await server.start()
    try:
        yield server.port
    finally:
        await server.stop()


def client(
    folder: Path, ven: Identity, *, fingerprint: str | None = None, is_strict: bool = False
) -> PinningContext:
    certificate, key = files(folder, ven)
    return openadr_client_context(
        certificate, key, folder / "roots.pem", fingerprint=fingerprint, is_strict=is_strict
    )


@pytest.mark.parametrize("ven", ["ec", "rsa"])
@pytest.mark.parametrize(("vtn", "suite"), [("ec", "ECDHE-ECDSA-AES128-SHA256"), ("rsa", "AES128-SHA256")])
async def test_r67_strict_profile_with_both_kinds_of_certificates(
    tmp_path: Path, ven: str, vtn: str, suite: str
) -> None:
    theirs, ours = identity("vtn", vtn), identity("ven", ven)
    async with listening(Vtn(), tmp_path, theirs, is_strict=True) as port:
        context = client(tmp_path, ours, fingerprint=theirs.fingerprint, is_strict=True)
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        assert writer.get_extra_info("cipher")[:2] == (suite, "TLSv1.2")
        writer.close()
        async with HttpTransport(f"https://127.0.0.1:{port}", context) as transport:
            answer = read(await transport.send(m.Service.REGISTER_PARTY, QUERY))

    assert isinstance(answer, m.CreatedPartyRegistration)
    assert context.peer == theirs.der


async def test_vtn_with_both_certificates_serves_either_suite(tmp_path: Path) -> None:
    both = identity("vtn"), identity("vtn", "rsa")
    async with listening(Vtn(), tmp_path, *both, is_strict=True) as port:
        for suite, theirs in zip(("ECDHE-ECDSA-AES128-SHA256", "AES128-SHA256"), both, strict=True):
            context = client(tmp_path, identity("ven"), is_strict=True)
            context.set_ciphers(suite)
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            assert context.peer == theirs.der
            writer.close()


async def test_better_suites_are_taken_where_both_can(tmp_path: Path) -> None:
    async with listening(Vtn(), tmp_path, identity("vtn")) as port:
        context = client(tmp_path, identity("ven"))
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        assert writer.get_extra_info("cipher")[1] == "TLSv1.3"
        writer.close()


async def test_nothing_is_sent_to_a_server_of_another_fingerprint(tmp_path: Path) -> None:
    vtn = Vtn()
    async with listening(vtn, tmp_path, identity("vtn")) as port:
        context = client(tmp_path, identity("ven"), fingerprint=identity("other").fingerprint)
        async with HttpTransport(f"https://127.0.0.1:{port}", context) as transport:
            with pytest.raises(TransportError, match="fingerprint of the server"):
                await transport.send(m.Service.REGISTER_PARTY, QUERY)

    assert vtn.heard == []


async def test_server_that_no_root_knows_is_refused(tmp_path: Path) -> None:
    async with listening(Vtn(), tmp_path, identity("vtn")) as port:
        certificate, key = files(tmp_path, identity("ven"))
        context = openadr_client_context(certificate, key, certificate)
        async with HttpTransport(f"https://127.0.0.1:{port}", context) as transport:
            with pytest.raises(TransportError):
                await transport.send(m.Service.REGISTER_PARTY, QUERY)


async def test_ven_with_a_certificate_that_is_over_gets_no_answer(tmp_path: Path) -> None:
    vtn, old = Vtn(), identity("old", days=-1)
    trusted = roots(tmp_path, identity("vtn"), old)
    context = openadr_server_context([files(tmp_path, identity("vtn"))], trusted)
    server = VtnServer(vtn, context)
    await server.start()
    async with HttpTransport(f"https://127.0.0.1:{server.port}", client(tmp_path, old)) as transport:
        with pytest.raises(TransportError):
            await transport.send(m.Service.REGISTER_PARTY, QUERY)
    await server.stop()

    assert vtn.heard == []


async def test_message_goes_out_in_one_piece_with_its_length() -> None:
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        body = write(m.Response(response=m.EiResponse()))
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with HttpTransport(f"http://127.0.0.1:{port}/dr/", None) as transport:
        await transport.send(m.Service.POLL, QUERY)
    server.close()

    (head,) = heard
    assert head.startswith(b"POST /dr/OpenADR2/Simple/2.0b/OadrPoll HTTP/1.1\r\n")
    assert f"content-length: {len(QUERY)}".encode() in head.lower()
    assert b"content-type: application/xml\r\n" in head.lower()
    assert b"transfer-encoding" not in head.lower()


@asynccontextmanager
async def plain(vtn: Vtn) -> AsyncIterator[HttpTransport]:
    server = VtnServer(vtn, None)
    await server.start()
    try:
        async with HttpTransport(f"http://127.0.0.1:{server.port}", None) as transport:
            yield transport
    finally:
        await server.stop()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.BUSY, TransportError),
        (Fault.BROKEN, TransportError),
        (Fault.FORBIDDEN, Refused),
        (Fault.NO_XML_TYPE, Malformed),
        (Fault.HUGE, Malformed),
    ],
)
async def test_answers_that_are_none(fault: Fault, error: type[Exception]) -> None:
    async with plain(Vtn(faults={fault})) as transport:
        with pytest.raises(error) as caught:
            await transport.send(m.Service.REGISTER_PARTY, QUERY)

    assert type(caught.value) is error


async def test_vtn_refuses_what_is_no_message() -> None:
    async with plain(Vtn()) as transport:
        with pytest.raises(Refused) as caught:
            await transport.send(m.Service.REGISTER_PARTY, b"<x/>")

    assert caught.value.status == 406


@pytest.mark.parametrize(
    ("method", "service", "content_type", "status"),
    [
        ("GET", "OadrPoll", "application/xml", 501),
        ("POST", "OadrPoll", "text/plain", 406),
        ("POST", "EiNothing", "application/xml", 404),
    ],
)
async def test_vtn_has_the_codes_of_the_profile(
    method: str, service: str, content_type: str, status: int
) -> None:
    server = VtnServer(Vtn(), None)
    await server.start()
    url = f"http://127.0.0.1:{server.port}/OpenADR2/Simple/2.0b/{service}"
    headers = {"Content-Type": content_type}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, data=QUERY, headers=headers) as answer,
    ):
        assert answer.status == status
    await server.stop()


async def test_vtn_that_hangs_is_waited_for_so_long_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openadr_ven.v2b.http.LEAST_TIMEOUT_S", 0.1)
    server = VtnServer(Vtn(faults={Fault.HANGING}), None)
    await server.start()
    async with HttpTransport(f"http://127.0.0.1:{server.port}", None, timeout_s=0.2) as transport:
        with pytest.raises(TransportError, match="Timeout"):
            await transport.send(m.Service.REGISTER_PARTY, QUERY)
    await server.stop()


async def test_transport_that_is_closed_says_so() -> None:
    with pytest.raises(TransportError, match="closed"):
        await HttpTransport("http://127.0.0.1:1", None).send(m.Service.POLL, QUERY)


async def test_vtn_that_is_down_says_so() -> None:
    async with HttpTransport(f"http://127.0.0.1:{free_port()}", None) as transport:
        with pytest.raises(TransportError, match="ClientConnector"):
            await transport.send(m.Service.POLL, QUERY)


def ven_of(transport: HttpTransport, ours: Identity, theirs: Identity, steps: list[Step]) -> Ven:
    """A VEN that signs, on the system's clock."""

    async def told(step: Step) -> None:
        steps.append(step)

    clock = SystemClock()
    desk = Desk(InMemory(), clock, lambda: str(uuid.uuid4()), told)
    exchange = Exchange(
        transport,
        clock.now,
        lambda: uuid.uuid4().hex,
        ours.signer(),
        Verifier(ReplayGuard(), {theirs.fingerprint}),
    )
    settings = Settings(venName="site", enrolment=SITE, draw=uniform(lambda: 0.5), offers=(OFFER,), poll_s=1)
    meters = Meters(values={"battery-w": Decimal("-1234.5")})
    return Ven(
        settings,
        exchange,
        desk,
        clock,
        meters,
        chance=lambda: 0.0,
        new_id=lambda: str(uuid.uuid4()),
    )


async def test_our_ven_and_our_vtn_over_tls_with_signatures(tmp_path: Path) -> None:
    ours, theirs = identity("ven"), identity("vtn")
    vtn = Vtn(poll_s=1, signer=theirs.signer(), verifier=Verifier(ReplayGuard()))
    steps: list[Step] = []
    async with listening(vtn, tmp_path, theirs) as port:
        context = client(tmp_path, ours, fingerprint=theirs.fingerprint)
        async with HttpTransport(f"https://127.0.0.1:{port}", context) as transport:
            task = asyncio.create_task(ven_of(transport, ours, theirs, steps).run())
            await soon(lambda: vtn.of(m.Poll))
            one = replace(EVENT, is_test=False, targets=(), start=int(time.time()))
            vtn.publish(one)
            await soon(lambda: vtn.of(m.CreatedEvent))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    assert [one.kind.value for step in steps for one in step.changes][:1] == ["received"]
    (registered,) = vtn.vens.values()
    assert registered.fingerprint == ours.fingerprint


@asynccontextmanager
async def openleadr_vtn(folder: Path, ven: Identity, theirs: Identity) -> AsyncIterator[tuple[Any, int]]:
    """The VTN of openleadr on mutual TLS, which signs and wants signatures."""
    from openleadr import OpenADRServer
    from openleadr.utils import certificate_fingerprint

    port = free_port()
    certificate, key = files(folder, theirs)
    known = {
        "ven_id": "ven-1",
        "ven_name": "site",
        "fingerprint": certificate_fingerprint(ven.pem.decode()),
        "registration_id": "registration-1",
    }
    server = OpenADRServer(
        vtn_id="their-vtn",
        cert=str(certificate),
        key=str(key),
        show_fingerprint=False,
        http_port=port,
        http_cert=str(certificate),
        http_key=str(key),
        http_ca_file=str(roots(folder, ven, theirs)),
        requested_poll_freq=timedelta(seconds=1),
        ven_lookup=lambda ven_id: known if ven_id == "ven-1" else None,
    )
    server.add_handler("on_create_party_registration", lambda _: ("ven-1", "registration-1"))
    await server.run_async()
    try:
        yield server, port
    finally:
        await server.stop()


@pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")
async def test_our_ven_and_the_vtn_of_openleadr(tmp_path: Path) -> None:
    """Registration, metadata, report with data, event with its answer: all signed, over mutual TLS."""
    ours, theirs = identity("ven"), identity("vtn")
    data: list[tuple[datetime, float]] = []
    opts: list[tuple[str, str]] = []
    steps: list[Step] = []

    def offered(ven_id: str, resource_id: str, measurement: str, unit: str, scale: str,
                min_sampling_interval: timedelta, max_sampling_interval: timedelta) -> object:  # fmt: skip
        assert (resource_id, unit) == ("battery", "W")
        return data.extend, min_sampling_interval, min_sampling_interval

    async with openleadr_vtn(tmp_path, ours, theirs) as (server, port):
        server.add_handler("on_register_report", offered)
        event_id = server.add_event(
            ven_id="ven-1",
            signal_name="SIMPLE",
            signal_type="level",
            intervals=[{"dtstart": datetime.now(UTC), "duration": timedelta(minutes=5), "signal_payload": 1}],
            callback=lambda ven_id, event_id, opt_type: opts.append((event_id, opt_type)),
        )
        context = client(tmp_path, ours, fingerprint=theirs.fingerprint)
        async with HttpTransport(f"https://127.0.0.1:{port}", context) as transport:
            task = asyncio.create_task(ven_of(transport, ours, theirs, steps).run())
            await soon(lambda: opts and data)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    assert opts == [(event_id, "optIn")]
    assert data[0][1] == -1234.5
    assert [one.kind.value for step in steps for one in step.changes] == ["received", "started"]
