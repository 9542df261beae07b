"""Responses to events and log events: what is taken, what is refused, how much is kept."""

from pathlib import Path

import pytest

from certs import Pki
from schemas import (
    DERControl,
    DERControlList,
    DERControlResponse,
    Error,
    FlowReservationResponseList,
    LogEvent,
    LogEventList,
    Response,
    ResponseList,
)
from sep2_server.operator import controls, happenings, reports, resources
from sep2_server.operator.commands import rows_of
from sep2_server.operator.desk import Desk
from sep2_server.operator.programs import unassign
from sep2_server.operator.router import Call
from sep2_server.rows import Group, Report, Role, full_mrid
from tests.integration.sep2_harness import START, Bench, Client, make_control, running
from tests.integration.test_sep2_flow_reservations import REQUEST

pytestmark = pytest.mark.usefixtures("each_database")


async def event_for(bench: Bench, *members: str) -> str:
    """Publish the event A1 to devices; the URI that it asks Responses to."""
    _, program = await bench.group("rsp", *members)
    row = await bench.control(program, make_control("A1", START + 10, 60))
    control = bench.server.environment.codec.decode_fragment(row.body, type(make_control("A1", 0, 0)))
    assert control.replyTo is not None
    return control.replyTo


def response(lfdi: str, status: int | None = 1, subject: str = "A1") -> DERControlResponse:
    return DERControlResponse(createdDateTime=START, endDeviceLFDI=lfdi, status=status, subject=subject)


async def refused(client: Client, href: str, value: Response) -> tuple[int, int]:
    reply = await client.post(href, value)
    return reply.status, reply.decoded(Error).reasonCode


async def test_a_response_is_stored_with_its_numbers(bench: Bench) -> None:
    row, client = await bench.device("rsp-1")
    href = await event_for(bench, "rsp-1")
    lfdi = bench.credentials("rsp-1").lfdi
    bench.clock.advance(3)
    reply = await client.post(href, response(lfdi.lower(), 2, "00a1"))
    assert reply.status == 201
    stored = await client.read(reply.location, DERControlResponse)
    assert (stored.endDeviceLFDI, stored.status) == (lfdi, 2)
    stored_reports = bench.store.reader.reports("A1")
    assert [(r.end_device_id, r.status, r.created, r.received) for r in stored_reports] == [
        (row.id, 2, START, START + 3)
    ]


@pytest.mark.parametrize("status", [*range(1, 11), 13, 14, 252, 253, 254])
async def test_each_code_of_the_standard_is_taken(bench: Bench, status: int) -> None:
    _, client = await bench.device("rsp-1")
    href = await event_for(bench, "rsp-1")
    reply = await client.post(href, response(bench.credentials("rsp-1").lfdi, status))
    assert reply.status == 201


@pytest.mark.parametrize("status", [0, 11, 12, 15, 251, 255, None])
async def test_a_status_that_is_no_code_is_400(bench: Bench, status: int | None) -> None:
    _, client = await bench.device("rsp-1")
    href = await event_for(bench, "rsp-1")
    value = response(bench.credentials("rsp-1").lfdi, status)
    assert await refused(client, href, value) == (400, 1)


async def test_an_unknown_subject_or_device_is_400_and_nothing_is_stored(bench: Bench) -> None:
    _, client = await bench.device("rsp-1")
    await bench.enrol("rsp-2")
    href = await event_for(bench, "rsp-1")
    lfdi = bench.credentials("rsp-1").lfdi
    assert await refused(client, href, response(lfdi, subject="EE")) == (400, 1)
    assert await refused(client, href, response("AB" * 20)) == (400, 1)
    assert await refused(client, href, response(bench.credentials("rsp-2").lfdi)) == (400, 1)
    assert (await client.read(href, ResponseList)).all == 0
    assert bench.store.reader.reports("A1") == []


