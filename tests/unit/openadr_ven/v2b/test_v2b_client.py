"""A VEN at a VTN that follows the profile: registration, events, opts, reports. In virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest

from openadr_ven.events import CreateOpt, Event, EventStatus, OptError, OptReason, OptType, Signal, Window
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.errors import Malformed, TransportError, WireError
from openadr_ven.v2b.ports import SystemClock
from openadr_ven.v2b.report_messages import NO_DATA, ReportRequest, ResourceStatus
from openadr_ven.vtn import v2b
from openadr_ven.vtn.v2b import Fault, Vtn
from tests.unit.openadr_ven.v2b.conversations import ENDLESS, EVENT, REQUEST
from tests.unit.openadr_ven.v2b.world import Plan, World, play

BOOT = ["QueryRegistration", "CreatePartyRegistration", "RegisterReport", "RequestEvent"]


def event(world: World, eventID: str = "e1", **more: object) -> Event:
    """Half an hour from one minute on, for all of us, that wants an answer."""
    plain = replace(
        EVENT,
        eventID=eventID,
        modification=0,
        is_test=False,
        start=int(world.now) + 60,
        targets=(),
        ramp_up_s=0,
        randomization=EVENT.randomization.__class__(),
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def answers(world: World) -> list[tuple[str, int, int, str]]:
    """Every eventResponse that the VTN heard."""
    return [
        (one.eventID, one.modification, int(one.code), one.optType.value)
        for message in world.vtn.of(m.CreatedEvent)
        if isinstance(message, m.CreatedEvent)
        for one in message.answers
    ]


def test_r301_registration_comes_before_metadata_and_events() -> None:
    world = play(World.registered)

    assert world.heard() == BOOT


def test_r309_metadata_is_told_after_the_registration() -> None:
    world = play(World.registered)

    (told,) = world.vtn.of(m.RegisterReport)
    assert isinstance(told, m.RegisterReport)
    assert [one.reportName for one in told.offers] == [
        "METADATA_TELEMETRY_USAGE",
        "METADATA_TELEMETRY_STATUS",
        "METADATA_HISTORY_USAGE",
    ]


def test_r405_events_are_asked_for_without_a_limit_before_the_first_poll() -> None:
    world = play(World.registered)

    (asked,) = world.vtn.of(m.RequestEvent)
    assert isinstance(asked, m.RequestEvent)
    assert asked.replyLimit is None
    services = [service for _, service, _ in world.wire.sent]
    assert services.index("OadrPoll") > services.index("EiEvent")


def test_r37_ven_pulls_and_says_so() -> None:
    world = play(World.registered)

    (asked,) = world.vtn.of(m.CreatePartyRegistration)
    assert isinstance(asked, m.CreatePartyRegistration)
    assert asked.is_pull
    assert asked.transportAddress is None


def test_r500_polls_come_at_the_pace_that_the_vtn_asked_for_and_a_little_later() -> None:
    async def scenario(world: World) -> None:
        await world.until(lambda: len(world.polls()) > 5)

    world = play(scenario, Plan(vtn=Vtn(poll_s=30)))

    gaps = [later - earlier for earlier, later in pairwise(world.polls())]
    assert all(30 <= gap <= 33.5 for gap in gaps)


def test_r500_messages_are_fetched_at_once_until_there_are_none() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        for number in range(5):
            world.vtn.send(m.RegisterReport(requestID=f"q{number}", offers=()))
        await world.until(lambda: len(world.vtn.of(m.RegisteredReport)) == 5)
        await world.sleep(5)

    world = play(scenario, Plan(vtn=Vtn(poll_s=30)))

    gaps = [round(later - earlier) for earlier, later in pairwise(world.polls())]
    assert gaps == [32, 0, 0, 0, 0, 0]


def test_ven_whose_clock_is_set_back_polls_on() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        await world.sleep(35)
        clock = world.ven._clock
        assert isinstance(clock, SystemClock)
        known, before = clock._now, len(world.polls())
        clock._now = lambda: known() - 3600
        await world.sleep(60)
        assert len(world.polls()) >= before + 5

    play(scenario)


def test_vtn_that_asks_for_no_pace_is_polled_at_our_own() -> None:
    async def scenario(world: World) -> None:
        await world.until(lambda: len(world.polls()) > 2)

    world = play(scenario, Plan(vtn=Vtn(poll_s=None)))

    assert [round(b - a) for a, b in pairwise(world.polls())] == [10, 10]


def test_vtn_that_is_down_at_the_start_is_tried_again_more_and_more_slowly() -> None:
    async def scenario(world: World) -> None:
        await world.until(lambda: len(world.wire.sent) == 6)
        world.wire.is_up = True
        await world.registered()

    world = play(scenario, Plan(is_up=False))

    times = [at for at, _, _ in world.wire.sent[:6]]
    assert [round(b - a) for a, b in pairwise(times)] == [1, 2, 4, 8, 10]
    assert world.heard() == BOOT


def test_outage_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(world: World) -> None:
        await world.until(lambda: len(world.wire.sent) == 6)

    play(scenario, Plan(is_up=False))

    assert [one.getMessage() for one in caplog.records if one.levelname == "WARNING"] == [
        "the VTN does not answer: connection refused"
    ]


def test_event_is_answered_begun_and_ended() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world))
        await world.until(lambda: ("completed", "e1") in world.changes())

    world = play(scenario)

    assert answers(world) == [("e1", 0, 200, "optIn")]
    assert world.changes() == [("received", "e1"), ("started", "e1"), ("completed", "e1")]


def test_request_id_of_the_message_is_echoed() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world))
        await world.until(lambda: answers(world))

    world = play(scenario)

    (told,) = world.vtn.of(m.CreatedEvent)
    assert isinstance(told, m.CreatedEvent)
    assert told.answers[0].requestID.startswith("request-")
    assert told.response.requestID == ""


def test_events_are_begun_in_time_though_the_vtn_hangs() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        one = event(world)
        world.vtn.publish(one)
        await world.until(lambda: answers(world))
        world.vtn.faults.add(Fault.HANGING)
        await world.until(lambda: ("started", "e1") in world.changes())
        assert world.now - (one.start or 0) < 1

    play(scenario)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"signals": (replace(EVENT.signals[0], unit=None),)}, 460),
        ({"targets": (EVENT.targets[2].__class__(kind="resourceID", value="strange"),)}, 469),
        ({"targets": (EVENT.targets[2].__class__(kind="groupID", value="strange"),)}, 462),
        ({"duration_s": 60}, 454),
    ],
    ids=["no unit", "resource", "group", "intervals"],
)
def test_each_event_has_its_own_code(change: dict[str, object], code: int) -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world, "good"), event(world, "other", **change))
        await world.until(lambda: answers(world))

    world = play(scenario)

    assert answers(world) == [("good", 0, 200, "optIn"), ("other", 0, code, "optOut")]


def test_lower_number_is_answered_with_450_and_changes_nothing() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world, modification=3))
        await world.until(lambda: answers(world))
        world.vtn.publish(event(world, modification=2))
        await world.until(lambda: len(answers(world)) == 2)

    world = play(scenario)

    assert answers(world) == [("e1", 3, 200, "optIn"), ("e1", 2, 450, "optOut")]
    assert world.changes() == [("received", "e1")]


def test_empty_list_cancels_every_event() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world))
        await world.until(lambda: ("started", "e1") in world.changes())
        world.vtn.drop("e1")
        await world.until(lambda: ("cancelled", "e1") in world.changes())

    world = play(scenario)

    assert ("cancelled", "e1") in world.changes()
    assert answers(world) == [("e1", 0, 200, "optIn")]


@pytest.mark.parametrize("error", [TransportError("connection reset"), Malformed("cut off")])
def test_events_whose_message_was_lost_on_the_way_are_asked_for(error: WireError) -> None:
    """The VTN has sent it, and does not send it again."""
    lost: list[m.Message] = []

    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world, duration_s=None, signals=(simple(),)))
        await world.until(lambda: ("started", "e1") in world.changes())
        world.vtn.hears = losing
        world.vtn.cancel("e1")
        await world.until(lambda: lost)
        await world.until(lambda: ("cancelled", "e1") in world.changes())
        await world.sleep(600)

    def losing(message: m.Message, answer: m.Message) -> None:
        if isinstance(message, m.Poll) and isinstance(answer, m.DistributeEvent):
            lost.append(answer)
            raise error

    world = play(scenario)

    assert len(lost) == 1
    assert len(world.vtn.of(m.RequestEvent)) == 2


def test_event_that_comes_cancelled_is_complied_with_and_never_begun() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world, eventStatus=EventStatus.CANCELLED))
        await world.until(lambda: answers(world))
        await world.sleep(200)

    world = play(scenario)

    assert answers(world) == [("e1", 0, 200, "optIn")]
    assert ("started", "e1") not in world.changes()


def test_event_that_is_over_when_it_comes_is_not_begun() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world, start=int(world.now) - 7200))
        await world.until(lambda: answers(world))

    world = play(scenario)

    assert ("started", "e1") not in world.changes()


def test_opting_out_is_told_by_another_answer() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world))
        await world.until(lambda: answers(world))
        await world.ven.opt_event("e1", OptType.OUT)
        await world.until(lambda: len(answers(world)) == 2)

    assert answers(play(scenario))[1] == ("e1", 0, 200, "optOut")


def test_opt_of_a_resource_is_told_by_a_create_opt() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world))
        await world.until(lambda: answers(world))
        await world.ven.opt_resources("e1", ("battery",), OptType.OUT, OptReason.OVERRIDE_STATUS)
        await world.until(lambda: world.vtn.of(m.CreateOptMessage))

    world = play(scenario)

    (told,) = world.vtn.of(m.CreateOptMessage)
    assert isinstance(told, m.CreateOptMessage)
    assert (told.venID, told.opt.eventID, told.opt.resources) == ("ven-1", "e1", ("battery",))
    assert world.ven.kept.owed == ()


def test_schedule_is_told_and_taken_back() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        schedule = CreateOpt(
            optID="o1",
            optType=OptType.OUT,
            reason=OptReason.SCHEDULE,
            windows=(Window(start=int(world.now), duration_s=None),),
        )
        await world.ven.add_schedule(schedule)
        await world.ven.cancel_opt("o1")
        await world.until(lambda: world.vtn.of(m.CancelOpt))
        with pytest.raises(OptError):
            await world.ven.cancel_opt("o1")

    world = play(scenario)

    assert world.heard()[-2:] == ["CreateOptMessage", "CancelOpt"]


def test_schedule_of_a_ven_that_is_not_registered_is_told_behind_its_metadata() -> None:
    plan = Plan(is_up=False)

    async def scenario(world: World) -> None:
        schedule = CreateOpt(
            optID="o1",
            optType=OptType.OUT,
            reason=OptReason.SCHEDULE,
            windows=(Window(start=int(world.now), duration_s=3600),),
        )
        await world.ven.add_schedule(schedule)
        world.wire.is_up = True
        await world.until(lambda: world.vtn.of(m.CreateOptMessage))
        await world.registered()
        await world.sleep(600)

    heard = play(scenario, plan).heard()

    assert heard.index("RegisterReport") < heard.index("CreateOptMessage")
    assert heard.count("CreateOptMessage") == 1


def asked(world: World, **more: object) -> ReportRequest:
    return replace(REQUEST, start=int(world.now), **more)  # type: ignore[arg-type]


def reports(world: World) -> list[m.UpdateReport]:
    return [one for one in world.vtn.of(m.UpdateReport) if isinstance(one, m.UpdateReport)]


def test_several_requests_at_once_have_their_own_rids_and_times() -> None:
    async def scenario(world: World) -> None:
        world.meters.values = {
            "battery-w": Decimal(-2500),
            "battery": ResourceStatus(is_online=True, is_overridden=False),
        }
        await world.registered()
        status = replace(
            ENDLESS,
            granularity_s=60,
            back_s=60,
            points=(("battery", "x-notApplicable"),),
            start=int(world.now),
        )
        world.vtn.send(m.CreateReport(requestID="r1", requests=(asked(world), status)))
        await world.until(lambda: len(reports(world)) >= 6)

    world = play(scenario)

    found = [(one.reports[0].reportRequestID, len(one.reports[0].intervals)) for one in reports(world)]
    assert found.count(("q2", 1)) == 5
    assert found.count(("q1", 5)) == 1
    rIDs = {
        (one.reports[0].reportRequestID, datum.rID)
        for one in reports(world)
        for interval in one.reports[0].intervals
        for datum in interval.data
    }
    assert rIDs == {("q1", "battery-w"), ("q2", "battery")}


def test_r329_answer_lists_every_request_that_is_scheduled() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.send(m.CreateReport(requestID="r1", requests=(asked(world),)))
        world.vtn.send(m.CreateReport(requestID="r2", requests=(asked(world, reportRequestID="q9"),)))
        await world.until(lambda: len(world.vtn.of(m.CreatedReport)) == 2)

    world = play(scenario)

    told = [one.pending for one in world.vtn.of(m.CreatedReport) if isinstance(one, m.CreatedReport)]
    assert told == [("q1",), ("q1", "q9")]


def test_r340_request_for_too_much_is_refused_and_none_of_its_message_is_taken() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        bad = asked(world, reportRequestID="q9", granularity_s=1)
        world.vtn.send(m.CreateReport(requestID="r1", requests=(asked(world), bad)))
        await world.until(lambda: world.vtn.of(m.CreatedReport))

    world = play(scenario)

    (told,) = world.vtn.of(m.CreatedReport)
    assert isinstance(told, m.CreatedReport)
    assert (told.response.code, told.pending) == (454, ())


def test_r306_metadata_is_told_as_a_whole_and_ends_every_request() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.send(m.CreateReport(requestID="r1", requests=(asked(world),)))
        await world.until(lambda: world.ven.kept.running)
        metadata = asked(world, reportSpecifierID="METADATA", points=(("0", "x-notApplicable"),))
        world.vtn.send(m.CreateReport(requestID="r2", requests=(metadata,)))
        await world.until(lambda: len(world.vtn.of(m.RegisterReport)) == 2)
        await world.until(lambda: not world.ven.kept.running)

    world = play(scenario)

    first, second = (one for one in world.vtn.of(m.RegisterReport) if isinstance(one, m.RegisterReport))
    assert [one.reportSpecifierID for one in second.offers] == [one.reportSpecifierID for one in first.offers]


def test_r327_metadata_is_told_again_whenever_it_is_asked_for() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        for _ in range(2):
            metadata = asked(world, reportSpecifierID="METADATA", points=(("0", "x-notApplicable"),))
            world.vtn.send(m.CreateReport(requestID="r2", requests=(metadata,)))
        await world.until(lambda: len(world.vtn.of(m.RegisterReport)) == 3)

    world = play(scenario)

    assert [
        one.response.code for one in world.vtn.of(m.CreatedReport) if isinstance(one, m.CreatedReport)
    ] == [
        200,
        200,
    ]


def test_requests_that_come_with_the_answer_to_metadata_are_taken() -> None:
    async def scenario(world: World) -> None:
        await world.until(lambda: world.vtn.of(m.CreatedReport))
        await world.until(lambda: reports(world))

    world = play(scenario, Plan(vtn=Vtn(requests=(replace(REQUEST, start=None, duration_s=None),))))

    assert reports(world)[0].reports[0].intervals[0].data[0].quality == NO_DATA


def test_r328_cancelled_request_ends_with_one_last_report_if_it_is_to_follow() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.send(m.CreateReport(requestID="r1", requests=(asked(world, back_s=3600),)))
        await world.until(lambda: world.vtn.of(m.CreatedReport))
        await world.sleep(100)
        world.vtn.send(m.CancelReport(requestID="r2", reportRequestIDs=("q1",), is_to_follow=True))
        await world.until(lambda: reports(world))
        await world.sleep(900)

    world = play(scenario)

    assert world.heard()[-2:] == ["CanceledReport", "UpdateReport"]
    assert len(reports(world)) == 1


def test_r328_answer_to_a_report_may_cancel_requests() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.cancel_in_update = m.CancelReport(requestID="r2", reportRequestIDs=("q1",))
        world.vtn.send(m.CreateReport(requestID="r1", requests=(asked(world),)))
        await world.until(lambda: world.vtn.of(m.CanceledReport))
        await world.sleep(900)

    world = play(scenario)

    assert len(reports(world)) == 1
    assert world.ven.kept.running == ()


def test_report_request_of_another_ven_is_answered_with_452() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.send(m.CreateReport(requestID="r1", requests=(asked(world),), venID="another"))
        world.vtn.send(m.CancelReport(requestID="r2", reportRequestIDs=("q7",)))
        await world.until(lambda: world.vtn.of(m.CanceledReport))

    world = play(scenario)

    codes = [
        one.response.code for one in world.vtn.heard if isinstance(one, m.CreatedReport | m.CanceledReport)
    ]
    assert codes == [452, 452]
    assert world.ven.kept.running == ()


def test_vtn_that_wants_a_registration_again_gets_it_with_the_same_ids() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.send(m.RequestReregistration(venID="ven-1"))
        await world.until(lambda: len(world.vtn.of(m.CreatePartyRegistration)) == 2)
        await world.sleep(30)

    world = play(scenario)

    _, again = world.vtn.of(m.CreatePartyRegistration)
    assert isinstance(again, m.CreatePartyRegistration)
    assert (again.registrationID, again.venID) == ("registration-1", "ven-1")
    assert len(world.vtn.of(m.RegisterReport)) == 1


def test_vtn_that_forgot_the_ven_gets_a_new_registration_with_everything() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world, duration_s=None, signals=(simple(),)))
        await world.until(lambda: ("started", "e1") in world.changes())
        world.vtn.vens.clear()
        world.vtn.events.clear()
        await world.until(lambda: world.vtn.vens)
        await world.until(lambda: ("cancelled", "e1") in world.changes())

    world = play(scenario)

    kept = world.ven.kept.registration
    assert kept is not None
    assert kept.venID in world.vtn.vens
    assert kept.venID != "ven-1"
    assert world.heard().count("RegisterReport") == 2


def told_opts(world: World) -> list[tuple[str, tuple[str, ...], str | None]]:
    """The oadrCreateOpts that the VTN heard: what they say, of whom, and as whom."""
    return [
        (one.opt.optType.value, one.opt.resources, one.venID)
        for one in world.vtn.of(m.CreateOptMessage)
        if isinstance(one, m.CreateOptMessage)
    ]


async def opted_out(world: World) -> None:
    """The charger leaves an event that runs."""
    await world.ven.opt_resources("e1", ("charger",), OptType.OUT, OptReason.OVERRIDE_STATUS)


async def begun(world: World) -> None:
    """An event without end runs."""
    await world.registered()
    world.vtn.publish(event(world, duration_s=None, signals=(simple(),)))
    await world.until(lambda: ("started", "e1") in world.changes())


async def forgotten_after(world: World) -> None:
    await opted_out(world)
    await world.until(lambda: told_opts(world))
    world.vtn.vens.clear()


async def forgotten_before(world: World) -> None:
    world.vtn.vens.clear()
    await opted_out(world)


async def unknown_for_a_while(world: World) -> None:
    world.vtn.faults.add(Fault.UNKNOWN_VEN)
    await opted_out(world)
    await world.until(lambda: told_opts(world))
    world.vtn.faults.clear()


async def not_registered(world: World) -> None:
    world.vtn.faults |= {Fault.UNKNOWN_VEN, Fault.NO_REGISTRATION}
    await world.until(lambda: world.ven.kept.registration is None)
    await opted_out(world)
    world.vtn.faults.clear()


@pytest.mark.parametrize(
    ("lose", "venID", "count"),
    [
        (forgotten_after, "ven-3", 2),
        (forgotten_before, "ven-3", 2),
        (unknown_for_a_while, "ven-1", 2),
        (not_registered, "ven-3", 1),
    ],
)
def test_opt_of_a_resource_reaches_a_vtn_that_did_not_know_us_for_a_while(
    lose: Callable[[World], Awaitable[None]], venID: str, count: int
) -> None:
    """Whether it forgot us before it was told or after."""

    async def scenario(world: World) -> None:
        await begun(world)
        await lose(world)
        await world.sleep(3600)

    world = play(scenario)

    assert list(world.vtn.vens) == [venID]
    assert told_opts(world)[-1] == ("optOut", ("charger",), venID)
    assert len(told_opts(world)) == count
    assert world.ven.kept.owed == ()


def test_message_that_is_refused_for_an_id_in_it_is_given_up_behind_one_registration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = m.CreatedOpt(response=m.EiResponse(code=452, text="no such event"), optID="")
    monkeypatch.setitem(v2b._HANDLERS, m.CreateOptMessage, lambda *_: refused)

    async def scenario(world: World) -> None:
        await begun(world)
        await opted_out(world)
        await world.sleep(3600)

    world = play(scenario)

    assert len(told_opts(world)) == 2
    assert len(world.vtn.of(m.CreatePartyRegistration)) == 2
    assert world.ven.kept.owed == ()


def simple() -> Signal:
    """A signal without end."""
    return replace(
        EVENT.signals[0],
        device_classes=(),
        intervals=(replace(EVENT.signals[0].intervals[0], duration_s=None),),
    )


def test_r407_cancelled_registration_leaves_nothing_and_a_person_begins_anew() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world))
        world.vtn.send(m.CreateReport(requestID="r1", requests=(asked(world),)))
        await world.until(lambda: ("started", "e1") in world.changes())
        world.vtn.send(m.CancelPartyRegistration(requestID="r9", registrationID="registration-1"))
        await world.until(lambda: world.vtn.of(m.CanceledPartyRegistration))
        assert ("cancelled", "e1") in world.changes()
        kept = world.ven.kept
        assert (kept.registration, kept.running, kept.owed, dict(kept.state.records)) == (None, (), (), {})
        before = len(world.wire.sent)
        await world.sleep(7200)
        assert len(world.wire.sent) == before
        await world.ven.register()
        await world.until(lambda: len(world.vtn.of(m.RegisterReport)) == 2)

    play(scenario)


@pytest.mark.parametrize("other", ["another", "Registration-1"])
def test_r512_cancellation_of_another_registration_is_answered_with_452(other: str) -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.send(m.CancelPartyRegistration(requestID="r9", registrationID=other))
        await world.until(lambda: world.vtn.of(m.CanceledPartyRegistration))

    world = play(scenario)

    (told,) = world.vtn.of(m.CanceledPartyRegistration)
    assert isinstance(told, m.CanceledPartyRegistration)
    assert told.response.code == 452
    assert world.ven.kept.registration is not None


def test_ven_ends_its_registration_itself() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world))
        await world.until(lambda: ("started", "e1") in world.changes())
        await world.ven.cancel_registration()
        await world.until(lambda: ("cancelled", "e1") in world.changes())

    world = play(scenario)

    assert world.vtn.vens == {}
    assert world.ven.kept.is_cancelled


def test_data_of_the_vtn_is_acknowledged() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.send(m.UpdateReport(requestID="r1", reports=()))
        await world.until(lambda: world.vtn.of(m.UpdatedReport))

    play(scenario)


def test_two_tasks_never_change_what_is_kept_at_the_same_time() -> None:
    """Opts from outside while messages come and time passes: each change stands."""

    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(*(event(world, f"e{number}") for number in range(20)))
        await world.until(lambda: len(answers(world)) == 20)
        await asyncio.gather(*(world.ven.opt_event(f"e{number}", OptType.OUT) for number in range(20)))
        await world.until(lambda: len(answers(world)) == 40)

    world = play(scenario)

    assert all(one.optType is OptType.OUT for one in world.ven.kept.state.records.values())
