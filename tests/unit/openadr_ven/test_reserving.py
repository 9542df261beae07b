"""What vehicles ask for is granted as the goals of events say: not more, not beside them, and not twice."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from function_sets import Refused, ToCancel, Unreachable
from openadr_ven.operator_api import OperatorApi
from openadr_ven.reserving import Reserving
from openadr_ven.to_sep2 import Goal
from openadr_ven.to_sep2.reserving import Answered, Grant, Request, answers_of, tag_of
from schemas import Json

T0 = 10_000
HOUR = 3600
GOAL = Goal(
    eventID="e1", device="car", soc_at_end=Decimal("0.8"), energy_wh=18_000, start=T0, end=T0 + 4 * HOUR
)
TAG = tag_of("vtn", GOAL)
ASKED = Request(
    mRID="F1",
    device="car",
    energy_wh=20_000,
    power_w=11_000,
    start=T0 - HOUR,
    until=T0 + 8 * HOUR,
    length_s=2 * HOUR,
)


def given(
    *requests: Request, goals: Sequence[Goal] = (GOAL,), now: int = T0 - HOUR
) -> list[tuple[int, int, int]]:
    """Start after T0, length and energy of each answer."""
    found = answers_of("vtn", goals, {"car": requests}, now)
    assert found.cancelled == ()
    return [(one.start - T0, one.length_s, one.energy_wh) for one in found.given]


def answered(status: str, energy_wh: int = 18_000, tag: str = TAG) -> Request:
    return replace(ASKED, answers=(Answered(mRID="A1", status=status, description=tag, energy_wh=energy_wh),))


def test_request_is_granted_what_the_goal_says_in_its_time() -> None:
    assert given(ASKED) == [(0, 2 * HOUR, 18_000)]
    assert answers_of("vtn", [GOAL], {"car": [ASKED]}, T0).given == (
        Grant(request=ASKED, tag=TAG, start=T0, length_s=2 * HOUR, energy_wh=18_000),
    )


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (replace(ASKED, energy_wh=5000), (0, 2 * HOUR, 5000)),
        (replace(ASKED, power_w=1000), (0, 2 * HOUR, 2000)),
        (replace(ASKED, start=T0 + HOUR), (HOUR, 2 * HOUR, 18_000)),
        (replace(ASKED, length_s=9 * HOUR), (0, 4 * HOUR, 18_000)),
        (replace(ASKED, until=T0 + 600), (0, 600, 1833)),
        (replace(ASKED, energy_wh=-5000), (0, 2 * HOUR, 0)),
    ],
)
def test_grant_is_no_more_than_asked_for_and_than_its_power_and_time_hold(
    request_: Request, answer: tuple[int, int, int]
) -> None:
    assert given(request_) == [answer]


def test_what_is_late_begins_now() -> None:
    assert given(ASKED, now=T0 + 3 * HOUR) == [(3 * HOUR, HOUR, 11_000)]


@pytest.mark.parametrize(
    "request_",
    [
        replace(ASKED, until=T0),
        replace(ASKED, until=T0 + 59),
        replace(ASKED, start=T0 + 4 * HOUR),
        replace(ASKED, is_asked=False),
        answered("scheduled"),
        answered("active"),
        answered("scheduled", tag="by hand"),
    ],
)
def test_request_of_another_time_or_that_is_answered_is_left_alone(request_: Request) -> None:
    assert given(request_) == []


def test_two_requests_share_the_energy_and_what_goes_beyond_is_declined() -> None:
    first = replace(ASKED, energy_wh=12_000)
    requests = [replace(first, mRID=name, start=T0 + at) for name, at in (("F3", 20), ("F2", 10), ("F1", 0))]
    assert [energy for _, _, energy in given(*requests)] == [12_000, 6000, 0]
    spent = replace(answered("completed", 12_000), mRID="F0", is_asked=False)
    assert given(spent, first) == [(0, 2 * HOUR, 6000)]


@pytest.mark.parametrize("energy_wh", [0, -4000])
def test_goal_that_is_reached_or_below_declines_a_charge(energy_wh: int) -> None:
    assert given(ASKED, goals=[replace(GOAL, energy_wh=energy_wh)]) == [(0, 2 * HOUR, 0)]


def test_vehicle_that_offers_to_feed_in_is_granted_what_is_to_go_out() -> None:
    goal = replace(GOAL, energy_wh=-4000)
    assert given(replace(ASKED, energy_wh=-9000), goals=[goal]) == [(0, 2 * HOUR, -4000)]


def test_answer_of_a_goal_that_is_gone_is_cancelled_and_its_request_is_answered_anew_then() -> None:
    other = replace(GOAL, energy_wh=9000)
    found = answers_of("vtn", [other], {"car": [answered("scheduled")]}, T0)
    assert (found.cancelled, found.given) == (("A1",), ())
    assert given(answered("cancelled"), goals=[other]) == [(0, 2 * HOUR, 9000)]
    assert answers_of("vtn", [], {"car": [answered("active")]}, T0).cancelled == ("A1",)


@pytest.mark.parametrize("request_", [answered("completed"), answered("scheduled", tag="by hand"), ASKED])
def test_what_is_over_or_of_others_is_not_cancelled(request_: Request) -> None:
    assert answers_of("vtn", [], {"car": [request_]}, T0).cancelled == ()


def test_tag_fits_a_description_and_is_of_one_goal() -> None:
    assert len(TAG) <= 32
    others = (replace(GOAL, eventID="e2"), replace(GOAL, energy_wh=1), replace(GOAL, end=None))
    assert len({TAG, tag_of("other", GOAL), *(tag_of("vtn", one) for one in others)}) == 5


class FlowApi(OperatorApi):
    """An operator API with the requests of one vehicle, page by page; it knows what it was asked to do."""

    def __init__(self, *pages: dict[str, object]) -> None:
        self.pages = pages
        self.done: list[tuple[str, object]] = []
        self.flaw: Exception | None = None

    async def told(self, path: str, **query: str) -> dict[str, Any]:
        if isinstance(self.flaw, Unreachable):
            raise self.flaw
        return self.pages[int(query["after"])]

    async def answer_flow(self, request: str, device: str, answer: Mapping[str, Json]) -> None:
        if self.flaw is not None:
            raise self.flaw
        self.done.append((request, dict(answer)))

    async def cancel(self, items: Sequence[ToCancel]) -> Sequence[Refused | None]:
        self.done += [("cancel", one.mRID) for one in items]
        return [None for _ in items]


def wire(mrid: str, *answers: dict[str, object]) -> dict[str, object]:
    return {
        "mRID": mrid,
        "status": "requested",
        "energy": "20000 Wh",
        "power": "11000 W",
        "start": T0,
        "until": T0 + 8 * HOUR,
        "duration": 2 * HOUR,
        "answers": list(answers),
    }


GIVEN: dict[str, object] = {
    "mRID": "A1",
    "status": "scheduled",
    "description": TAG,
    "resource": {"energyAvailable": {"multiplier": 3, "value": 18}},
}


async def test_all_pages_are_read_and_what_fits_is_granted() -> None:
    api = FlowApi({"requests": [wire("F1")], "next": 1}, {"requests": [wire("F2")], "next": None})
    assert await Reserving(api, "vtn", ["car"]).bring_about([GOAL], T0)
    grant = {"description": TAG, "start": T0, "duration": 2 * HOUR}
    assert api.done == [
        ("F1", {**grant, "energyAvailable": "18000 Wh"}),
        ("F2", {**grant, "decline": True}),
    ]


async def test_answer_is_taken_back_with_its_goal_and_then_nobody_is_asked() -> None:
    api = FlowApi({"requests": [wire("F1", GIVEN)], "next": None})
    reserving = Reserving(api, "vtn", ["car"])
    assert await reserving.bring_about([GOAL], T0)
    assert api.done == []
    assert not await reserving.bring_about([], T0)
    assert api.done == [("cancel", "A1")]
    api.pages = ({"requests": [wire("F1", {**GIVEN, "status": "cancelled"})], "next": None},)
    assert await reserving.bring_about([], T0)
    api.pages = ()
    assert await reserving.bring_about([], T0)


async def test_goals_of_what_is_no_vehicle_are_left_alone() -> None:
    api = FlowApi({"requests": [], "next": None})
    assert await Reserving(api, "vtn", ["car"]).bring_about([replace(GOAL, device="battery")], T0)
    assert api.done == []


@pytest.mark.parametrize("flaw", [Unreachable("away"), Refused("no")])
async def test_server_that_is_away_or_refuses_is_asked_again(
    flaw: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    api = FlowApi({"requests": [wire("F1")], "next": None})
    api.flaw = flaw
    reserving = Reserving(api, "vtn", ["car"])
    await reserving.bring_about([GOAL], T0)
    assert str(flaw) in caplog.text
    api.flaw = None
    assert await reserving.bring_about([GOAL], T0)
    assert len(api.done) == 1


async def test_answer_that_makes_no_sense_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    reserving = Reserving(FlowApi({"requests": [{"mRID": "F1"}], "next": None}), "vtn", ["car"])
    assert [await reserving.bring_about([GOAL], T0) for _ in range(2)] == [False, False]
    assert len([one for one in caplog.messages if "cannot be answered" in one]) == 1


class TwoCars(FlowApi):
    """One of them is not known yet."""

    is_known = False

    async def told(self, path: str, **query: str) -> dict[str, Any]:
        if query["device"] == "bus" and not self.is_known:
            raise Refused("404 no device is named 'bus'")
        return await super().told(path, **query)


async def test_vehicle_that_the_server_does_not_know_holds_up_no_other() -> None:
    api = TwoCars({"requests": [wire("F1")], "next": None})
    reserving = Reserving(api, "vtn", ["bus", "car"])
    assert not await reserving.bring_about([GOAL], T0)
    assert [name for name, _ in api.done] == ["F1"]
    api.is_known = True
    api.pages = ({"requests": [wire("F1", GIVEN)], "next": None},)
    assert await reserving.bring_about([GOAL], T0)
    assert len(api.done) == 1
