"""Laws of lists that are longer than what a case reads of them."""

import asyncio
from dataclasses import dataclass, field

import pytest

from conformance_tests import Trial
from conformance_tests.server.generated import lists
from conformance_tests.server.generated.lists import Listed
from function_sets import ROUTES, parse_query
from schemas import (
    DateTimeInterval,
    DERControl,
    DERControlBase,
    DERControlList,
    EventStatus,
)

BEGUN = 1_700_000_000
MANY = 3 * 255
CASES = {case.id: case for case in lists.CASES}


def control(number: int) -> DERControl:
    return DERControl(
        href=f"/derp/1/derc/{number}",
        mRID=f"{number:08X}",
        creationTime=BEGUN,
        EventStatus_=EventStatus(currentStatus=0, dateTime=BEGUN, potentiallySuperseded=False),
        interval=DateTimeInterval(start=BEGUN + 3600 + 60 * number, duration=60),
        DERControlBase_=DERControlBase(opModMaxLimW=100),
    )


@dataclass
class Lister:
    """Who sees a list of MANY controls, of which a page has at most 255; `lost` of those that are later."""

    lost: int = 0
    held: list[DERControl] = field(default_factory=lambda: [control(number) for number in range(MANY)])

    async def read(self, href: str, _: type) -> DERControlList:
        query = parse_query(href.partition("?")[2])
        later = [one for one in self.held if query.after is None or one.interval.start > query.after]
        items = later[0 if query.after is None else self.lost :][query.start :][: min(query.limit, 255)]
        return DERControlList(all=len(later), results=len(items), DERControl_=items)


async def now() -> int:
    return BEGUN


def broken(aspect: str, viewer: Lister) -> list[str]:
    case = CASES[f"lists/DERControlList-{aspect}/server"]
    trial = Trial(case, lambda: 0.0)
    route = ROUTES["DERControlList"]
    listed = Listed(trial=trial, viewer=viewer, route=route, href="/derp/1/derc", now=now)  # type: ignore[arg-type]  # reads alone
    asyncio.run(lists._ASPECTS[aspect][0](listed))  # type: ignore[arg-type]  # a coroutine
    return [one.what for one in trial.findings if not one.held]


@pytest.mark.parametrize(
    "aspect", ["after", "default", "limit", "order", "pages", "past-end", "start", "status"]
)
def test_a_right_list_of_three_large_pages_keeps_each_law(aspect: str) -> None:
    assert broken(aspect, Lister()) == []


def test_what_is_left_out_after_a_time_is_seen_in_a_long_list() -> None:
    assert "shows the items that are later, and no other" in " ".join(broken("after", Lister(lost=1)))