async def test_an_event_of_somebody_else_is_an_unknown_subject(bench: Bench) -> None:
    await bench.enrol("rsp-1")
    _, client = await bench.device("rsp-2")
    href = await event_for(bench, "rsp-1")
    assert await refused(client, href, response(bench.credentials("rsp-2").lfdi)) == (400, 1)


@pytest.mark.parametrize("role", [Role.DEVICE, Role.AGGREGATOR])
async def test_nobody_responds_for_a_device_that_it_does_not_speak_for(bench: Bench, role: Role) -> None:
    """Both may see the event, and the other device is enrolled: who speaks for it decides alone."""
    await bench.enrol("rsp-1")
    await bench.enrol("rsp-2", role=role)
    client = await bench.client("rsp-2")
    href = await event_for(bench, "rsp-1", "rsp-2")
    assert await refused(client, href, response(bench.credentials("rsp-1").lfdi)) == (400, 1)
    assert bench.store.reader.reports("A1") == []


async def test_an_aggregator_responds_for_each_of_its_devices(bench: Bench) -> None:
    aggregator = await bench.enrol("rsp-agg", role=Role.AGGREGATOR)
    names = ("rsp-m1", "rsp-m2")
    for name in names:
        await bench.enrol(name, aggregator=aggregator)
    client = await bench.client("rsp-agg")
    href = await event_for(bench, *names)
    for name in names:
        assert (await client.post(href, response(bench.credentials(name).lfdi))).status == 201
    assert (await client.read(href, ResponseList)).all == 2
    assert len({report.end_device_id for report in bench.store.reader.reports("A1")}) == 2


async def test_a_client_sees_its_own_responses_alone(bench: Bench) -> None:
    _, one = await bench.device("rsp-1")
    _, two = await bench.device("rsp-2")
    href = await event_for(bench, "rsp-1", "rsp-2")
    reply = await one.post(href, response(bench.credentials("rsp-1").lfdi))
    assert (await one.read(f"{href}?l=9", ResponseList)).results == 1
    assert (await two.read(f"{href}?l=9", ResponseList)).all == 0
    assert (await two.get(reply.location)).status == 404


async def test_a_response_to_an_event_that_has_ended_is_taken(bench: Bench) -> None:
    _, client = await bench.device("rsp-1")
    href = await event_for(bench, "rsp-1")
    bench.clock.advance(1000)
    assert (await client.post(href, response(bench.credentials("rsp-1").lfdi, 3))).status == 201


async def test_items_of_a_response_list_tell_their_type(bench: Bench) -> None:
    _, client = await bench.device("rsp-1")
    href = await event_for(bench, "rsp-1")
    lfdi = bench.credentials("rsp-1").lfdi
    await client.post(href, response(lfdi))
    await client.post(href, Response(createdDateTime=START - 1, endDeviceLFDI=lfdi, status=2, subject="A1"))
    page = await client.read(f"{href}?l=9", ResponseList)
    assert [type(item) for item in page.Response_] == [DERControlResponse, Response]


async def test_the_newest_log_events_are_kept(
    tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki
) -> None:
    async with running(tmp_path_factory.mktemp("log"), sep2_pki, log_events_kept=10) as bench:
        row, client = await bench.device("rsp-1")
        for number in range(12):
            event = LogEvent(
                createdDateTime=START + number,
                functionSet=11,
                logEventCode=0,
                logEventID=number,
                logEventPEN=40732,
                profileID=2,
            )
            assert (await client.post(f"{row.href}/lel", event)).status == 201
        page = await client.read(f"{row.href}/lel?l=255", LogEventList)
        assert page.all == 10
        assert [event.logEventID for event in page.LogEvent_] == [*range(11, 1, -1)]


