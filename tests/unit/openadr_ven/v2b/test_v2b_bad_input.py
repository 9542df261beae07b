"""A VTN that misbehaves: nothing is dispatched, one line is logged, and the VEN goes on afterwards."""

import logging
from dataclasses import replace

import pytest

from openadr_ven.events import OptType
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.replay import ReplayGuard
from openadr_ven.v2b.signature import Verifier
from openadr_ven.v2b.writing import write
from openadr_ven.vtn import v2b
from openadr_ven.vtn.v2b import Fault, Reply, Vtn
from tests.unit.openadr_ven.v2b.conversations import OK
from tests.unit.openadr_ven.v2b.keys import identity
from tests.unit.openadr_ven.v2b.test_v2b_client import answers, event
from tests.unit.openadr_ven.v2b.world import Plan, World, play

VTN, VEN = identity("vtn"), identity("ven")


def signed_plan(ven: str = "ec", vtn: str = "ec") -> Plan:
    """Both sides sign, and want signatures."""
    ours, theirs = identity("ven", ven), identity("vtn", vtn)
    return Plan(
        vtn=Vtn(signer=theirs.signer(), verifier=Verifier(ReplayGuard(), {ours.fingerprint})),
        signer=ours.signer(),
        verifier=Verifier(ReplayGuard(), {theirs.fingerprint}),
    )


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]


@pytest.mark.parametrize(("ven", "vtn"), [("ec", "ec"), ("rsa", "ec"), ("ec", "rsa")])
def test_signed_both_ways_events_are_taken(ven: str, vtn: str) -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world))
        await world.until(lambda: answers(world))

    world = play(scenario, signed_plan(ven, vtn))

    assert world.changes() == [("received", "e1")]
    assert all(b"<ds:Signature" in body for _, _, body in world.wire.sent)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault.UNSIGNED, "463 the message is not signed"),
        (Fault.TAMPERED, "463 the signature does not hold"),
        (Fault.REPLAYED, "463 the nonce was used before"),
        (Fault.AHEAD, "463 sent 3600 s ahead by our clock"),
        (Fault.BEHIND, "463 sent 3600 s ago by our clock"),
        (Fault.GARBAGE, "454 no XML"),
        (Fault.INVALID, "454 line"),
        (Fault.ENTITIES, "454 a document type declaration"),
        (Fault.HUGE, "454"),
        (Fault.NO_XML_TYPE, "454 content type text/html"),
    ],
)
def test_message_that_cannot_be_trusted_or_read_changes_nothing(
    fault: Fault, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        await world.sleep(1)
        world.vtn.publish(event(world))
        world.vtn.faults.add(fault)
        polls = len(world.polls())
        await world.until(lambda: len(world.polls()) > polls)
        await world.sleep(0.5)
        assert world.changes() == []
        (line,) = warnings(caplog)
        assert line.startswith(f"answer of the VTN not taken: {why}")
        world.vtn.faults.clear()
        world.vtn.publish(event(world, "e2"))
        await world.until(lambda: answers(world))

    world = play(scenario, signed_plan())

    assert ("received", "e2") in world.changes()


def test_other_signer_is_refused() -> None:
    plan = signed_plan()
    plan.vtn.signer = identity("stranger").signer()

    async def scenario(world: World) -> None:
        await world.until(lambda: len(world.wire.sent) > 3)

    world = play(scenario, plan)

    assert world.heard() == ["QueryRegistration"] * len(world.wire.sent)


def test_vtn_refuses_what_is_not_signed() -> None:
    plan = signed_plan()
    plan.signer = None

    async def scenario(world: World) -> None:
        await world.until(lambda: len(world.wire.sent) > 2)

    assert play(scenario, plan).heard() == []


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.BROKEN, Fault.FORBIDDEN, Fault.HANGING])
def test_vtn_that_fails_is_asked_more_and_more_slowly_and_then_as_before(
    fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def scenario(world: World) -> None:
        await world.registered()
        await world.sleep(1)
        world.vtn.faults.add(fault)
        before = len(world.wire.sent)
        await world.until(lambda: len(world.wire.sent) >= before + 4)
        world.vtn.faults.clear()
        world.vtn.publish(event(world))
        await world.until(lambda: answers(world))

    play(scenario)

    assert len(warnings(caplog)) == 1
    assert caplog.messages.count("the VTN answers again") == 1


def test_answer_that_is_owed_is_sent_again_once_the_vtn_is_back() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world))
        await world.until(world.changes)
        polls = len(world.polls())
        world.vtn.faults.add(Fault.BUSY)
        await world.ven.opt_event("e1", OptType.OUT)
        await world.sleep(60)
        assert len(world.ven.kept.owed) == 1
        assert len(world.polls()) >= polls
        world.vtn.faults.clear()
        await world.until(lambda: len(answers(world)) == 2)

    assert answers(play(scenario))[1][3] == "optOut"


