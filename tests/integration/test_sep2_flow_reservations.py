"""Flow reservations over the wire: asked for, granted, cancelled; and Responses by the kind of the event."""

from dataclasses import replace
from pathlib import Path

import pytest

from certs import Pki
from schemas import (
    ActivePower,
    DateTimeInterval,
    DERControlResponse,
    DrResponse,
    FlowReservationRequest,
    FlowReservationResponse,
    FlowReservationResponseList,
    FlowReservationResponseResponse,
    RequestStatus,
    Response,
    SignedRealEnergy,
)
from tests.integration.sep2_harness import START, Bench, Client, make_control, running

REQUEST = FlowReservationRequest(
    mRID="F1",
    creationTime=START,
    durationRequested=600,
    energyRequested=SignedRealEnergy(multiplier=3, value=20),
    intervalRequested=DateTimeInterval(start=START + 60, duration=3600),
    powerRequested=ActivePower(multiplier=3, value=11),
    RequestStatus_=RequestStatus(dateTime=START, requestStatus=0),
)
CANCELLED = replace(REQUEST, RequestStatus_=RequestStatus(dateTime=START + 1, requestStatus=1))


async def granted(client: Client, href: str) -> list[FlowReservationResponse]:
    page = await client.read(f"{href}/frp?l=9", FlowReservationResponseList)
    return page.FlowReservationResponse_


@pytest.mark.parametrize(("decision", "energy"), [("grant", [20]), ("decline", [0]), ("operator", [])])
async def test_a_request_is_answered_as_the_settings_say(
    tmp_path: Path, sep2_pki: Pki, decision: str, energy: list[int]
) -> None:
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations=decision) as bench:
        row, client = await bench.device("ev-1")
        assert (await client.post(f"{row.href}/frq", REQUEST)).status == 201
        events = await granted(client, row.href)
        assert [event.energyAvailable.value for event in events] == energy
        assert [(e.subject, e.interval.duration, e.interval.start) for e in events] == [
            ("F1", 600, START + 60)
        ] * len(energy)


@pytest.mark.parametrize(("asked", "given"), [(None, 3600), (600, 600), (3600, 3600), (7200, 3600)])
async def test_what_is_granted_ends_with_the_interval_that_was_asked_for(
    tmp_path: Path, sep2_pki: Pki, asked: int | None, given: int
) -> None:
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations="grant") as bench:
        row, client = await bench.device("ev-1")
        await client.post(f"{row.href}/frq", replace(REQUEST, durationRequested=asked))
        (event,) = await granted(client, row.href)
        assert event.interval == DateTimeInterval(start=START + 60, duration=given)


@pytest.mark.parametrize(("now", "status"), [(START + 1, 2), (START + 660, None)])
async def test_a_request_that_is_deleted_takes_what_was_granted_with_it_until_that_is_over(
    tmp_path: Path, sep2_pki: Pki, now: int, status: int | None
) -> None:
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations="grant") as bench:
        row, client = await bench.device("ev-1")
        href = (await client.post(f"{row.href}/frq", REQUEST)).location
        bench.clock.set(now)
        assert (await client.send("DELETE", href)).status == 204
        assert (await client.get(href)).status == 404
        events = await granted(client, row.href)
        assert [event.EventStatus_.currentStatus for event in events] == ([] if status is None else [status])


async def test_a_new_request_is_not_cancelled(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations="grant") as bench:
        row, client = await bench.device("ev-1")
        assert (await client.post(f"{row.href}/frq", CANCELLED)).status == 400
        assert await granted(client, row.href) == []


async def charging(tmp_path: Path, pki: Pki) -> None:
    async with running(tmp_path, pki, function_sets="fr", flow_reservations="grant") as bench:
        await cancel_in_time(bench)
        await cancel_too_late(bench)


async def test_a_request_is_cancelled_with_what_was_granted_until_that_is_over(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    await charging(tmp_path, sep2_pki)


async def cancel_in_time(bench: Bench) -> None:
    row, client = await bench.device("ev-1")
    href = (await client.post(f"{row.href}/frq", REQUEST)).location
    more = replace(REQUEST, energyRequested=SignedRealEnergy(multiplier=3, value=30))
    assert (await client.put(href, more)).status == 400
    assert (await client.put(href, replace(CANCELLED, mRID="F2"))).status == 400
    assert (await client.put(href, CANCELLED)).status == 204
    event = (await granted(client, row.href))[0]
    assert event.EventStatus_.currentStatus == 2
    assert (await client.put(href, REQUEST)).status == 400


async def cancel_too_late(bench: Bench) -> None:
    row, client = await bench.device("ev-2")
    href = (await client.post(f"{row.href}/frq", replace(REQUEST, mRID="F3"))).location
    bench.clock.set(START + 660)
    assert (await client.put(href, replace(CANCELLED, mRID="F3"))).status == 400


async def test_a_response_has_the_type_and_the_status_of_its_event(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations="grant") as bench:
        row, client = await bench.device("ev-1")
        lfdi = bench.credentials("ev-1").lfdi
        await client.post(f"{row.href}/frq", REQUEST)
        event = (await granted(client, row.href))[0]
        _, program = await bench.group("g", "ev-1")
        await bench.control(program, make_control("C1", START, 600))
        assert event.replyTo is not None
        answers = [
            (Response, event.mRID, 1, 201),
            (FlowReservationResponseResponse, event.mRID, 2, 201),
            (DERControlResponse, event.mRID, 2, 400),
            (FlowReservationResponseResponse, event.mRID, 12, 400),
            (DERControlResponse, "C1", 2, 201),
            (DrResponse, "C1", 2, 400),
            (DERControlResponse, "C1", 11, 400),
            (DERControlResponse, "C2", 2, 400),
        ]
        statuses = []
        for cls, subject, status, _ in answers:
            body = cls(endDeviceLFDI=lfdi, status=status, subject=subject, createdDateTime=START)
            statuses.append((await client.post(event.replyTo, body)).status)
        assert statuses == [wanted for *_, wanted in answers]


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
async def test_what_another_grant_has_superseded_is_not_cancelled_with_its_request(
    tmp_path: Path, sep2_pki: Pki, method: str
) -> None:
    """The supersession is due and not written yet as the device takes its request back."""
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations="grant") as bench:
        row, client = await bench.device("ev-1")
        href = (await client.post(f"{row.href}/frq", REQUEST)).location
        bench.clock.advance(1)
        later = DateTimeInterval(start=START + 90, duration=600)
        assert (
            await client.post(f"{row.href}/frq", replace(REQUEST, mRID="F2", intervalRequested=later))
        ).status == 201
        bench.clock.set(START + 100)
        if method == "DELETE":
            assert (await client.send("DELETE", href)).status == 204
        else:
            send = client.put if method == "PUT" else client.post
            where = href if method == "PUT" else f"{row.href}/frq"
            assert (await send(where, CANCELLED)).status == 204
        events = await granted(client, row.href)
        assert [(e.subject, e.EventStatus_.currentStatus, e.EventStatus_.dateTime) for e in events] == [
            ("F1", 4, START + 90),
            ("F2", 1, START + 90),
        ]
