"""Flow reservations over the wire: asked for, granted, cancelled; and Responses by the kind of the event."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from certs import Pki
from schemas import (
    ActivePower,
    DateTimeInterval,
    DERControl,
    DERControlResponse,
    DrResponse,
    EndDevice,
    Error,
    FlowReservationRequest,
    FlowReservationRequestList,
    FlowReservationResponse,
    FlowReservationResponseList,
    FlowReservationResponseResponse,
    RequestStatus,
    Response,
    SignedRealEnergy,
    TextMessage,
)
from schemas.codes import ErrorReason, EventState
from sep2_server import flow_reservations
from sep2_server.event_times import repair_due
from sep2_server.operator import flows, programs, resources
from sep2_server.operator.flows import list_flows
from sep2_server.operator.router import Call
from sep2_server.rows import OVER, Row
from sep2_server.transaction import Transaction
from tests.integration.lived_in_house import operate
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


@pytest.mark.parametrize(
    ("asked", "given"), [(None, 3600), (0, 3600), (600, 600), (3600, 3600), (7200, 3600)]
)
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
    assert event.EventStatus_.reason == "the device took its request back"
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


async def test_a_device_has_so_many_requests_and_no_more(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, function_sets="fr", items_per_list=2) as bench:
        row, client = await bench.device("ev-1")
        replies = [await client.post(f"{row.href}/frq", replace(REQUEST, mRID=f"F{n}")) for n in (1, 2, 3, 2)]
        assert [reply.status for reply in replies] == [201, 201, replies[2].status, 204]
        assert replies[2].status >= 400
        assert replies[2].decoded(Error).reasonCode == 2


async def test_what_is_granted_is_linked_and_asks_for_responses(tmp_path: Path, sep2_pki: Pki) -> None:
    """The EndDevice that was read before shows the first grant at once."""
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations="decline") as bench:
        row, client = await bench.device("ev-1")
        link = (await client.read(row.href, EndDevice)).FlowReservationResponseListLink_
        assert link is None or link.all == 0
        await client.post(f"{row.href}/frq", REQUEST)
        link = (await client.read(row.href, EndDevice)).FlowReservationResponseListLink_
        assert link is not None
        assert link.all == 1
        (event,) = await granted(client, row.href)
        assert event.replyTo is not None
        assert (event.version, event.creationTime) == (0, START)
        assert int(event.responseRequired or "00", 16) & 3 == 3
        assert (event.energyAvailable.value, event.powerAvailable.value) == (0, 0)


async def test_a_later_grant_takes_over_from_the_one_that_runs(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations="grant") as bench:
        row, client = await bench.device("ev-1")
        await client.post(f"{row.href}/frq", REQUEST)
        bench.clock.set(START + 70)
        assert [e.EventStatus_.currentStatus for e in await granted(client, row.href)] == [1]
        later = DateTimeInterval(start=START + 90, duration=600)
        await client.post(f"{row.href}/frq", replace(REQUEST, mRID="F2", intervalRequested=later))
        bench.clock.set(START + 89)
        assert [e.EventStatus_.currentStatus for e in await granted(client, row.href)] == [1, 0]
        bench.clock.set(START + 90)
        assert [e.EventStatus_.currentStatus for e in await granted(client, row.href)] == [4, 1]


async def test_a_request_without_an_answer_may_be_changed(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations="operator") as bench:
        row, client = await bench.device("ev-1")
        href = (await client.post(f"{row.href}/frq", REQUEST)).location
        more = replace(REQUEST, energyRequested=SignedRealEnergy(multiplier=3, value=30))
        assert (await client.put(href, more)).status == 204
        assert (await client.read(href, FlowReservationRequest)).energyRequested.value == 30
        assert (await client.put(href, replace(CANCELLED, mRID="F1"))).status == 204


async def test_events_that_people_read_have_codes_of_their_own(tmp_path: Path, sep2_pki: Pki) -> None:
    """Prices and messages are acknowledged; a message is never superseded, and may be beyond a display."""
    async with running(tmp_path, sep2_pki, function_sets="all") as bench:
        row, client = await bench.device("ev-1")
        group, _ = await bench.group("g", "ev-1")
        lfdi = bench.credentials("ev-1").lfdi
        interval = {"start": START, "duration": 600}
        price = {"touTier": 1, "interval": interval, "responseRequired": "07"}
        part = {"roleFlags": "00", "TimeTariffInterval": [price]}
        tariff = {"primacy": 1, "serviceCategoryKind": 0, "RateComponent": [part]}
        await operate(bench, resources.add, tariff, href=f"/fsa/{group.id}/tp")
        text = {"priority": 1, "textMessage": "hello", "interval": interval, "responseRequired": "07"}
        program = {"primacy": 1, "locale": "en", "TextMessage": [text]}
        await operate(bench, resources.add, program, href=f"/fsa/{group.id}/msg")
        await client.post(f"{row.href}/frq", REQUEST)
        taken: dict[str, list[int]] = {}
        for kind in ("TimeTariffInterval", "TextMessage", "FlowReservationRequest"):
            [event] = bench.store.reader.of_kind(kind)
            for status in (*range(17), 251, 252, 253, 254, 255):
                body = Response(
                    endDeviceLFDI=lfdi, status=status, subject=event.mrid or "", createdDateTime=START
                )
                if (await client.post(await reply_to(client, bench), body)).status == 201:
                    taken.setdefault(kind, []).append(status)
        assert taken == {
            "TimeTariffInterval": [*range(1, 12), 13, 14, 252, 253, 254],
            "TextMessage": [1, 2, 3, 6, 11, 12, 252, 253, 254],
        }


async def reply_to(client: Client, bench: Bench) -> str:
    """Where the server asks for Responses."""
    [event] = bench.store.reader.of_kind("TextMessage")
    held = (await client.read(event.href, TextMessage)).replyTo
    assert held is not None
    return held


async def test_a_device_answers_an_event_that_it_has_lost_if_it_has_answered_it_before(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki) as bench:
        _, one = await bench.device("ev-1")
        _, two = await bench.device("ev-2")
        group, program = await bench.group("g", "ev-1", "ev-2")
        href = (await bench.control(program, make_control("C1", START, 600))).href
        where = (await one.read(href, DERControl)).replyTo
        assert where is not None

        async def answer(client: Client, name: str, status: int) -> int:
            lfdi = bench.credentials(name).lfdi
            said = DERControlResponse(endDeviceLFDI=lfdi, status=status, subject="C1", createdDateTime=START)
            return (await client.post(where, said)).status

        assert await answer(one, "ev-1", 1) == 201
        for name in ("ev-1", "ev-2"):
            await bench.do(lambda desk, name=name: programs.unassign(desk, group, desk.client(name)))  # type: ignore[misc]
        assert [await answer(one, "ev-1", 6), await answer(two, "ev-2", 6)] == [201, 400]


@pytest.mark.parametrize("tie_break", ["higher", "lower"])
async def test_of_two_requests_of_one_second_the_later_one_is_granted(
    tmp_path: Path, sep2_pki: Pki, monkeypatch: pytest.MonkeyPatch, tie_break: str
) -> None:
    """Their grants overlap and are of one creationTime: the mRID decides, which is made so. 10.2.3."""
    drawn = iter([1 << 90, 1 << 80, 5] if tie_break == "higher" else [1 << 80, 1 << 90, 5])
    monkeypatch.setattr(flow_reservations, "secrets", SimpleNamespace(randbelow=lambda _: next(drawn)))
    settings = {"function_sets": "fr", "flow_reservations": "grant", "profile": {"mrid_tie_break": tie_break}}
    async with running(tmp_path, sep2_pki, **settings) as bench:  # type: ignore[arg-type]
        row, client = await bench.device("ev-1")
        for number in (1, 2):
            assert (await client.post(f"{row.href}/frq", replace(REQUEST, mRID=f"F{number}"))).status == 201
        bench.clock.set(START + 60)
        events = {e.subject: e.EventStatus_.currentStatus for e in await granted(client, row.href)}
        assert events == {"F1": 4, "F2": 1}


async def test_grants_of_requests_that_are_gone_are_bounded_too(tmp_path: Path, sep2_pki: Pki) -> None:
    """What was cancelled stays listed for its time: a device that asks again and again comes to an end."""
    async with running(
        tmp_path, sep2_pki, function_sets="fr", flow_reservations="grant", items_per_list=2
    ) as bench:
        row, client = await bench.device("ev-1")
        statuses = []
        for number in range(3):
            reply = await client.post(f"{row.href}/frq", replace(REQUEST, mRID=f"F{number}"))
            statuses.append(reply.status)
            if reply.status == 201:
                await client.send("DELETE", reply.location)
        assert statuses[:2] == [201, 201]
        assert statuses[2] >= 400
        assert len(await granted(client, row.href)) == 2
        bench.clock.set(START + 700)
        late = replace(REQUEST, mRID="F9", intervalRequested=DateTimeInterval(start=START + 800, duration=60))
        assert (await client.post(f"{row.href}/frq", late)).status == 201


@pytest.mark.parametrize("decision", ["grant", "operator"])
@pytest.mark.parametrize(
    ("start", "duration"), [(-100, 50), (-100, 100), (0, 0), (60, 0), (2**63 - 1 - START, 1)]
)
async def test_a_time_in_which_nothing_can_be_granted_is_refused(
    tmp_path: Path, sep2_pki: Pki, start: int, duration: int, decision: str
) -> None:
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations=decision) as bench:
        row, client = await bench.device("ev-1")
        wanted = DateTimeInterval(start=START + start, duration=duration)
        refused = await client.post(f"{row.href}/frq", replace(REQUEST, intervalRequested=wanted))
        assert (refused.status, refused.decoded(Error).reasonCode) == (400, ErrorReason.INVALID_VALUES)
        assert (await client.read(f"{row.href}/frq", FlowReservationRequestList)).all == 0
        assert await granted(client, row.href) == []


@pytest.mark.parametrize(
    ("start", "duration", "given"),
    [
        (-100, 101, (0, 1)),
        (-100, 3600, (0, 600)),
        (-3200, 3600, (0, 400)),
        (0, 3600, (0, 600)),
        (2**63 - 2 - START, 1, (2**63 - 2 - START, 1)),
    ],
)
async def test_what_is_asked_for_late_is_granted_from_now_on(
    tmp_path: Path, sep2_pki: Pki, start: int, duration: int, given: tuple[int, int]
) -> None:
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations="grant") as bench:
        row, client = await bench.device("ev-1")
        wanted = DateTimeInterval(start=START + start, duration=duration)
        made = await client.post(f"{row.href}/frq", replace(REQUEST, intervalRequested=wanted))
        assert made.status == 201
        (event,) = await granted(client, row.href)
        assert (event.interval.start - START, event.interval.duration) == given
        assert event.EventStatus_.currentStatus == (1 if given[0] == 0 else 0)
        assert (await client.send("DELETE", made.location)).status == 204


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_what_was_cancelled_may_be_cancelled_again_and_is_not_taken_up_again(
    tmp_path: Path, sep2_pki: Pki, method: str
) -> None:
    """Its first answer may have been lost. RFC 9110, 9.2.2."""
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations="grant") as bench:
        row, client = await bench.device("ev-1")
        href = (await client.post(f"{row.href}/frq", REQUEST)).location

        async def send(value: FlowReservationRequest) -> int:
            if method == "PUT":
                return (await client.put(href, value)).status
            return (await client.post(f"{row.href}/frq", value)).status

        assert await send(CANCELLED) == 204
        before = (await client.get(href)).body
        bench.clock.set(START + 700)
        assert await send(CANCELLED) == 204
        assert await send(replace(CANCELLED, durationRequested=5)) == 400
        assert await send(REQUEST) == 400
        assert (await client.get(href)).body == before


async def test_a_request_is_known_by_its_mrid_among_those_of_its_device(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, function_sets="fr") as bench:
        rows, hrefs = [], []
        for name in ("ev-1", "ev-2"):
            row, client = await bench.device(name)
            made = await client.post(f"{row.href}/frq", REQUEST)
            assert made.status == 201
            rows.append(row)
            hrefs.append(made.location)
        more = replace(REQUEST, mRID="00f1", energyRequested=SignedRealEnergy(multiplier=3, value=30))
        again = await client.post(f"{rows[1].href}/frq", more)
        assert (again.status, again.location) == (204, hrefs[1])
        assert (await client.read(hrefs[1], FlowReservationRequest)).energyRequested.value == 30
        first = await bench.client("ev-1")
        assert (await first.read(hrefs[0], FlowReservationRequest)).energyRequested.value == 20


@pytest.mark.parametrize("status", [2, 255])
async def test_a_request_is_asked_for_or_cancelled_and_nothing_else(
    tmp_path: Path, sep2_pki: Pki, status: int
) -> None:
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations="grant") as bench:
        row, client = await bench.device("ev-1")
        href = (await client.post(f"{row.href}/frq", REQUEST)).location
        other = replace(REQUEST, RequestStatus_=RequestStatus(dateTime=START, requestStatus=status))
        assert (await client.put(href, other)).status == 400
        assert (await client.post(f"{row.href}/frq", replace(other, mRID="F2"))).status == 400


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"description": "the red car"},
        {"version": 7},
        {"creationTime": START + 5},
        {"RequestStatus_": RequestStatus(dateTime=START + 5, requestStatus=0)},
    ],
    ids=lambda changes: next(iter(changes), "nothing"),
)
async def test_of_a_request_that_is_answered_only_texts_and_times_of_it_change(
    tmp_path: Path, sep2_pki: Pki, changes: dict[str, object]
) -> None:
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations="grant") as bench:
        row, client = await bench.device("ev-1")
        href = (await client.post(f"{row.href}/frq", REQUEST)).location
        wanted = replace(REQUEST, **changes)  # type: ignore[arg-type]
        assert (await client.put(href, wanted)).status == 204
        assert (await client.read(href, FlowReservationRequest)) == replace(wanted, href=href)
        assert len(await granted(client, row.href)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"durationRequested": 601},
        {"powerRequested": ActivePower(multiplier=3, value=12)},
        {"intervalRequested": DateTimeInterval(start=START + 61, duration=3600)},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_what_is_asked_for_does_not_change_once_it_is_answered(
    tmp_path: Path, sep2_pki: Pki, changes: dict[str, object]
) -> None:
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations="decline") as bench:
        row, client = await bench.device("ev-1")
        href = (await client.post(f"{row.href}/frq", REQUEST)).location
        assert (await client.put(href, replace(REQUEST, **changes))).status == 400  # type: ignore[arg-type]
        assert (await client.read(href, FlowReservationRequest)) == replace(REQUEST, href=href)


async def test_a_request_of_before_is_answered_at_once_as_it_changes(tmp_path: Path, sep2_pki: Pki) -> None:
    """It was made while the operator answered, and nobody did."""
    async with running(tmp_path, sep2_pki, function_sets="fr") as bench:
        row, client = await bench.device("ev-1")
        href, full = [
            (await client.post(f"{row.href}/frq", replace(REQUEST, mRID=mrid))).location
            for mrid in ("F1", "F2")
        ]
    settings = {"function_sets": "fr", "flow_reservations": "grant", "items_per_list": 1}
    async with running(tmp_path, sep2_pki, **settings) as bench:  # type: ignore[arg-type]
        client = await bench.client("ev-1")
        assert (await client.put(href, REQUEST)).status == 204
        assert await granted(client, row.href) == []
        over = replace(REQUEST, intervalRequested=DateTimeInterval(start=START - 60, duration=60))
        assert (await client.put(href, over)).status == 400
        assert (await client.put(href, replace(REQUEST, durationRequested=30))).status == 204
        (event,) = await granted(client, row.href)
        assert event.interval == DateTimeInterval(start=START + 60, duration=30)
        assert (await client.put(href, replace(REQUEST, durationRequested=40))).status == 400
        refused = await client.put(full, replace(REQUEST, mRID="F2", durationRequested=30))
        assert (refused.status, refused.decoded(Error).reasonCode) == (400, 2)
        assert (await client.read(full, FlowReservationRequest)).durationRequested == 600


async def test_what_is_cancelled_with_another_value_is_not_answered(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations="grant") as bench:
        row, client = await bench.device("ev-1")
        href = (await client.post(f"{row.href}/frq", REQUEST)).location
        assert (await client.put(href, replace(CANCELLED, durationRequested=30))).status == 204
        assert [event.EventStatus_.currentStatus for event in await granted(client, row.href)] == [2]


async def test_a_grant_without_content_that_an_earlier_release_stored_is_in_nobodys_way(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    """The clock task failed at it, again and again, and so did all that its device said of its requests."""
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations="grant") as bench:
        row, client = await bench.device("ev-1")
        href = (await client.post(f"{row.href}/frq", REQUEST)).location

        def bare(tx: Transaction) -> None:
            listed = tx.by_href(f"{row.href}/frp")
            assert listed is not None
            number = tx.next_id()
            held = Row(number, f"{listed.href}/{number}", "FlowReservationResponse", list_id=listed.id)
            held = held._replace(owner_id=row.id, mrid="E1", status=OVER)
            tx.insert(held._replace(starts=START - 9, ends=START, next_at=START + 60))

        await bench.server.keeper.stop()
        await bench.store.do(bare)
        assert (await client.put(href, REQUEST)).status == 204
        told: Any = await bench.do(lambda desk: list_flows(desk, Call(now=START)))
        assert [len(one["answers"]) for one in told["requests"]] == [1]
        bench.clock.set(START + 60)
        environment = bench.server.environment
        assert await bench.store.do(lambda tx: repair_due(tx, environment, START + 60)) == 2
        (event,) = await granted(client, row.href)
        assert event.EventStatus_.currentStatus == 1
        page = await client.read(f"{row.href}/frp?l=9", FlowReservationResponseList)
        assert (page.all, page.results) == (1, 1)
        assert len(await bench.store.ask(lambda reader: reader.owned(row.id, "FlowReservationResponse"))) == 1


async def answer(bench: Bench, mrid: str, **body: object) -> None:
    call = Call(names={"request": mrid}, body=body, now=bench.clock.now())
    await bench.do(lambda desk: flows.answer(desk, call))


@pytest.mark.parametrize("late", [True, False])
async def test_an_answer_that_declines_takes_nothing_from_a_grant(
    tmp_path: Path, sep2_pki: Pki, late: bool
) -> None:
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations="operator") as bench:
        row, client = await bench.device("ev-1")
        for number, mrid in enumerate(("F1", "F2")):
            await client.post(f"{row.href}/frq", replace(REQUEST, mRID=mrid, creationTime=START + number))
            bench.clock.advance(1)
            if mrid == "F1":
                await answer(bench, "F1")
            if late:
                bench.clock.set(START + 100)
        await answer(bench, "F2", decline=True)
        bench.clock.set(START + 101)
        found = {one.subject: one for one in await granted(client, row.href)}
        assert found["F1"].EventStatus_.currentStatus == EventState.ACTIVE
        assert (found["F1"].energyAvailable.value, found["F2"].energyAvailable.value) == (20, 0)
        bench.clock.advance(1)
        await client.post(f"{row.href}/frq", replace(REQUEST, mRID="F3", creationTime=START + 5))
        await answer(bench, "F3")
        found = {one.subject: one for one in await granted(client, row.href)}
        assert found["F1"].EventStatus_.currentStatus == EventState.SUPERSEDED, "a later grant takes over"


async def test_requests_whose_time_is_over_make_room(tmp_path: Path, sep2_pki: Pki) -> None:
    settings: dict[str, Any] = {"function_sets": "fr", "flow_reservations": "grant", "items_per_list": 2}
    async with running(tmp_path, sep2_pki, **settings) as bench:
        row, client = await bench.device("ev-1")
        for day in range(5):
            wish = DateTimeInterval(start=bench.clock.now() + 60, duration=3600)
            reply = await client.post(
                f"{row.href}/frq", replace(REQUEST, mRID=f"F{day}", intervalRequested=wish)
            )
            assert reply.status == 201
            bench.clock.advance(86_400)
        page = await client.read(f"{row.href}/frq?l=9", FlowReservationRequestList)
        assert [one.mRID for one in page.FlowReservationRequest_] == ["F3", "F4"]
        ahead = DateTimeInterval(start=bench.clock.now() + 60, duration=3600)
        for mrid, status in (("F5", 201), ("F6", 201), ("F7", 400)):
            reply = await client.post(f"{row.href}/frq", replace(REQUEST, mRID=mrid, intervalRequested=ahead))
            assert reply.status == status
        page = await client.read(f"{row.href}/frq?l=9", FlowReservationRequestList)
        assert {one.mRID for one in page.FlowReservationRequest_} == {"F5", "F6"}


@pytest.mark.usefixtures("each_database")
@pytest.mark.parametrize("is_deleted", [True, False])
async def test_of_what_a_device_was_granted_the_newest_is_kept(
    tmp_path: Path, sep2_pki: Pki, is_deleted: bool
) -> None:
    """A device that asks all the time, and may remove its requests, does not fill the database."""
    settings: dict[str, Any] = {"function_sets": "fr", "flow_reservations": "grant", "items_per_list": 20}
    async with running(tmp_path, sep2_pki, **settings) as bench:
        row, client = await bench.device("ev-1")
        for number in range(50):
            wish = DateTimeInterval(start=bench.clock.now(), duration=60)
            posted = replace(REQUEST, mRID=f"F{number:03}", intervalRequested=wish)
            reply = await client.post(f"{row.href}/frq", posted)
            assert reply.status == 201
            bench.clock.advance(120)
            if is_deleted:
                assert (await client.send("DELETE", reply.location)).status == 204
        kept = await bench.store.ask(lambda reader: reader.owned(row.id, "FlowReservationResponse"))
        subjects = [event.subject for one in kept if (event := flow_response(bench, one))]
        assert subjects == [f"F{number:03}" for number in range(50 - len(subjects), 50)]
        assert 21 <= len(subjects) <= 23, "20 that are over, a twentieth more, and that of the last request"


def flow_response(bench: Bench, row: Row) -> FlowReservationResponse:
    return bench.server.environment.codec.decode_fragment(row.body, FlowReservationResponse)


@pytest.mark.parametrize("list_is_full", [True, False])
async def test_what_a_device_asks_costs_by_what_is_not_over(
    tmp_path: Path, sep2_pki: Pki, monkeypatch: pytest.MonkeyPatch, list_is_full: bool
) -> None:
    """What it was granted before is not read, nor decoded, by a new request and by the end of one."""
    most = 25 if list_is_full else 100
    settings: dict[str, Any] = {"function_sets": "fr", "flow_reservations": "grant", "items_per_list": most}
    async with running(tmp_path, sep2_pki, **settings) as bench:
        row, client = await bench.device("ev-1")
        read: list[int] = []
        plain, between = Transaction.owned, Transaction.overlapping

        def owned(tx: Transaction, owner_id: int, kind: str) -> list[Row]:
            read.append(len(found := plain(tx, owner_id, kind)))
            return found

        def overlapping(tx: Transaction, list_id: int, starts: int, ends: int) -> list[Row]:
            read.append(len(found := between(tx, list_id, starts, ends)))
            return found

        monkeypatch.setattr(Transaction, "owned", owned)
        monkeypatch.setattr(Transaction, "overlapping", overlapping)
        for number in range(30):
            wish = DateTimeInterval(start=bench.clock.now(), duration=60)
            posted = replace(REQUEST, mRID=f"F{number:03}", intervalRequested=wish)
            read.clear()
            reply = await client.post(f"{row.href}/frq", posted)
            assert reply.status == 201
            assert (await client.put(reply.location, posted)).status == 204
            if number % 2:
                assert (await client.send("DELETE", reply.location)).status == 204
            assert sum(read) <= 12
            bench.clock.advance(120)


@pytest.mark.parametrize("spelled", ["AB01", "00ab01"])
async def test_a_granted_request_may_be_put_as_it_was_with_its_mrid_spelled_otherwise(
    tmp_path: Path, sep2_pki: Pki, spelled: str
) -> None:
    async with running(tmp_path, sep2_pki, function_sets="fr", flow_reservations="grant") as bench:
        row, client = await bench.device("ev-1")
        made = await client.post(f"{row.href}/frq", replace(REQUEST, mRID="ab01"))
        assert (await client.put(made.location, replace(REQUEST, mRID=spelled))).status == 204
        assert len(await granted(client, row.href)) == 1