def test_events_of_another_vtn_are_answered_with_452_and_not_taken() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.faults.add(Fault.OTHER_VTN)
        world.vtn.publish(event(world))
        await world.until(lambda: world.vtn.of(m.CreatedEvent))

    world = play(scenario)

    (told,) = world.vtn.of(m.CreatedEvent)
    assert isinstance(told, m.CreatedEvent)
    assert (told.response.code, told.answers) == (452, ())
    assert world.changes() == []


def test_list_that_is_an_error_cancels_nothing() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world))
        await world.until(lambda: ("started", "e1") in world.changes())
        error = m.EiResponse(code=453, text="not now")
        world.vtn.send(m.DistributeEvent(vtnID="vtn", requestID="r", events=(), response=error))
        await world.until(lambda: not world.vtn.queues["ven-1"])
        await world.sleep(5)

    assert play(scenario).changes() == [("received", "e1"), ("started", "e1")]


def test_message_that_nobody_polls_for_is_not_expected(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        await world.sleep(1)
        world.vtn.faults.add(Fault.UNEXPECTED)
        polls = len(world.polls())
        await world.until(lambda: len(world.polls()) > polls)
        world.vtn.faults.clear()
        await world.until(lambda: len(world.polls()) > polls + 1)

    play(scenario)

    assert warnings(caplog)[0] == "answer of the VTN not taken: 450 CreatedOpt does not come by a poll"


def test_flood_is_bounded_and_repeats_change_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.events["e1"] = event(world)
        world.vtn.faults.add(Fault.FLOOD)
        await world.until(lambda: warnings(caplog))
        before = len(world.polls())
        await world.sleep(5)
        assert len(world.polls()) - before <= 6
        world.vtn.faults.clear()
        await world.until(lambda: not world.ven.kept.owed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("openadr_ven.v2b.pace.MOST_AT_ONCE", 20)
        world = play(scenario)

    assert world.changes()[0] == ("received", "e1")
    assert world.changes().count(("received", "e1")) == 1
    assert warnings(caplog)[0] == "the VTN sends without end: polled once a second"


def test_vtn_that_does_not_want_the_ven_is_asked_again_slowly(caplog: pytest.LogCaptureFixture) -> None:
    plan = Plan()
    plan.vtn.faults.add(Fault.NO_REGISTRATION)

    async def scenario(world: World) -> None:
        await world.until(lambda: len(world.vtn.of(m.CreatePartyRegistration)) == 4)
        world.vtn.faults.clear()
        await world.registered()

    play(scenario, plan)

    assert warnings(caplog)[0] == "the VTN does not register this VEN: 463 not here"


def test_message_that_the_vtn_will_never_take_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world))
        await world.until(lambda: answers(world))
        taken = world.vtn.answer

        def picky(service: str, *rest: object) -> object:
            return replace(reply, status=406) if service == "EiEvent" else taken(service, *rest)  # type: ignore[arg-type]

        reply = taken("OadrPoll", write(m.Poll(venID="ven-1")), world.now)
        patch.setattr(Vtn, "answer", lambda _, service, *rest: picky(service, *rest))
        await world.ven.opt_event("e1", OptType.OUT)
        await world.until(lambda: not world.ven.kept.owed)

    with pytest.MonkeyPatch.context() as patch:
        play(scenario)

    assert warnings(caplog) == ["CreatedEvent is given up: HTTP 406"]


