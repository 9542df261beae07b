"""Each check of the procedures for clients holds where it must, and sees what was planted."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from conformance_tests import Case, Ended, Role, Trial
from conformance_tests.aus.client_acting import Acting
from conformance_tests.aus.client_checking import Checking
from conformance_tests.aus.client_notation import control, default_of, exports, modes, rates
from conformance_tests.aus.client_polling import polled
from conformance_tests.aus.client_scene import Scene
from conformance_tests.aus.client_serving import Hooks, PlayedDispatch
from conformance_tests.aus.client_words import (
    AddInterval,
    AddProgram,
    AddRate,
    AddTariff,
    Advertise,
    CancelControls,
    CancelIntervals,
    Check,
    Device,
    Devices,
    DropAssignment,
    DropRate,
    Mirrored,
    Notified,
    Part,
    Polled,
    Quantity,
    Rates,
    Requested,
    Responded,
    ServeDcapAt,
    SetDefault,
    Silent,
    Stored,
    Subscribed,
)
from conformance_tests.aus.places import (
    CONNECTION_POINT,
    DCAP,
    DER_STATUS,
    EDEV_LIST,
    INTERVALS,
    PRICE_RESPONSES,
    TARIFFS,
    controls,
    decoy,
    default,
)
from conformance_tests.aus.values import MAX_EXPORT_W, NOW, TODAY, Bit, Bits, at_most, given, same_as
from conformance_tests.client.bench import ClientBench
from conformance_tests.client.clock import StageClock
from conformance_tests.client.http import Answer, Request
from conformance_tests.client.seen import Record, Seen
from conformance_tests.client.stage import Stage
from conformance_tests.evidence import Exchange
from schemas import (
    ActivePower,
    ApparentPower,
    Codec,
    ConnectStatusType,
    DERControlResponse,
    DERStatus,
    MirrorMeterReading,
    MirrorUsagePoint,
    OperationalModeStatusType,
    PriceResponse,
    Profile,
    Reading,
    ReadingType,
    Resource,
    Subscription,
    TimeTariffIntervalList,
    csip_aus,
)
from tests.unit.conformance_tests.aus_viewer import LFDI, SFDI

PROFILE = csip_aus.CSIP_AUS_V1_2
XML = (("Content-Type", "application/sep+xml"),)


async def nothing(_: object) -> None:
    """A procedure that plays nothing."""


CASE: Case[Any] = Case(
    id="made/ONE/client",
    title="one",
    source="this test",
    clause="1",
    requirement="something holds",
    role=Role.DER_CLIENT,
    procedure=nothing,
)


class Stand:
    """A stage that no network reaches: requests are played to its dispatch."""

    def __init__(self, *, registered: bool = True, profile: Profile = PROFILE) -> None:
        clock = StageClock(wall_s=lambda: 1_700_000_000.0)
        self.stage = Stage(clock, seed="unit", profile=profile, in_band=True)
        self.record = Record(clock)
        serving: Any = SimpleNamespace(record=self.record, dispatch=None)
        notifier: Any = SimpleNamespace(sent=[])
        self.bench = ClientBench(
            trial=Trial(CASE, lambda: 1.0),
            stage=self.stage,
            serving=serving,
            notifier=notifier,
            lfdi=LFDI,
            devices=(LFDI,),
            pin=111115,
            host="127.0.0.1",
            port=1,
        )
        self.scene = Scene(self.bench)
        hooks = Hooks(lambda _: None, lambda _, __: None)
        self.dispatch = PlayedDispatch(self.scene, frozenset({LFDI}), hooks)
        self.checking = Checking(self.scene, self.dispatch)
        self.acting = Acting(self.scene)
        self.codec = Codec(profile)
        if registered:
            self.scene.enter(self.stage.add_device(LFDI))

    def ask(self, method: str, href: str | None, value: Resource | None = None, at_s: float = 0.0) -> Answer:
        """A request of the client, answered and kept."""
        assert href is not None
        body = b"" if value is None else self.codec.encode(value)
        answer = self.dispatch.answer(Request(method=method, target=href, headers=XML, body=body), LFDI)
        exchange = Exchange(at_s=at_s, by="client", method=method, uri=href, status=answer.status)
        self.record.add(
            Seen(
                number=len(self.record.requests),
                at_s=at_s,
                elapsed_s=at_s,
                lfdi=LFDI,
                method=method,
                path=href,
                query="",
                route=self.dispatch.route(href),
                port=1,
                resource=value,
                flaws=(),
                exchange=exchange,
            )
        )
        return answer

    def holds(self, check: Check) -> bool:
        done = self.checking.check(check)
        assert done.what
        return done.held


@pytest.fixture
async def stand() -> Stand:
    """A client whose EndDevice is there, with a program."""
    made = Stand()
    made.acting.act(AddProgram(0))
    await asyncio.sleep(0)
    return made


def settings(**more: object) -> csip_aus.DERSettingsV12:
    """DERSettings of 5 kW."""
    values: dict[str, Any] = {
        "setGradW": 27,
        "setMaxW": ActivePower(multiplier=1, value=500),
        "updatedTime": 1,
        "modesEnabled": "00000080",
        "doeModesEnabled": "03",
        **more,
    }
    return csip_aus.DERSettingsV12(**values)


def told(stand: Stand, value: Resource, part: Part) -> int:
    """The client PUTs a part of its DER."""
    der = stand.scene.devices[0].ders[0]
    href = {Part.SETTINGS: der.settings, Part.STATUS: der.status, Part.CAPABILITY: der.capability}[part]
    return stand.ask("PUT", href, value).status


async def test_an_end_device_and_its_identity(stand: Stand) -> None:
    assert stand.holds(Device())
    assert stand.holds(Device(identity=True))
    assert not stand.holds(Device(connection_point=True))
    stand.stage.change(stand.scene.devices[0].href, sFDI=SFDI + 1)
    assert stand.holds(Device())
    assert not stand.holds(Device(identity=True))
    assert not stand.holds(Device(facts=(("deviceCategory", Bits(0x3FFFFFF, any_of=True)),)))
    stand.stage.change(stand.scene.devices[0].href, deviceCategory="00000001", lFDI="A" * 40)
    assert stand.holds(Device(facts=(("deviceCategory", Bits(0x3FFFFFF, any_of=True)),)))
    assert not stand.holds(Device(identity=True))


async def test_a_connection_point_that_was_put(stand: Stand) -> None:
    href = stand.scene.href(CONNECTION_POINT)
    assert stand.ask("GET", href).status == 404
    assert stand.ask("PUT", href, csip_aus.ConnectionPoint(connectionPointId="41023352108")).status == 201
    assert stand.ask("GET", href).status == 200
    assert stand.ask("DELETE", href).status == 405
    assert stand.holds(Device(connection_point=True))


async def test_a_device_that_registers_itself_has_a_place_for_everything(stand: Stand) -> None:
    assert stand.holds(Devices(1))
    posted = csip_aus.EndDeviceV12(lFDI="B" * 40, sFDI=1, changedTime=1, deviceCategory="04")
    assert stand.ask("POST", stand.stage.devices, posted).status == 201
    assert stand.ask("POST", stand.stage.devices, posted).status == 409
    assert stand.holds(Devices(2))
    assert stand.scene.href(DER_STATUS.of(2)) != stand.scene.href(DER_STATUS)
    assert (stand.scene.devices[1].href, 1) in stand.scene.assignments


async def test_settings_are_as_they_must_be(stand: Stand) -> None:
    check = Stored(Part.SETTINGS, (*given("setMaxW", "doeModesEnabled"), ("modesEnabled", Bits(0x80))))
    assert not stand.holds(check)
    assert told(stand, settings(), Part.SETTINGS) == 204
    assert stand.holds(check)
    assert stand.holds(Stored(Part.SETTINGS, (("setGradW", 27),)))
    assert not stand.holds(Stored(Part.SETTINGS, (("setGradW", 100),)))
    assert not stand.holds(Stored(Part.SETTINGS, (("modesEnabled", Bits(0x81)),)))
    assert not stand.holds(Stored(Part.SETTINGS, given("setMaxVA")))
    told(stand, settings(setMaxVA=ApparentPower(multiplier=0, value=5000)), Part.SETTINGS)
    assert stand.holds(Stored(Part.SETTINGS, (("setMaxW", same_as("setMaxVA")),)))
    told(stand, settings(setMaxVA=ApparentPower(multiplier=0, value=4999)), Part.SETTINGS)
    assert not stand.holds(Stored(Part.SETTINGS, (("setMaxW", at_most("setMaxVA")),)))


async def test_bits_and_modes_of_the_status(stand: Stand) -> None:
    value = DERStatus(
        readingTime=1,
        genConnectStatus=ConnectStatusType(dateTime=1, value="06"),
        operationalModeStatus=OperationalModeStatusType(dateTime=1, value=2),
    )
    told(stand, value, Part.STATUS)
    assert stand.holds(
        Stored(Part.STATUS, (("genConnectStatus", Bit(0, False)), ("genConnectStatus", Bit(2, True))))
    )
    assert not stand.holds(Stored(Part.STATUS, (("genConnectStatus", Bit(0, True)),)))
    assert stand.holds(Stored(Part.STATUS, (("operationalModeStatus", 2),)))
    assert not stand.holds(Stored(Part.STATUS, (("alarmStatus", 0),)))


def mirror(role: str, uom: int, qualifier: int = 2) -> MirrorUsagePoint:
    """A mirror with one reading."""
    kind = ReadingType(uom=uom, dataQualifier=qualifier)
    reading = MirrorMeterReading(mRID="0B", ReadingType_=kind, Reading_=Reading(value=1))
    return MirrorUsagePoint(
        mRID="0A",
        roleFlags=role,
        serviceCategoryKind=0,
        status=1,
        deviceLFDI=LFDI,
        MirrorMeterReading_=[reading],
    )


@pytest.mark.parametrize(
    ("role", "uom", "qualifier", "quantity"),
    [
        ("0003", 38, 2, Quantity.SITE_ACTIVE),
        ("0003", 63, 2, Quantity.SITE_REACTIVE),
        ("0049", 38, 2, Quantity.DER_ACTIVE),
        ("0049", 63, 2, Quantity.DER_REACTIVE),
        ("0003", 29, 2, Quantity.VOLTAGE),
        ("0049", 29, 2, Quantity.VOLTAGE),
        ("0049", 72, 12, Quantity.STORED_ENERGY),
    ],
)
async def test_readings_are_counted_by_what_they_are_of(
    stand: Stand, role: str, uom: int, qualifier: int, quantity: Quantity
) -> None:
    href = stand.ask("POST", stand.stage.mirrors, mirror(role, uom, qualifier)).headers["Location"]
    assert stand.holds(Mirrored(quantity, 1))
    assert not stand.holds(Mirrored(quantity, 2))
    stand.ask("POST", href, MirrorMeterReading(mRID="0B", Reading_=Reading(value=2)))
    assert stand.holds(Mirrored(quantity, 2))
    others = set(Quantity) - {quantity}
    assert not any(stand.holds(Mirrored(one, 1)) for one in others)


async def test_readings_that_are_no_averages_do_not_count(stand: Stand) -> None:
    stand.ask("POST", stand.stage.mirrors, mirror("0003", 38, qualifier=8))
    assert not stand.holds(Mirrored(Quantity.SITE_ACTIVE, 1))


async def test_a_subscription_to_the_right_resource(stand: Stand) -> None:
    def subscription(href: str | None) -> Subscription:
        return Subscription(
            subscribedResource=href or "", encoding=0, level="+S1", limit=1, notificationURI="https://a/b"
        )

    place = stand.scene.devices[0].subscriptions
    stand.ask("POST", place, subscription(stand.scene.href(default())))
    assert stand.holds(Subscribed(default()))
    assert not stand.holds(Subscribed(controls()))
    assert not stand.holds(Subscribed(EDEV_LIST))


def reply(stand: Stand, number: int, status: int) -> None:
    """The client answers a control."""
    mrid = stand.scene.controls[number][1].mrid
    value = DERControlResponse(createdDateTime=1, endDeviceLFDI=LFDI, status=status, subject=mrid)
    assert stand.ask("POST", stand.stage.replies, value).status == 201


async def test_responses_by_tag_the_last_one_and_to_all(stand: Stand) -> None:
    told(stand, settings(), Part.SETTINGS)
    stand.acting.act(control(60, exports(2), "A"))
    stand.acting.act(control(60, exports(0), "B", NOW + 60))
    assert not stand.holds(Responded(1, to_all=True))
    reply(stand, 0, 1)
    assert stand.holds(Responded(1, "A", latest=True))
    assert not stand.holds(Responded(1, "B"))
    assert stand.holds(Responded(6, "A", came=False))
    reply(stand, 0, 2)
    assert not stand.holds(Responded(1, "A", latest=True))
    assert stand.holds(Responded(1, "A"))
    assert not stand.holds(Responded(1, to_all=True))
    reply(stand, 1, 1)
    assert stand.holds(Responded(1, to_all=True))
    assert stand.holds(Responded(1, latest=True))
    assert stand.holds(Responded(2, "A", latest=True))
    assert not stand.holds(Responded(2, "A", came=False))


async def test_notifications_that_were_not_taken(stand: Stand) -> None:
    sent: Any = stand.bench.notifier.sent
    assert not stand.holds(Notified())
    sent.append(SimpleNamespace(answer=204))
    assert stand.holds(Notified())
    sent.append(SimpleNamespace(answer=500))
    assert not stand.holds(Notified())
    sent[-1] = SimpleNamespace(answer=None)
    assert not stand.holds(Notified())


async def test_who_must_fall_silent_may_read_and_not_write(stand: Stand) -> None:
    silent, device = Silent(EDEV_LIST), stand.scene.devices[0]
    assert not stand.holds(silent)
    stand.ask("PUT", stand.scene.href(DER_STATUS), DERStatus(readingTime=1))
    stand.ask("GET", stand.stage.devices)
    stand.ask("GET", device.href)
    assert stand.holds(silent)
    stand.ask("PUT", stand.scene.href(DER_STATUS), DERStatus(readingTime=2))
    assert not stand.holds(silent)


async def test_requests_are_counted_by_type(stand: Stand) -> None:
    for _ in range(3):
        stand.ask("GET", stand.stage.devices)
    assert stand.holds(Requested(("EndDeviceList",), 3, 3))
    assert not stand.holds(Requested(("EndDeviceList",), 4, 9))
    assert not stand.holds(Requested(("EndDeviceList",), 0, 2))


@pytest.mark.parametrize(
    ("times_s", "until_s", "flaw"),
    [
        (range(0, 600, 60), 600, ""),
        ([0, 60, 61, 120, 180], 200, ""),
        ([0, 60, 175, 235, 295, 355, 415, 475], 480, ""),
        ([], 60, "never read"),
        ([0, 60, 160, 270, 330], 340, "missed"),
        ([0, 60], 300, "not read for"),
        (range(0, 180, 20), 180, "times in"),
    ],
)
def test_polls_that_were_missed_or_come_too_often(times_s: list[float], until_s: float, flaw: str) -> None:
    found = polled(times_s, 60, until_s)
    assert flaw in found
    assert bool(flaw) is bool(found)


async def test_a_resource_that_was_never_polled(stand: Stand) -> None:
    assert not stand.holds(Polled((DCAP,), 60))
    stand.ask("GET", stand.stage.dcap, at_s=stand.bench.clock.elapsed_s())
    assert stand.holds(Polled((DCAP,), 60))


async def test_what_the_server_does_is_seen_on_the_stage(stand: Stand) -> None:
    told(stand, settings(), Part.SETTINGS)
    tree, program = stand.stage.tree, stand.scene.programs[0]
    stand.acting.act(rates(60, derp=900))
    assert (tree.rates["DERProgramList"], tree.rates["DERList"], tree.post_rate_s) == (900, 60, 60)
    stand.acting.act(Rates(device_post=30))
    device: Any = tree.held[stand.scene.devices[0].href].resource
    assert device.postRate == 30
    stand.acting.act(default_of(modes(opModImpLimW=0, opModExpLimW=MAX_EXPORT_W), 27))
    stand.acting.act(default_of((), 100))
    held: Any = tree.held[program.default].resource
    assert (held.setGradW, held.DERControlBase_.opModExpLimW.value) == (100, 5000)
    stand.acting.act(SetDefault(removed=True))
    gone: Any = tree.held[program.default].resource
    assert (gone.setGradW, gone.DERControlBase_.opModExpLimW) == (None, None)
    stand.acting.act(control(60, modes(opModFixedW=-0.01), "F"))
    stand.acting.act(control(60, exports(20)))
    first: Any = tree.held[stand.scene.controls[0][1].href].resource
    second: Any = tree.held[stand.scene.controls[1][1].href].resource
    assert first.DERControlBase_.opModFixedW == -1
    assert second.DERControlBase_.opModExpLimW == ActivePower(multiplier=1, value=10_000)
    assert first.responseRequired == "03"
    stand.acting.act(CancelControls())
    assert second.EventStatus_.currentStatus == 0
    shown: Any = tree.held[stand.scene.controls[1][1].href].resource
    assert shown.EventStatus_.currentStatus == 2
    stand.acting.act(DropAssignment(1))
    assert stand.scene.assignments == {}


async def test_a_value_that_the_client_never_told_ends_the_case(stand: Stand) -> None:
    with pytest.raises(Ended, match="maxExportW"):
        stand.acting.act(control(60, exports(2)))
    assert not stand.bench.trial.findings[-1].held


async def test_the_day_and_the_hour_begin_in_eastern_australia(stand: Stand) -> None:
    assert (stand.scene.at(TODAY) + 10 * 3600) % 86400 == 0
    assert stand.scene.at(TODAY + 60) - stand.scene.at(TODAY) == 60
    assert stand.scene.at(NOW - 60) == stand.stage.now() - 60


async def test_versions_are_told_with_their_addresses_of_which_one_is_real(stand: Stand) -> None:
    well_known = "/.well-known/csipaus"
    assert stand.ask("GET", well_known).status == 404
    stand.acting.act(Advertise("https://csipaus.org/ns/v99.99", (1,)))
    stand.acting.act(Advertise("https://csipaus.org/ns/v1.3", (3,)))
    stand.acting.act(ServeDcapAt(3))
    told_versions = json.loads(stand.ask("GET", well_known).body)["supportedSchemaVersions"]
    assert told_versions["https://csipaus.org/ns/v1.3"] == {"dcap": [stand.scene.href(decoy(3))]}
    assert stand.ask("GET", stand.scene.href(decoy(1))).status == 404
    assert b"DeviceCapability" in stand.ask("GET", stand.scene.href(decoy(3))).body


async def test_tariffs_have_one_list_of_all_their_intervals_which_are_answered() -> None:
    stand = Stand(profile=csip_aus.CSIP_AUS_V1_3)
    stand.acting.act(AddProgram(0))
    assert stand.ask("GET", stand.scene.href(TARIFFS)).status == 200
    for act in (
        AddTariff(0, 1, -6),
        AddRate(tag="IN", uom=72, multiplier=3, direction=1),
        AddRate(tag="DAY", uom=195, multiplier=0),
        AddInterval(rate="IN", duration_s=300, block0=1, block1=2, block1_from=100, tag="A"),
        AddInterval(rate="DAY", start=NOW + 60, duration_s=300, block0=10, tag="B"),
    ):
        stand.acting.act(act)
    assert stand.ask("GET", stand.scene.href(INTERVALS)).status == 200
    request = Request(method="GET", target=f"{stand.scene.href(INTERVALS)}?l=9")
    held = stand.codec.decode(stand.dispatch.answer(request, LFDI).body, TimeTariffIntervalList)
    first: Any = held.TimeTariffInterval_[0]
    prices = first.ConsumptionTariffIntervalListSummary.ConsumptionTariffInterval_
    assert [(one.price, one.startValue) for one in prices] == [(1, 0), (2, 100)]
    assert stand.holds(Requested(("CombinedTimeTariffIntervalList",), 1, 1))
    assert not stand.holds(Responded(1, to_all=True, prices=True))
    for item in held.TimeTariffInterval_:
        answer = PriceResponse(createdDateTime=1, endDeviceLFDI=LFDI, status=1, subject=item.mRID)
        assert stand.ask("POST", stand.scene.href(PRICE_RESPONSES), answer).status == 201
    assert stand.holds(Responded(1, to_all=True, prices=True))
    assert stand.holds(Responded(6, "A", prices=True, came=False))
    assert not stand.holds(Responded(1, "A"))
    stand.acting.act(CancelIntervals("A"))
    stand.acting.act(DropRate("DAY"))
    held = stand.codec.decode(stand.ask("GET", stand.scene.href(INTERVALS)).body, TimeTariffIntervalList)
    assert [one.EventStatus_.currentStatus for one in held.TimeTariffInterval_] == [2]
