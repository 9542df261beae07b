"""A client that follows events in tests, and short ways to make events and programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from function_sets.events import Draw
from function_sets.precedence import EventRecord, Outcome, Program, Rules, advance
from schemas import DateTimeInterval, DefaultDERControl, DERControl, DERControlBase, EventStatus

LIMIT = DERControlBase(opModMaxLimW=5000, rampTms=700)
FIXED = DERControlBase(opModFixedW=2500)
BOTH = DERControlBase(opModMaxLimW=4000, opModFixedW=2000)
DEFAULT = DefaultDERControl(mRID="D0", DERControlBase_=DERControlBase(opModMaxLimW=9000), setGradW=27)
Status = tuple[int, int]


def control(
    mrid: str,
    start: int,
    end: int,
    *,
    base: DERControlBase = LIMIT,
    created: int = 0,
    status: Status = (0, 0),
    random: tuple[int | None, int | None] = (None, None),
    category: str | None = None,
    required: str = "07",
) -> DERControl:
    return DERControl(
        replyTo="/rsp",
        responseRequired=required,
        mRID=mrid,
        creationTime=created,
        EventStatus_=EventStatus(currentStatus=status[0], dateTime=status[1], potentiallySuperseded=False),
        interval=DateTimeInterval(duration=end - start, start=start),
        randomizeStart=random[0],
        randomizeDuration=random[1],
        DERControlBase_=base,
        deviceCategory=category,
    )


def program(
    *controls: DERControl, primacy: int = 5, name: str | None = None, default: DefaultDERControl | None = None
) -> Program:
    href = f"/derp/{name or primacy}"
    return Program(href=href, mRID=f"{primacy:02X}", primacy=primacy, default=default, controls=controls)


@dataclass
class Client:
    """A client with its records; draws are given by mRID."""

    rules: Rules = field(default_factory=Rules)
    draws: Mapping[str, Draw] = field(default_factory=dict)
    records: Mapping[str, EventRecord] = field(default_factory=dict)
    codes: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    drawn: list[str] = field(default_factory=list)
    category: int = 0
    supported: frozenset[str] | None = None

    def draw(self, one: DERControl) -> Draw:
        self.drawn.append(one.mRID)
        return self.draws.get(one.mRID, Draw())

    def at(self, now: int, *programs: Program) -> Outcome:
        outcome = advance(
            programs,
            self.records,
            now,
            rules=self.rules,
            draw=self.draw,
            device_category=self.category,
            supported=self.supported,
        )
        self.records = outcome.records
        for due in outcome.due:
            self.codes.setdefault(due.mRID, []).append((due.status, due.at))
        return outcome

    def through(self, times: Sequence[int], *programs: Program) -> list[str | None]:
        """The holder of opModMaxLimW at each time."""
        found = [self.at(now, *programs).modes.get("opModMaxLimW") for now in times]
        return [None if source is None else source.mRID for source in found]
