"""A server in which one device has at least one of every resource of the standard.

All is made as it comes to be in life: by requests of the device over mutual TLS and by operations of an
operator. Notifications alone are not there: the standard lets clients host them.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from function_sets import ROUTES, Route
from sep2_server.end_devices import has_connection_points
from sep2_server.extra_routes import CONNECTION_POINT, EXTRA_ROUTES
from sep2_server.files.stored import contents_of
from sep2_server.operator import files, resources
from sep2_server.operator.desk import Desk
from sep2_server.operator.router import Answer, Call
from sep2_server.rows import Role
from tests.integration.house_items import ITEMS, RESPONSES, SINGLES, Known
from tests.integration.sep2_harness import Bench, Client

SETTINGS: Final[Mapping[str, Any]] = {
    "function_sets": "all",
    "in_band_registration": True,
    "notification_hosts": "127.0.0.1",
    "pen": 40732,
}
"""Settings of a server that can be furnished: `running(folder, pki, **SETTINGS)`."""
NOW: Final = {"start": "now", "duration": "8h"}
PAST: Final = {"start": 1_600_000_000, "duration": "30d"}
EVENTS: Final = {
    "DERControl": "A001",
    "EndDeviceControl": "A002",
    "TimeTariffInterval": "A003",
    "TextMessage": "A004",
    "FlowReservationResponse": "A005",
}
"""mRIDs of the events, which the device answers, by their kind."""
CURVE: Final = {
    "CurveData": [{"xvalue": 0, "yvalue": 100}, {"xvalue": 10, "yvalue": 0}],
    "curveType": 11,
    "xMultiplier": 0,
    "yMultiplier": 0,
    "yRefType": 3,
}
LOAD: Final = {
    "deviceCategory": "00000001",
    "drProgramMandatory": False,
    "loadShiftForward": False,
    "DutyCycle": {"normalValue": 50},
    "interval": NOW,
}
EURO: Final = {"monetaryUnit": 978, "multiplier": 0, "value": 20}
TARIFF: Final = {"primacy": 5, "serviceCategoryKind": 0, "currency": 978, "pricePowerOfTenMultiplier": -4}
READING: Final = {"timePeriod": PAST, "value": 7, "Charge": [{"kind": 0, "value": 12}]}
_HEAD: Final = re.compile(r"\{\w+\}")
_HIDDEN: Final = frozenset({"ReportedConfiguration", "MirrorUpdateTimes"})
"""Routes beside the standard's that nobody but operators reads."""
_HOSTED_BY_CLIENTS: Final = "/ntfy/1"
"""Where a Notification would be: no server has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A furnished server: `places` has the href of one resource by the id of its route.

    `device` and `aggregator` are the names of the certificates of both.
    """

    bench: Bench
    places: dict[str, str]
    device: str
    aggregator: str

    async def client(self) -> Client:
        """The device."""
        return await self.bench.client(self.device)

    @property
    def known(self) -> Known:
        """What new items of the device refer to."""
        return Known(
            lfdi=self.bench.credentials(self.device).lfdi,
            event=EVENTS["DERControl"],
            subscribable=f"{self.places['DERProgram']}/derc",
            rate_component=self.places["RateComponent"],
            load_program=self.places["DemandResponseProgram"],
            file=self.places["File"],
            now=self.bench.clock.now(),
            profile=self.bench.server.settings.xml_profile,
        )


async def operate(
    bench: Bench, run: Callable[[Desk, Call], Answer], body: object = None, group: str = "", **query: str
) -> Answer:
    """The answer to an operation of the operator; `group` is for a name in its path."""
    call = Call(names={"group": group}, query=query, body=body, now=bench.clock.now())
    return await bench.do(lambda desk: run(desk, call))


async def furnish(bench: Bench, *, device: str = "house", aggregator: str = "house-aggregator") -> House:
    """Enrol a device that an aggregator manages, and give it one of everything. Takes two seconds."""
    manager = await bench.enrol(aggregator, role=Role.AGGREGATOR)
    row = await bench.enrol(device, aggregator=manager)
    group, program = await bench.group(f"group of {device}", device)
    house = House(bench=bench, places={}, device=device, aggregator=aggregator)
    work = _Work(house, group.name, row.href, await bench.client(device))
    work.learn("EndDevice", row.href)
    work.learn("DERProgram", program.href)
    work.learn("GroupDERProgramList", f"/fsa/{group.id}/derp")
    await work.first_below("DER", f"{row.href}/der")
    await _publish_programs(work)
    await _bill(work)
    await _give_file(work)
    await _report(work)
    await _answer(work)
    work.derive()
    return house


