"""What the operations on load controls, tariffs, messages and flow reservations answer."""

from typing import TypedDict

from sep2_server.operator.answers import Wire


class ToldEvent(TypedDict):
    """An event of any function set with its status now, and itself in wire form."""

    mRID: str
    href: str
    kind: str
    status: str
    start: int
    duration: int
    description: str | None
    resource: Wire


class ShownEvent(ToldEvent):
    """An event, and how many devices gave which Response, by status."""

    responses: dict[str, int]


class ListedEvent(ToldEvent):
    """An event of a program."""

    program: str | None


class PublishedEvent(ListedEvent):
    """An event for the devices of a group."""

    group: str


class GroupEvents(TypedDict):
    """The events of one function set for a group."""

    group: str
    events: list[ListedEvent]


class Price(TypedDict):
    """The price of a block of consumption from `startValue` on, a decimal text in the tariff's currency."""

    startValue: int
    consumptionBlock: int
    price: str | None


class PricedEvent(ToldEvent):
    """A TimeTariffInterval with its prices."""

    prices: list[Price]


class PublishedPrices(PricedEvent):
    """A TimeTariffInterval of a rate component."""

    component: str


class AddedBlock(TypedDict):
    """A block of consumption, and all prices of its interval."""

    href: str
    prices: list[Price]


class MadeTariff(TypedDict):
    """A tariff."""

    mRID: str
    href: str
    TariffProfile: Wire


class MadeComponent(TypedDict):
    """A rate component."""

    mRID: str
    href: str
    RateComponent: Wire


class ListedComponent(MadeComponent):
    """A rate component with its type of reading and its intervals."""

    ReadingType: Wire | None
    intervals: list[PricedEvent]


class ListedTariff(MadeTariff):
    """A tariff with its components."""

    RateComponent: list[ListedComponent]


class Tariffs(TypedDict):
    """The tariffs of a group."""

    group: str
    tariffs: list[ListedTariff]


class FlowRequest(TypedDict):
    """What a device asks for, in natural units, and the events that answer it; `until` ends its time."""

    mRID: str
    href: str
    device: str | None
    status: str
    energy: str
    power: str
    start: int
    duration: int
    until: int
    answers: list[ToldEvent]


class AnsweredFlow(FlowRequest):
    """A request with the answer that was given now."""

    answer: ToldEvent


class FlowRequests(TypedDict):
    """Requests of devices; `next` is null where there are no more."""

    requests: list[FlowRequest]
    next: int | None
