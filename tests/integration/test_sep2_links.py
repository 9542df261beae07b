"""What becomes of every link and URI of the schema when what it leads to is removed.

`FATES` has each that is declared, so that a new one cannot be forgotten. The server is asked about all of
them: in a house with one of everything, what each link leads to is removed as operators remove it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import pytest
import pytest_asyncio

from certs import Pki
from schemas import Codec, DERControlBase, DERCurveLink, Link, spec_of
from schemas.csip_aus import CSIP_AUS_V1_3
from schemas.fields import REGISTRY, Field
from sep2_server.end_devices import put_registration
from sep2_server.extra_routes import FILE_CONTENT, METERED
from sep2_server.operator import forgetting, resources
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import Conflict, Refusal
from sep2_server.operator.router import Call
from sep2_server.rows import Row
from sep2_server.uris import route_named
from tests.integration.lived_in_house import SETTINGS, House, furnish, operate
from tests.integration.sep2_harness import Client, make_control, running

PROFILE: Final = CSIP_AUS_V1_3


class Fate(StrEnum):
    """What happens to a link when what it leads to is removed."""

    HOLDS = "nobody removes the target alone: it goes with what links to it, or never"
    REFUSED = "the target stays while something links to it, or must link to it"
    HIDDEN = "the link is not shown any more"
    GOES = "what links goes too"
    STAYS = "the link tells the device where to put it again. IEEE 2030.5-2018, 10"
    UNSEEN = "no server of ours shows the link, or clients host it"


_FATES: Final = {
    Fate.HOLDS: """
        AbstractDevice.DERListLink AbstractDevice.IPInterfaceListLink
        AbstractDevice.LoadShedAvailabilityListLink AbstractDevice.LogEventListLink
        BillingMeterReadingBase.BillingReadingSetListLink BillingReadingSet.BillingReadingListLink
        Configuration.PriceResponseCfgListLink CustomerAccount.CustomerAgreementListLink
        CustomerAgreement.ActiveBillingPeriodListLink CustomerAgreement.BillingPeriodListLink
        CustomerAgreement.HistoricalReadingListLink CustomerAgreement.ProjectionReadingListLink
        CustomerAgreement.TargetReadingListLink DER.AssociatedDERProgramListLink
        DERProgram.ActiveDERControlListLink DERProgram.DERControlListLink
        DERProgram.DERCurveListLink DemandResponseProgram.ActiveEndDeviceControlListLink
        DemandResponseProgram.EndDeviceControlListLink DeviceCapability.EndDeviceListLink
        DeviceCapability.MirrorUsagePointListLink DeviceCapability.SelfDeviceLink
        DeviceInformation.SupportedLocaleListLink DeviceStatus.TimeLink
        EndDevice.FlowReservationRequestListLink EndDevice.FlowReservationResponseListLink
        EndDevice.FunctionSetAssignmentsListLink EndDevice.SubscriptionListLink File.fileURI
        FunctionSetAssignmentsBase.CustomerAccountListLink
        FunctionSetAssignmentsBase.DERProgramListLink
        FunctionSetAssignmentsBase.DemandResponseProgramListLink
        FunctionSetAssignmentsBase.FileListLink FunctionSetAssignmentsBase.MessagingProgramListLink
        FunctionSetAssignmentsBase.PrepaymentListLink FunctionSetAssignmentsBase.ResponseSetListLink
        FunctionSetAssignmentsBase.TariffProfileListLink FunctionSetAssignmentsBase.TimeLink
        FunctionSetAssignmentsBase.UsagePointListLink IEEE_802_15_4.NeighborListLink
        IPAddr.RPLInstanceListLink IPInterface.IPAddrListLink IPInterface.LLInterfaceListLink
        MessagingProgram.ActiveTextMessageListLink MessagingProgram.TextMessageListLink
        MeterReading.ReadingSetListLink Prepayment.ActiveSupplyInterruptionOverrideListLink
        Prepayment.CreditRegisterListLink Prepayment.SupplyInterruptionOverrideListLink
        RPLInstance.RPLSourceRoutesListLink RateComponent.ActiveTimeTariffIntervalListLink
        RateComponent.TimeTariffIntervalListLink ReadingSet.ReadingListLink
        RespondableResource.replyTo ResponseSet.ResponseListLink Subscription.notificationURI
        SubscriptionBase.subscribedResource TariffProfile.RateComponentListLink
        TariffProfileV13.CombinedTimeTariffIntervalListLink
        TimeTariffInterval.ConsumptionTariffIntervalListLink UsagePoint.MeterReadingListLink
    """,  # a subscription to what is removed ends with it: test_sep2_removal, test_notifications_basic
    Fate.REFUSED: """
        DERControlBase.opModFreqWatt DERControlBase.opModHFRTMayTrip
        DERControlBase.opModHFRTMustTrip DERControlBase.opModHVRTMayTrip
        DERControlBase.opModHVRTMomentaryCessation DERControlBase.opModHVRTMustTrip
        DERControlBase.opModLFRTMayTrip DERControlBase.opModLFRTMustTrip
        DERControlBase.opModLVRTMayTrip DERControlBase.opModLVRTMomentaryCessation
        DERControlBase.opModLVRTMustTrip DERControlBase.opModVoltVar DERControlBase.opModVoltWatt
        DERControlBase.opModWattPF DERControlBase.opModWattVar MeterReading.ReadingTypeLink
        Prepayment.AccountBalanceLink Prepayment.PrepayOperationStatusLink
        RateComponent.ReadingTypeLink
    """,
    Fate.HIDDEN: """
        BillingMeterReadingBase.ReadingTypeLink CustomerAccount.ServiceSupplierLink
        CustomerAgreement.PrepaymentLink CustomerAgreement.TariffProfileLink
        CustomerAgreement.UsagePointLink DER.AssociatedUsagePointLink DER.CurrentDERProgramLink
        DERProgram.DefaultDERControlLink EndDevice.RegistrationLink FileStatus.FileLink
        MeterReading.ReadingLink Prepayment.UsagePointLink TimeTariffIntervalV13.RateComponentLink
    """,
    Fate.GOES: "LoadShedAvailability.DemandResponseProgramLink PriceResponseCfg.RateComponentLink",
    Fate.STAYS: """
        AbstractDevice.ConfigurationLink AbstractDevice.DeviceInformationLink
        AbstractDevice.DeviceStatusLink AbstractDevice.FileStatusLink AbstractDevice.PowerStatusLink
        DER.DERAvailabilityLink DER.DERCapabilityLink DER.DERSettingsLink DER.DERStatusLink
        EndDeviceV12.ConnectionPointLink
    """,
    Fate.UNSEEN: """
        CustomerAgreement.ActiveProjectionReadingListLink
        CustomerAgreement.ActiveTargetReadingListLink MeterReading.RateComponentListLink
        Notification.newResourceURI Notification.subscriptionURI
        Prepayment.ActiveCreditRegisterListLink
    """,
}
FATES: Final = {name: fate for fate, names in _FATES.items() for name in names.split()}


def is_link(field: Field) -> bool:
    """Whether a field leads somewhere: a link, or a URI that is not that of the resource itself."""
    scalar = field.scalar
    if scalar is not None:
        return scalar.primitive == "xs:anyURI" and field.name != "href"
    return issubclass(field.target or object, Link)


def name_of(field: Field) -> str:
    return f"{field.owner.__name__}.{field.name}"


def declared() -> set[str]:
    """All links and URIs of the standard and its extensions, by the class that declares them."""
    classes = {*REGISTRY.values(), *PROFILE.extensions}
    return {name_of(f) for cls in classes for f in spec_of(cls) if is_link(f)}


def links_in(value: object) -> Iterator[tuple[str, str]]:
    """The links of a resource and of what is in it: their names and where they lead."""
    for f in spec_of(type(value)):
        held = getattr(value, f.attr)
        for one in (held if f.is_list else [held]) if held is not None else []:
            if is_link(f):
                yield name_of(f), one if f.scalar else one.href
            elif f.target is not None:
                yield from links_in(one)


@dataclass(frozen=True)
class Seen:
    """A link as it is shown: its name, where it is, and where it leads."""

    name: str
    path: str
    href: str


async def link_across(house: House) -> None:
    """Add the links from one tree to another that a furnished house has not."""
    places, bench = house.places, house.bench
    links = {f"{name}Link": {"href": places[name]} for name in ("Prepayment", "TariffProfile", "UsagePoint")}
    await operate(bench, resources.change, links, href=places["CustomerAgreement"])
    point = {"UsagePointLink": links["UsagePointLink"]}
    await operate(bench, resources.change, point, href=places["Prepayment"])
    curve = DERCurveLink(href=places["DERCurve"])
    names = [f.attr for f in spec_of(DERControlBase) if f.target is DERCurveLink]
    base = DERControlBase(**dict.fromkeys(names, curve))  # type: ignore[arg-type]  # all of them are links
    program = bench.store.reader.by_href(places["DERProgram"])
    assert program is not None
    await bench.control(program, make_control("A006", bench.clock.now(), 60, base=base))


async def shown(client: Client, house: House, paths: Collection[str] = ()) -> set[Seen]:
    """All links that the device of a house is shown, or those at some paths."""
    found = set()
    for kind, path in house.places.items():
        if kind != FILE_CONTENT and (not paths or path in paths):
            reply = await client.get(f"{path}?l=255")
            if reply.status == 200:
                cls: type = PROFILE.resolve(route_named(kind).type)
                value: object = Codec(PROFILE).decode(reply.body, cls)
                found |= {Seen(name, path, href) for name, href in links_in(value)}
    return found


async def kept_by(house: House, href: str) -> Fate | None:
    """Remove what is at a URI as an operator removes it; what is the matter where it stays."""
    try:
        if href == house.places["Registration"]:
            await house.bench.do(unregister)
        else:
            await operate(house.bench, resources.delete, href=href, force="true")
    except Conflict:
        return Fate.REFUSED
    except Refusal:
        return Fate.HOLDS
    return None


def make_metered(desk: Desk) -> None:
    """Make the usage point of a house the utility's, since what a device mirrors is not removed alone."""
    [point] = desk.reader.of_kind("UsagePoint", limit=9)
    tx, href = desk.transaction, desk.environment.uris.of(METERED, (point.id,))
    tx.insert(Row(tx.next_id(), href, METERED, owner_id=point.owner_id, body=point.body))