class _Work:
    """The making of a house: what the operator adds and the device sends, and where it came to be."""

    def __init__(self, house: House, group: str, end_device: str, client: Client) -> None:
        self.house = house
        self.group = group
        self.end_device = end_device
        self.client = client
        self._heads: dict[str, str] = {}

    def at(self, kind: str) -> str:
        """Href of a resource, or where it would be."""
        return self.house.places.get(kind) or self._derived(_route(kind))

    def learn(self, kind: str, href: str) -> str:
        """Remember where a resource is."""
        self.house.places[kind] = href
        pattern, parts = _route(kind).path.split("/"), href.split("/")
        for length, segment in enumerate(pattern, start=1):
            if segment.startswith("{"):
                self._heads.setdefault("/".join(pattern[:length]), "/".join(parts[:length]))
        return href

    def derive(self) -> None:
        """Fill in the places that follow from others: lists of items, single resources below items."""
        self.learn("Notification", _HOSTED_BY_CLIENTS)
        for kind in (*ROUTES, *EXTRA_ROUTES):
            if kind == CONNECTION_POINT and not has_connection_points(self.house.bench.server.environment):
                continue
            if kind not in _HIDDEN:
                self.house.places.setdefault(kind, self.at(kind))

    async def add(self, kind: str, body: object, *, is_program: bool = False) -> str:
        """Let the operator add an item to the list of its kind."""
        query = {"group": self.group} if is_program else {}
        call = Call(
            query={"href": self.at(f"{kind}List"), **query}, body=body, now=self.house.bench.clock.now()
        )
        told = await self.house.bench.do(lambda desk: resources.add(desk, call))
        return self.learn(kind, str(told["href"]))

    async def set(self, kind: str, body: object) -> str:
        """Let the operator put a single resource."""
        told = await operate(self.house.bench, resources.change, body, href=self.at(kind))
        return self.learn(kind, str(told["href"]))

    async def post(self, kind: str) -> str:
        """Let the device post the first item of a list."""
        listed = f"{kind}List"
        reply = await self.client.post(self.at(listed), ITEMS[listed](self.house.known, 0))
        if reply.status != 201:
            raise AssertionError(f"POST {self.at(listed)}: {reply.status} {reply.body!r}")
        return self.learn(kind, reply.location)

    async def put(self, kind: str) -> str:
        """Let the device put a resource of which there is one."""
        reply = await self.client.put(self.at(kind), SINGLES[kind](self.house.known))
        if reply.status not in {201, 204}:
            raise AssertionError(f"PUT {self.at(kind)}: {reply.status} {reply.body!r}")
        return self.learn(kind, self.at(kind))

    async def first_below(self, kind: str, listed: str) -> str:
        """The first item of a list that is filled."""
        told = await operate(self.house.bench, resources.show, href=listed)
        return self.learn(kind, str(told["items"][0]["href"]))  # type: ignore[call-overload,index]

    def _derived(self, route: Route) -> str:
        """The path of a route with what is known of its placeholders; LookupError where that is nothing."""
        pattern = route.path
        length = max((n for n in range(len(pattern)) if pattern[: n + 1] in self._heads), default=-1) + 1
        href = self._heads.get(pattern[:length], "") + pattern[length:]
        if "{" in href:
            raise LookupError(f"nothing is known of {route.id}: {href}")
        return href


async def _publish_programs(work: _Work) -> None:
    """Programs of every kind with an event that is active now. IEEE 2030.5-2018, 10.3 to 10.6 and 10.10."""
    await work.add("DERCurve", CURVE)
    await work.add(
        "DERControl",
        {"mRID": EVENTS["DERControl"], "interval": NOW, "DERControlBase": {"opModMaxLimW": "50 %"}},
    )
    await work.set("DefaultDERControl", {"DERControlBase": {"opModMaxLimW": "80 %"}})
    await work.add("DemandResponseProgram", {"primacy": 5}, is_program=True)
    await work.add("EndDeviceControl", {"mRID": EVENTS["EndDeviceControl"], **LOAD})
    await work.add("TariffProfile", TARIFF, is_program=True)
    await work.add("RateComponent", {"roleFlags": "00"})
    await work.add(
        "TimeTariffInterval", {"mRID": EVENTS["TimeTariffInterval"], "touTier": 1, "interval": NOW}
    )
    await work.add("ConsumptionTariffInterval", {"consumptionBlock": 1, "startValue": 0, "price": 3000})
    await work.add("MessagingProgram", {"primacy": 5, "locale": "en"}, is_program=True)
    await work.add(
        "TextMessage",
        {"mRID": EVENTS["TextMessage"], "interval": NOW, "priority": 1, "textMessage": "storm"},
    )
    await work.set("CurrentDERProgram", {"primacy": 5})