async def test_the_newest_responses_are_kept(tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki) -> None:
    async with running(tmp_path_factory.mktemp("rsp"), sep2_pki, responses_kept=10) as bench:
        _, client = await bench.device("rsp-1")
        href = await event_for(bench, "rsp-1")
        posted = response(bench.credentials("rsp-1").lfdi)
        for number in range(12):
            posted.createdDateTime = START + number
            assert (await client.post(href, posted)).status == 201
        page = await client.read(f"{href}?l=255", ResponseList)
        assert page.all == page.results == 10
        assert {item.createdDateTime for item in page.Response_} == set(range(START + 2, START + 12))


async def leave(bench: Bench, group: Group, name: str) -> None:
    await bench.do(lambda desk: unassign(desk, group, desk.client(name)))


async def test_who_has_answered_an_event_goes_on_to_do_so_once_its_program_is_lost(bench: Bench) -> None:
    for name in ("rsp-1", "rsp-2"):
        await bench.device(name)
    group, program = await bench.group("rsp", "rsp-1", "rsp-2")
    row = await bench.control(program, make_control("A1", START + 10, 60))
    control = bench.server.environment.codec.decode_fragment(row.body, DERControl)
    assert control.replyTo is not None
    answers = []
    for name, statuses in (("rsp-1", (1, 6)), ("rsp-2", (6,))):
        client, lfdi = await bench.client(name), bench.credentials(name).lfdi
        for status in statuses:
            if status == 6:
                await leave(bench, group, name)
            answers.append((await client.post(control.replyTo, response(lfdi, status))).status)
    assert answers == [201, 201, 400]


async def test_operators_are_told_all_responses_to_an_event_and_all_of_one_device(bench: Bench) -> None:
    """10,201 Responses of 3,401 devices, of which the one that is asked for answered last."""
    for name in ("counted-1", "counted-2"):
        await bench.device(name)
    _, program = await bench.group("counted", "counted-1")
    control = await bench.control(program, make_control("C1", START + 10, 100))

    def answer(desk: Desk) -> None:
        client, subject = desk.client("counted-1"), full_mrid("C1")
        for number in range(10_200):
            status, other = 1 + number // 3400, 500_000 + number % 3400
            desk.transaction.put_report(Report(10**7 + number, subject, other, status, START, START))
        desk.transaction.put_report(Report(10**8, subject, client.end_device_id, 1, START, START))

    await bench.do(answer)
    counts = {"1": 3401, "2": 3400, "3": 3400}

    def asked(desk: Desk) -> None:
        call = Call(names={"control": "C1", "event": "C1"}, query={"href": control.href}, now=START)
        assert controls.show(desk, call)["responses"] == counts
        assert happenings.show(desk, call)["responses"] == counts
        assert resources.responses(desk, call)["counts"] == counts
        of_one = Call(names=call.names, query={"device": "counted-1"}, now=START)
        told = rows_of(reports.responses(desk, of_one), "responses")
        assert [(one["device"], one["status"]) for one in told] == [("counted-1", 1)]
        of_another = Call(names=call.names, query={"device": "counted-2"}, now=START)
        assert reports.responses(desk, of_another)["responses"] == []

    await bench.do(asked)


async def test_no_event_asks_for_responses_where_none_are_taken(tmp_path: Path, sep2_pki: Pki) -> None:
    """Devices were told a place for them that answered 404."""
    async with running(tmp_path, sep2_pki, function_sets="fr,-rsps", flow_reservations="grant") as bench:
        row, client = await bench.device("rsp-1")
        _, program = await bench.group("rsp", "rsp-1")
        await bench.control(program, make_control("A1", START + 10, 60))
        assert (await client.post(f"{row.href}/frq", REQUEST)).status == 201
        [control] = (await client.read(f"{program.href}/derc?l=9", DERControlList)).DERControl_
        [grant] = (
            await client.read(f"{row.href}/frp?l=9", FlowReservationResponseList)
        ).FlowReservationResponse_
        assert [(one.replyTo, one.responseRequired or "00") for one in (control, grant)] == [(None, "00")] * 2
        assert (await client.get("/rsps")).status == 404
