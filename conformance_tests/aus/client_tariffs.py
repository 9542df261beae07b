"""Tariffs on the stage: profiles, rate components and intervals, with the combined list of CSIP-AUS v1.3."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from function_sets import ListQuery, page, parse_query
from schemas import (
    ConsumptionTariffInterval,
    DateTimeInterval,
    EventStatus,
    Link,
    ListLink,
    RateComponent,
    ReadingType,
    ResponseSet,
    TariffProfile,
    TimeTariffInterval,
    TimeTariffIntervalList,
)
from schemas.links import ResponseListLink
from schemas.links_metering import (
    ConsumptionTariffIntervalListLink,
    RateComponentListLink,
    ReadingTypeLink,
    TariffProfileListLink,
    TimeTariffIntervalListLink,
)

if TYPE_CHECKING:
    from conformance_tests.aus.client_words import AddInterval, AddRate, AddTariff
    from conformance_tests.client.stage import Stage
    from conformance_tests.client.staged import StagedAssignment, StagedEvent

NO_ROLES: Final = "0000"
ONE_TIER: Final = 1
FIRST_BLOCK: Final = 1


@dataclass(slots=True)
class Tariffs:
    """The tariffs of a run; `intervals` are events by tag with the path of their rate component."""

    stage: Stage
    lists: dict[int, str] = field(default_factory=dict)
    rates: dict[str, str] = field(default_factory=dict)
    intervals: list[tuple[str, StagedEvent, str]] = field(default_factory=list)
    replies: str = ""
    combined: str = ""
    _path: str = ""
    _components: str = ""

    def link(self, assignment: StagedAssignment, number: int) -> None:
        """Let a function set assignment lead to its tariffs."""
        if number not in self.lists:
            self.lists[number] = self.stage.tree.put_list("TariffProfileList", f"/tariffs/{number}")
        self.stage.change(
            assignment.href, TariffProfileListLink_=TariffProfileListLink(href=self.lists[number])
        )

    def add_tariff(self, act: AddTariff) -> None:
        """A new tariff, with a place for answers to its intervals."""
        tree, stage = self.stage.tree, self.stage
        self._path = f"/tp/{tree.number('tp')}"
        self._components = tree.put_list("RateComponentList", f"{self._path}/rc")
        self.combined = tree.addresses.of(f"{self._path}/ctti")
        self.replies = tree.put_list("ResponseList", "/rsps/2/rsp")
        answers = ResponseSet(mRID=stage.mrid(), ResponseListLink_=ResponseListLink(href=self.replies))
        tree.add(stage.response_sets, tree.put("ResponseSet", "/rsps/2", answers))
        cls: Any = stage.profile.resolve(TariffProfile)
        made = cls(
            mRID=stage.mrid(),
            primacy=act.primacy,
            pricePowerOfTenMultiplier=act.price_multiplier,
            RateComponentListLink_=RateComponentListLink(href=self._components),
            serviceCategoryKind=0,
            CombinedTimeTariffIntervalListLink=ListLink(href=self.combined),
        )
        href = tree.put("TariffProfile", self._path, made)
        tree.add(self.lists[act.assignment], href)
        stage.changed({href})

    def add_rate(self, act: AddRate) -> None:
        """A new rate component with its type of reading."""
        tree = self.stage.tree
        path = f"{self._path}/rc/{tree.number('rc')}"
        kind = ReadingType(
            commodity=act.commodity,
            flowDirection=act.direction,
            powerOfTenMultiplier=act.multiplier,
            uom=act.uom,
        )
        made = RateComponent(
            mRID=self.stage.mrid(),
            description=act.tag,
            ReadingTypeLink_=ReadingTypeLink(href=tree.put("ReadingType", f"{path}/rt", kind)),
            roleFlags=NO_ROLES,
            TimeTariffIntervalListLink_=TimeTariffIntervalListLink(
                href=tree.put_list("TimeTariffIntervalList", f"{path}/tti")
            ),
        )
        self.rates[act.tag] = path
        href = tree.put("RateComponent", path, made)
        tree.add(self._components, href)
        self.stage.changed({href})

    def add_interval(self, act: AddInterval, start_s: int) -> None:
        """A new interval with its blocks of prices."""
        tree, stage, path = self.stage.tree, self.stage, self.rates[act.rate]
        number = tree.number("tti")
        blocks = tree.put_list("ConsumptionTariffIntervalList", f"{path}/tti/{number}/cti")
        self._block(blocks, f"{path}/tti/{number}/cti/1", FIRST_BLOCK, act.block0, 0)
        if act.block1 is not None:
            self._block(
                blocks, f"{path}/tti/{number}/cti/2", FIRST_BLOCK + 1, act.block1, act.block1_from or 0
            )
        cls: Any = stage.profile.resolve(TimeTariffInterval)
        made = cls(
            replyTo=self.replies,
            responseRequired="03",
            mRID=stage.mrid(),
            creationTime=stage.now(),
            EventStatus_=EventStatus(currentStatus=0, dateTime=stage.now(), potentiallySuperseded=False),
            interval=DateTimeInterval(duration=act.duration_s, start=start_s),
            ConsumptionTariffIntervalListLink_=ConsumptionTariffIntervalListLink(href=blocks),
            touTier=ONE_TIER,
        )
        held = tree.addresses.of(f"{path}/tti")
        event = stage.publish_event(held, "TimeTariffInterval", f"{path}/tti", made)
        self.intervals.append((act.tag, event, path))

    def _block(self, list_href: str, path: str, number: int, price: int, start: int) -> None:
        made = ConsumptionTariffInterval(consumptionBlock=number, price=price, startValue=start)
        self.stage.tree.add(list_href, self.stage.tree.put("ConsumptionTariffInterval", path, made))

    def cancel(self, tag: str) -> None:
        """Cancel the intervals of a tag, or all that are not over."""
        for name, event, _ in self.intervals:
            if tag in {"", name} and event.end_s > self.stage.now() and event.href in self.stage.tree.held:
                self.stage.cancel(event)

    def drop_rate(self, tag: str) -> None:
        """Remove a rate component with its intervals."""
        self.stage.remove(self.stage.tree.addresses.of(self.rates[tag]))

    def all_intervals(self, query: ListQuery) -> TimeTariffIntervalList:
        """A page of the combined list: intervals of all components, with their prices in them."""
        tree, now_s = self.stage.tree, self.stage.now()
        rows = [(event, path) for _, event, path in self.intervals if event.href in tree.held]
        rows.sort(key=lambda row: (row[0].start_s, row[0].mrid))
        items = [self._whole(event, path, now_s) for event, path in page(rows, query)]
        cls: Any = self.stage.profile.resolve(TimeTariffIntervalList)
        found: TimeTariffIntervalList = cls(
            href=self.combined,
            all=len(rows),
            results=len(items),
            TimeTariffInterval_=items,
            pollRate=tree.rates.get("TimeTariffIntervalList", tree.poll_rate_s),
        )
        return found

    def _whole(self, event: StagedEvent, path: str, now_s: int) -> Any:  # noqa: ANN401  of any profile
        tree = self.stage.tree
        shown: Any = tree.read(event.href, now_s)
        every = parse_query("l=255")
        blocks: Any = tree.read(shown.ConsumptionTariffIntervalListLink_.href, now_s, every)
        return replace(
            shown,
            ConsumptionTariffIntervalListSummary=blocks,
            RateComponentLink=Link(href=tree.addresses.of(path)),
        )