async def _bill(work: _Work) -> None:
    """Accounts of a customer, on bill and prepaid. IEEE 2030.5-2018, 10.7 and 10.8."""
    await work.add("CustomerAccount", {"currency": 978, "pricePowerOfTenMultiplier": -2}, is_program=True)
    await work.set("ServiceSupplier", {"web": "utility.example"})
    await work.add("CustomerAgreement", {"serviceLocation": "here"})
    await work.add("BillingPeriod", {"interval": NOW, "billToDate": 12})
    for kind in ("ProjectionReading", "TargetReading", "HistoricalReading"):
        href = await work.add(kind, {"description": "energy", "ReadingType": {"uom": 72}})
        body = {"timePeriod": PAST, "BillingReading": [READING]}
        told = await operate(work.house.bench, resources.add, body, href=f"{href}/brs")
        work.learn("BillingReadingSet", str(told["href"]))
    await work.first_below("BillingReading", work.at("BillingReadingList"))
    await work.add("Prepayment", {"prepayMode": 0, "lowCreditWarningLevel": EURO}, is_program=True)
    await work.add("SupplyInterruptionOverride", {"interval": NOW})
    await work.add("CreditRegister", {"creditAmount": EURO, "effectiveTime": 1_600_000_000, "token": "A1"})


async def _give_file(work: _Work) -> None:
    """A file of one octet for the group. IEEE 2030.5-2018, 10 (File Download)."""

    async def octets() -> AsyncIterator[bytes]:
        yield b"\x00"

    content = await contents_of(work.house.bench.server.environment).take(octets(), 1)
    body = {"sha256": content.digest, "mfID": 40732, "mfModel": "m", "mfVer": "2"}
    told = await operate(work.house.bench, files.add, body, group=work.group)
    work.learn("File", f"/file/{told['file']}")


async def _report(work: _Work) -> None:
    """All that the device keeps about itself, and what it measures."""
    for kind in SINGLES:
        if kind != CONNECTION_POINT or has_connection_points(work.house.bench.server.environment):
            await work.put(kind)
    for kind in (
        "SupportedLocale",
        "IPInterface",
        "IPAddr",
        "RPLInstance",
        "RPLSourceRoutes",
        "LLInterface",
        "Neighbor",
        "LogEvent",
        "PriceResponseCfg",
        "LoadShedAvailability",
        "Subscription",
        "FlowReservationRequest",
        "MirrorUsagePoint",
    ):
        await work.post(kind)
    await work.first_below("FunctionSetAssignments", f"{work.end_device}/fsa")
    await work.first_below("UsagePoint", "/upt")
    await work.first_below("MeterReading", work.at("MeterReadingList"))
    await work.first_below("ReadingSet", work.at("ReadingSetList"))
    work.learn("Reading", f"{work.at('ReadingList')}/0")
    await operate(
        work.house.bench,
        resources.change,
        {"href": work.at("UsagePoint")},
        href=work.at("AssociatedUsagePoint"),
    )


async def _answer(work: _Work) -> None:
    """What the operator grants, and Responses of every kind to the events that ask for them."""
    await work.add(
        "FlowReservationResponse",
        {
            "mRID": EVENTS["FlowReservationResponse"],
            "subject": ITEMS["FlowReservationRequestList"](work.house.known, 0).mRID,  # type: ignore[attr-defined]
            "interval": NOW,
            "energyAvailable": {"multiplier": 3, "value": 20},
            "powerAvailable": {"multiplier": 3, "value": 11},
        },
    )
    await work.first_below("ResponseSet", "/rsps")
    listed = f"{work.at('ResponseSet')}/rsp"
    for kind, (cls, event) in RESPONSES.items():
        value = cls(
            createdDateTime=work.house.known.now,
            endDeviceLFDI=work.house.known.lfdi,
            status=1,
            subject=EVENTS[event],
        )
        reply = await work.client.post(listed, value)
        if reply.status != 201:
            raise AssertionError(f"POST {kind}: {reply.status} {reply.body!r}")
        work.learn(kind, reply.location)


def _route(kind: str) -> Route:
    return EXTRA_ROUTES.get(kind) or ROUTES[kind]
