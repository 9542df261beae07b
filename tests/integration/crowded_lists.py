"""Several items in every list of a lived-in house, come in another order than their list has.

The ranks of an item say how it stands by each key of its list: items of equal first ranks are told apart by
the second key, those of two equal ones by the third. What a rank is on the wire is in `_VALUES`.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

from function_sets import ROUTES
from schemas import (
    ActivePower,
    DateTimeInterval,
    EndDevice,
    FlowReservationRequest,
    LogEvent,
    MirrorMeterReading,
    MirrorReadingSet,
    MirrorUsagePoint,
    Reading,
    ReadingSet,
    RequestStatus,
    Response,
    SignedRealEnergy,
)
from sep2_server.files.stored import contents_of
from sep2_server.operator import device_changes, files, programs, resources
from sep2_server.operator.desk import Desk
from sep2_server.operator.router import Answer, Call
from tests.integration.house_items import ITEMS, WATT
from tests.integration.lived_in_house import EURO, LOAD, TARIFF, House, operate
from tests.integration.sep2_harness import START

Ranks = tuple[int, ...]
RANKS: Final[Mapping[int, Sequence[Ranks]]] = {
    1: ((2,), (0,), (3,), (1,)),
    2: ((1, 0), (0, 1), (1, 1), (0, 0), (2, 1)),
    3: ((1, 0, 1), (0, 1, 0), (1, 0, 0), (0, 1, 1), (0, 0, 0), (2, 1, 1)),
}
"""By the number of keys, the ranks of the items in the order in which they are made."""
SHUFFLED: Final = (3, 0, 5, 2, 1, 4)
"""Numbers of the items that a device posts, in their order of coming."""
LATER: Final = START + 86_400
RUNNING: Final = START - 5_000
TEXTS: Final = ("Zeta", "alpha", "\u00e4hnlich", "\u5e83\u5cf6")
"""Ascending by their octets, which is how no dictionary orders them."""
MODES: Final = (
    {"opModConnect": True},
    {"opModEnergize": True},
    {"opModFixedW": 1000},
    {"opModTargetW": {"multiplier": 0, "value": 100}},
    {"opModTargetVar": {"multiplier": 0, "value": 100}},
    {"opModFixedVar": {"refType": 1, "value": 100}},
)
"""Modes that stand beside each other: no control supersedes another."""
PERIOD: Final = {"duration": 3600}
PROGRAMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "DERProgram": {},
    "DemandResponseProgram": {},
    "TariffProfile": TARIFF,
    "MessagingProgram": {"primacy": 5, "locale": "en"},
    "CustomerAccount": {"currency": 978, "pricePowerOfTenMultiplier": -2},
    "Prepayment": {"prepayMode": 0},
}
"""What a group assigns, with what it must have beside the keys of its list."""
ITEMS_BELOW: Final[Mapping[str, Mapping[str, Any]]] = {
    "DERCurve": {
        "CurveData": [{"xvalue": 0, "yvalue": 100}],
        "curveType": 11,
        "xMultiplier": 0,
        "yMultiplier": 0,
        "yRefType": 3,
    },
    "DERControl": {"interval": PERIOD, "DERControlBase": {"opModMaxLimW": 100}},
    "EndDeviceControl": {**LOAD, "interval": PERIOD},
    "RateComponent": {"roleFlags": "00"},
    "TimeTariffInterval": {"touTier": 1, "interval": PERIOD},
    "ConsumptionTariffInterval": {"consumptionBlock": 1, "price": 1},
    "TextMessage": {"interval": PERIOD, "priority": 1, "textMessage": "storm"},
    "CustomerAgreement": {},
    "BillingPeriod": {"interval": PERIOD},
    "ProjectionReading": {"ReadingType": {"uom": 72}},
    "TargetReading": {"ReadingType": {"uom": 72}},
    "HistoricalReading": {"ReadingType": {"uom": 72}},
    "BillingReading": {"timePeriod": PERIOD, "value": 7},
    "SupplyInterruptionOverride": {"interval": PERIOD},
    "CreditRegister": {"creditAmount": EURO, "token": "A2"},
    "FlowReservationResponse": {
        "subject": "F000",
        "interval": PERIOD,
        "energyAvailable": {"multiplier": 3, "value": 20},
        "powerAvailable": {"multiplier": 3, "value": 11},
    },
}
"""Items that an operator adds one by one, with what they must have beside the keys of their list."""
RUNNING_ITEMS: Final = (
    "DERControl",
    "EndDeviceControl",
    "TextMessage",
    "BillingPeriod",
    "SupplyInterruptionOverride",
)
"""Items of which the active ones have a list of their own; several can be active at once."""
_NUMBERS: Final = count(0x20)


def mrid(rank: int) -> str:
    """A new mRID of a rank; of a higher one it is a higher number, and yet often earlier as a text."""
    number = next(_NUMBERS)
    if rank == 0:
        return f"{0xFE00 + number % 0x200:04X}{number:04X}"
    return f"{rank:02X}{number:06X}{number:06X}"[: 10 + 2 * (rank // 2)].ljust(12, "0")


_VALUES: Final[Mapping[str, Callable[[int, int], object]]] = {
    "mRID": lambda rank, _: mrid(rank),
    "start": lambda rank, base: base + 600 * rank,
    "duration": lambda rank, _: 28_800 + 60 * rank,
    "effectiveTime": lambda rank, _: START - 90_000 + 600 * rank,
    "primacy": lambda rank, _: (9, 80, 100)[rank],
    "startValue": lambda rank, _: (1, 20, 100, 1000)[rank],
    "customerName": lambda rank, _: TEXTS[rank],
    "serviceLocation": lambda rank, _: TEXTS[rank],
    "description": lambda rank, _: TEXTS[rank],
    "consumptionBlock": lambda rank, _: rank,
    "touTier": lambda rank, _: rank,
}
_TOKENS: Final = count(0xB0)


def body_of(listed: str, ranks: Ranks, base: Mapping[str, Any], start: int = LATER) -> dict[str, Any]:
    """The JSON of an item with these ranks by the keys of its list; the server makes creationTime."""
    held: dict[str, Any] = {k: dict(v) if isinstance(v, dict) else v for k, v in base.items()}
    for key, rank in zip(ROUTES[listed].order, ranks, strict=True):
        *above, last = key.path.split(".")
        place = held
        for name in above:
            place = place.setdefault(name, {})
        if last in _VALUES:
            place[last] = _VALUES[last](rank, start)
    if "token" in held:
        held["token"] = f"{next(_TOKENS):X}"
    return held


@dataclass
class Crowd:
    """Fills the lists of a house. `drawn` are the mRIDs that the server is to draw next."""

    house: House
    drawn: Iterator[int] = field(default_factory=lambda: iter(()))

    async def do(self, run: Callable[[Desk], Answer | None], now: int = START) -> Answer | None:
        """Let the operator do something at a time."""
        bench = self.house.bench
        return await bench.store.do(
            lambda tx: run(Desk(tx, bench.server.environment, now, lambda _: next(self.drawn)))
        )

    async def add(self, at: str, body: Mapping[str, Any], now: int = START, group: str | None = None) -> None:
        """Add an item to a list as the operator."""
        query = {"href": at} | ({} if group is None else {"group": group})
        call = Call(query=query, body=dict(body), now=now)
        await self.do(lambda desk: resources.add(desk, call), now)

    async def post(self, place: str, *values: object, as_aggregator: bool = False) -> None:
        """Let the device, or its aggregator, post items."""
        name = self.house.aggregator if as_aggregator else self.house.device
        client = await self.house.bench.client(name)
        for value in values:
            reply = await client.post(self.house.places[place], value)
            if reply.status not in {201, 204}:
                raise AssertionError(f"POST {place}: {reply.status} {reply.body!r}")

    async def ranked(self, kind: str, base: Mapping[str, Any], group: str | None = None) -> None:
        """Items of one kind for each of the ranks of its list."""
        listed = f"{kind}List"
        place, keys = self.house.places[listed], ROUTES[listed].order
        created = [n for n, key in enumerate(keys) if key.path == "creationTime"]
        for ranks in RANKS[len(keys)]:
            now = START - 60 * 3 + 60 * ranks[created[0]] if created else START
            await self.add(place, body_of(listed, ranks, base), now, group)

    async def running(self, kind: str) -> None:
        """Items that are active now, none of which takes anything from another."""
        listed = f"{kind}List"
        for number, ranks in enumerate(RANKS[len(ROUTES[listed].order)]):
            body = body_of(listed, ranks, ITEMS_BELOW[kind], RUNNING)
            body["interval"]["duration"] = body["interval"]["duration"] + 25_200 * (kind == "BillingPeriod")
            if kind == "DERControl":
                body["DERControlBase"] = MODES[number]
            if kind == "EndDeviceControl":
                body["deviceCategory"] = f"{2 << number:08X}"
            if kind not in {"BillingPeriod", "SupplyInterruptionOverride"}:
                body["interval"]["duration"] = 28_800
            await self.add(self.house.places[listed], body, START - 180 + 60 * (ranks[1] % 2))


async def crowd(house: House) -> None:
    """Put several items in every list of a house. Takes some seconds."""
    work = Crowd(house)
    group = f"group of {house.device}"
    for kind, base in PROGRAMS.items():
        await work.ranked(kind, base, group)
    for kind, base in ITEMS_BELOW.items():
        await work.ranked(kind, base)
    for kind in RUNNING_ITEMS:
        await work.running(kind)
    await _devices(work)
    await _assignments(work)
    await _billing_sets(work)
    await _files(work, group)
    await _posted(work)
    await _metered(work)


async def _devices(work: Crowd) -> None:
    """DERs of the device, devices of the aggregator with different times of their last change, Responses."""
    house = work.house
    bench, lfdi = house.bench, house.bench.credentials(house.device).lfdi
    await work.do(
        lambda desk: device_changes.change(desk, Call(names={"device": lfdi}, body={"DER": 12}, now=START))
    )
    for seconds, numbers in ((0, (7, 3)), (60, (9, 1)), (0, (8,)), (30, (2, 6))):
        bench.clock.set(START + seconds)
        devices = [ITEMS["EndDeviceList"](house.known, number) for number in numbers]
        await work.post("EndDeviceList", *devices, as_aggregator=True)
    bench.clock.set(START)
    other = ITEMS["EndDeviceList"](house.known, 7)
    assert isinstance(other, EndDevice)
    lfdis = sorted([lfdi, other.lFDI or ""])

    def assign(desk: Desk) -> None:
        programs.assign(desk, desk.group(f"group of {house.device}"), desk.client(other.lFDI or ""))

    work.drawn = iter([1 << 50])
    await work.do(assign)
    for created, number in ((5, 1), (9, 0), (5, 0), (1, 1), (9, 1)):
        told = Response(
            createdDateTime=START + created,
            endDeviceLFDI=lfdis[number],
            status=2 + number,
            subject=house.known.event,
        )
        await work.post("ResponseList", told, as_aggregator=True)


async def _assignments(work: Crowd) -> None:
    """FunctionSetAssignments whose mRIDs are drawn in no order."""
    device = work.house.bench.credentials(work.house.device).lfdi
    for number in (5, 1 << 90, 3, 1 << 40, 4):
        work.drawn = iter([number])

        def assign(desk: Desk, number: int = number) -> None:
            programs.assign(desk, programs.add_group(desk, f"crowd {number}"), desk.client(device))

        await work.do(assign)


async def _billing_sets(work: Crowd) -> None:
    for kind in ("ProjectionReading", "TargetReading", "HistoricalReading"):
        for ranks in RANKS[2]:
            base = {"timePeriod": PERIOD, "BillingReading": [{"value": 1}]}
            body = body_of("BillingReadingSetList", ranks, base)
            await work.add(f"{work.house.places[kind]}/brs", body)


async def _files(work: Crowd, group: str) -> None:
    """Files of the group that fit every device."""
    bench = work.house.bench

    async def octets(number: int) -> AsyncIterator[bytes]:
        yield bytes([number])

    for number in SHUFFLED:
        content = await contents_of(bench.server.environment).take(octets(number), 1)
        body = {"sha256": content.digest, "mfID": 40732, "mfModel": "m", "mfVer": str(number)}
        await operate(bench, files.add, body, group=group)


async def _posted(work: Crowd) -> None:
    """What the device keeps about itself, and asks for."""
    known = work.house.known
    for listed in (
        "SubscriptionList",
        "SupportedLocaleList",
        "IPInterfaceList",
        "IPAddrList",
        "RPLInstanceList",
        "RPLSourceRoutesList",
        "LLInterfaceList",
        "NeighborList",
        "PriceResponseCfgList",
        "LoadShedAvailabilityList",
    ):
        await work.post(listed, *(ITEMS[listed](known, number) for number in SHUFFLED))
    for created, number in ((5, 1), (9, 1), (9, 7), (1, 3), (5, 9)):
        event = LogEvent(
            createdDateTime=START + created,
            functionSet=11,
            logEventCode=0,
            logEventID=number,
            logEventPEN=40732,
            profileID=2,
        )
        await work.post("LogEventList", event)
    for start, created, rank in RANKS[3]:
        await work.post(
            "FlowReservationRequestList",
            FlowReservationRequest(
                mRID=mrid(rank),
                creationTime=START + created,
                energyRequested=SignedRealEnergy(multiplier=3, value=20),
                intervalRequested=DateTimeInterval(start=LATER + 600 * start, duration=3600),
                powerRequested=ActivePower(multiplier=3, value=11),
                RequestStatus_=RequestStatus(dateTime=START, requestStatus=0),
            ),
        )


async def _metered(work: Crowd) -> None:
    """Mirrors, meter readings, sets and values: the set that the house knows gets values in no order."""
    house = work.house
    client = await house.client()
    for rank in (2, 0, 3, 1):
        first = ITEMS["MirrorUsagePointList"](house.known, rank + 1)
        assert isinstance(first, MirrorUsagePoint)
        point = replace(first, mRID=mrid(rank), MirrorMeterReading_=[])
        await work.post("MirrorUsagePointList", point)
    for rank in (2, 0, 3, 1):
        await work.post("MirrorUsagePoint", MirrorMeterReading(mRID=mrid(rank), ReadingType_=WATT))
    sets = [
        MirrorReadingSet(
            mRID=mrid(second), timePeriod=DateTimeInterval(start=START - 6000 + 600 * first, duration=600)
        )
        for first, second in RANKS[2]
    ]
    await work.post("MirrorUsagePoint", MirrorMeterReading(mRID="C000", MirrorReadingSet_=sets))
    known = await client.read(house.places["ReadingSet"], ReadingSet)
    values = [
        Reading(
            localID=f"{ranks[0] * 9:02X}",
            consumptionBlock=ranks[1],
            touTier=ranks[2],
            timePeriod=DateTimeInterval(start=START + 60 * number, duration=60),
            value=number,
        )
        for number, ranks in enumerate(RANKS[3])
    ]
    again = MirrorReadingSet(mRID=known.mRID, timePeriod=known.timePeriod, Reading_=values)
    await work.post("MirrorUsagePoint", MirrorMeterReading(mRID="C000", MirrorReadingSet_=[again]))
