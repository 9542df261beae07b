"""What devices told arrives at a VTN of 2.0b: reports with data, and opts by what devices answered."""

from decimal import Decimal

from openadr_ven.back import (
    Description,
    Heard,
    Known,
    Quantity,
    Reply,
    Standing,
    hear,
    owed_opts,
)
from openadr_ven.back.serving import Serving, offer_of
from openadr_ven.events import OptReason, OptType, State, Step
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.report_messages import NO_DATA, ReportName, ReportRequest, Sampling
from tests.unit.openadr_ven.known_builder import MINUTE, REVERSE, known, power, samples
from tests.unit.openadr_ven.v2b.test_v2b_client import answers, event
from tests.unit.openadr_ven.v2b.world import Plan, World, play

MEMBERS = {"battery": ("b1",), "charger": ("c1",)}
USAGE = (Description(rID="p", quantity=Quantity.POWER),)
OFFER = offer_of(
    "usage",
    ReportName.TELEMETRY_USAGE,
    USAGE,
    sampling=Sampling(least_s=MINUTE, most_s=3600),
    buffer_s=86_400,
)


def test_a_reading_of_a_der_is_a_report_at_the_vtn() -> None:
    def facts() -> Known:
        start = int(plan.clock.time()) // MINUTE * MINUTE - 30 * MINUTE
        return known(power(samples=samples(*[1500] * 28, start=start), flow=REVERSE))

    plan = Plan(offers=(OFFER,))

    async def scenario(world: World) -> None:
        world.ven._source = Serving(facts, Standing, {"usage": USAGE})
        await world.registered()
        asked = ReportRequest(
            reportRequestID="q",
            reportSpecifierID="usage",
            granularity_s=MINUTE,
            back_s=5 * MINUTE,
            points=(("p", "Direct Read"),),
            start=int(world.now) // MINUTE * MINUTE,
            duration_s=5 * MINUTE,
        )
        world.vtn.send(m.CreateReport(requestID="r", requests=(asked,)))
        await world.until(lambda: world.vtn.of(m.UpdateReport))

    world = play(scenario, plan)

    (told,) = world.vtn.of(m.UpdateReport)
    assert isinstance(told, m.UpdateReport)
    rows = [(row.data[0].value, row.data[0].quality) for row in told.reports[0].intervals]
    assert rows[:3] == [(Decimal(-1500), "Quality Good - Non Specific")] * 3
    assert rows[-1] == (Decimal(0), NO_DATA)


def test_a_user_who_opts_out_is_a_create_opt_at_the_vtn_and_the_event_goes_on() -> None:
    heard = hear(Heard(), "e1", [("b1", Reply(id=1, control="c", status=4))])

    def decide(state: State, _: int) -> Step:
        return Step(state=state, opts=owed_opts(heard, state, MEMBERS))

    async def scenario(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world))
        await world.until(lambda: answers(world))
        await world.ven._desk.decide(decide)
        await world.until(lambda: world.vtn.of(m.CreateOptMessage))
        await world.until(lambda: ("completed", "e1") in world.changes())

    world = play(scenario)

    (told,) = world.vtn.of(m.CreateOptMessage)
    assert isinstance(told, m.CreateOptMessage)
    opt = told.opt
    assert (opt.optType, opt.reason) == (OptType.OUT, OptReason.OVERRIDE_STATUS)
    assert (opt.eventID, opt.modification, opt.resources) == ("e1", 0, ("battery",))