def test_refused_answer_is_logged_and_not_sent_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = m.Response(response=m.EiResponse(code=451, text="not now"))
    monkeypatch.setitem(v2b._HANDLERS, m.CreatedEvent, lambda *_: refused)

    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world))
        await world.until(lambda: warnings(caplog))
        assert world.ven.kept.owed == ()

    play(scenario)

    assert warnings(caplog) == ["the VTN refuses CreatedEvent: 451 not now"]


def test_registration_without_ids_is_not_taken(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(world: World) -> None:
        patch.setattr(Vtn, "_register", lambda *_: m.CreatedPartyRegistration(response=OK, vtnID="vtn"))
        await world.until(lambda: warnings(caplog))
        assert world.ven.kept.registration is None

    with pytest.MonkeyPatch.context() as patch:
        play(scenario)

    assert warnings(caplog) == ["the VTN does not register this VEN: 200 OK, without IDs"]


@pytest.mark.parametrize(("code", "count"), [(453, 1), (452, 2), (463, 2)])
def test_ids_are_given_up_only_where_the_vtn_does_not_know_them(code: int, count: int) -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        known = Vtn._register

        def refuses(vtn: Vtn, message: m.CreatePartyRegistration, fingerprint: str) -> m.Message:
            if message.registrationID is None:
                return known(vtn, message, fingerprint)
            response = m.EiResponse(code=code, text="no", requestID=message.requestID)
            return m.CreatedPartyRegistration(response=response, vtnID="vtn")

        patch.setattr(Vtn, "_register", refuses)
        world.vtn.send(m.RequestReregistration(venID="ven-1"))
        await world.until(lambda: len(world.vtn.of(m.CreatePartyRegistration)) >= 3)

    with pytest.MonkeyPatch.context() as patch:
        world = play(scenario)

    firsts = [
        one
        for one in world.vtn.of(m.CreatePartyRegistration)
        if isinstance(one, m.CreatePartyRegistration) and one.registrationID is None
    ]
    assert len(firsts) == count


def test_vtn_may_say_nothing_to_a_response() -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        taken = Vtn.answer

        def silent(vtn: Vtn, service: str, body: bytes, now: float, peer: bytes | None = None) -> Reply:
            return Reply() if b"oadr:oadrResponse" in body else taken(vtn, service, body, now, peer)

        patch.setattr(Vtn, "answer", silent)
        world.vtn.send(m.RequestReregistration(venID="ven-1"))
        await world.until(lambda: len(world.vtn.of(m.CreatePartyRegistration)) == 2)
        assert world.ven.kept.owed == ()

    with pytest.MonkeyPatch.context() as patch:
        play(scenario)


def test_message_whose_answers_are_never_readable_is_given_up_after_some_tries(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world))
        await world.until(lambda: answers(world))
        taken = Vtn.answer

        def garbles(vtn: Vtn, service: str, body: bytes, now: float, peer: bytes | None = None) -> Reply:
            reply = taken(vtn, service, body, now, peer)
            return replace(reply, body=b"<x") if service == "EiEvent" else reply

        patch.setattr(Vtn, "answer", garbles)
        await world.ven.opt_event("e1", OptType.OUT)
        await world.until(lambda: not world.ven.kept.owed)

    with pytest.MonkeyPatch.context() as patch:
        play(scenario)

    assert "CreatedEvent is given up: no answer to it can be taken" in warnings(caplog)