def unregister(desk: Desk) -> None:
    for row in desk.reader.of_kind("EndDevice", limit=9):
        put_registration(desk.transaction, desk.environment, row, None, desk.now)


def order(href: str) -> tuple[bool, int]:
    """The deepest first, so that none goes with another; what links from a device's own last of all."""
    depth = href.count("/")
    return href.startswith("/edev/") and depth == 3, -depth


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fates(tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki) -> Mapping[str, Fate]:
    """What became of the links that a device is shown, after all that they lead to was removed."""
    folder = tmp_path_factory.mktemp("house")
    found: dict[str, set[Fate]] = defaultdict(set)
    settings = {**SETTINGS, "profile": PROFILE.name, "managed_subscription_lists": True}
    async with running(folder, sep2_pki, **settings) as bench:
        house = await furnish(bench)
        await link_across(house)
        await bench.do(make_metered)
        client = await house.client()
        first = await shown(client, house)
        hrefs = sorted({one.href for one in first}, reverse=True)  # a UsagePoint before what is paid there
        for href in sorted(hrefs, key=order):
            paths = {one.path for one in first if one.href == href}
            links = {one for one in await shown(client, house, paths) if one.href == href}
            kept = await kept_by(house, href)
            still = await shown(client, house, paths)
            for link in links:
                is_there = (await client.get(link.path)).status == 200
                gone = Fate.HIDDEN if is_there else Fate.GOES
                found[link.name].add(kept or (Fate.STAYS if link in still else gone))
    ranks = list(Fate)
    return {name: max(several, key=ranks.index) for name, several in found.items()}


def test_it_is_said_of_every_link_of_the_schema_what_becomes_of_it() -> None:
    assert FATES.keys() == declared()
    assert len(FATES) == sum(len(names.split()) for names in _FATES.values())


@pytest.mark.parametrize("name", sorted(FATES))
def test_no_link_leads_to_what_was_removed(name: str, fates: Mapping[str, Fate]) -> None:
    assert fates.get(name, Fate.UNSEEN) is FATES[name]


async def test_no_link_leads_to_a_usage_point_that_was_forgotten(
    tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki
) -> None:
    folder = tmp_path_factory.mktemp("forgotten")
    async with running(folder, sep2_pki, **SETTINGS, profile=PROFILE.name) as bench:
        house = await furnish(bench)
        await link_across(house)
        client = await house.client()
        point = house.places["UsagePoint"]
        agreement = house.places["CustomerAgreement"]
        assert point in {one.href for one in await shown(client, house, {agreement})}
        call = Call(names={"device": house.device}, body={"readings": True}, now=bench.clock.now())
        await bench.do(lambda desk: forgetting.forget(desk, call))
        assert (await client.get(point)).status == 404
        assert [one for one in await shown(client, house) if one.href.startswith(point)] == []
