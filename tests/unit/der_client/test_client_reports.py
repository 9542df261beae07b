import math
from dataclasses import replace

import pytest

from der_client.device import BatteryState, Fault, FaultKind, Nameplate, SiteReading, Telemetry
from der_client.device_view import DeviceView
from der_client.fixed_point import INT16, UINT16, bits_hex, fixed_point, hundredths
from der_client.interlocks import SafetyRules
from der_client.report_log import Incident, incidents_from, incidents_of, incidents_text, log_events
from der_client.report_ratings import capability_of, information_of, settings_of
from der_client.report_readings import DER as DER_KIND
from der_client.report_readings import (
    SITE,
    Averages,
    Point,
    der_values,
    mrid_of,
    readings_of,
    site_values,
    usage_point,
)
from der_client.report_status import availability_of, status_of
from der_client.reports import About, Stored, is_due, reports_of
from der_client.safety import Reason
from der_client.view import ServerView
from schemas import (
    DER,
    ActivePower,
    Codec,
    CurrentRMS,
    DateTimeInterval,
    DefaultDERControl,
    DERAvailabilityLink,
    DERCapabilityLink,
    DERControlBase,
    DERSettingsLink,
    DERStatusLink,
    EndDevice,
    MirrorMeterReadingList,
    PowerFactor,
    Resource,
    VoltageRMS,
    WattHour,
)

PLATE = Nameplate(
    manufacturer="Maker",
    model="One",
    serial="77",
    version="1.2",
    der_type=80,
    modes=frozenset({"opModMaxLimW", "opModFixedW", "not a mode"}),
    max_w=10_000,
    max_va=11_000,
    max_var=4_400,
    max_var_neg=4_300,
    set_max_w=9_500,
    set_max_va=10_500,
    set_max_var=4_000,
    set_max_var_neg=3_900,
    max_charge_w=5_000.0,
    max_discharge_w=50_000.0,
    capacity_wh=100_000.0,
    v_nom_v=240.0,
    max_a=45.5,
    min_pf_over_excited=0.85,
    grad_w_pct_per_s=20.0,
    normal_category=2,
    abnormal_category=3,
)
READING = Telemetry(
    power_w=6_000.0,
    reactive_var=-100.0,
    voltage_v=239.96,
    frequency_hz=59.987,
    injected_wh=1_234.0,
    absorbed_wh=None,
    gen_connect=7,
    stor_connect=3,
    inverter_status=4,
    operational_mode=2,
    soc_pct=60.4,
    soh_pct=90.0,
)
VIEW = DeviceView(name="der", nameplate=PLATE, telemetry=READING)
LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
ABOUT = About(lfdi=LFDI, pen=40732, version="0.1", rules=SafetyRules())
SERVER = ServerView(
    end_device=EndDevice(sFDI=1, changedTime=0),
    device_information_href="/di",
    ders=(
        DER(
            DERAvailabilityLink_=DERAvailabilityLink(href="/a"),
            DERCapabilityLink_=DERCapabilityLink(href="/c"),
            DERSettingsLink_=DERSettingsLink(href="/g"),
            DERStatusLink_=DERStatusLink(href="/s"),
        ),
    ),
)
BATTERY = BatteryState(
    voltage_v=50.0,
    current_a=0.0,
    soc_pct=30.0,
    soh_pct=100.0,
    temperature_c=20.0,
    charge_limit_a=100.0,
    discharge_limit_a=100.0,
    charge_voltage_v=56.0,
)


def sound(resource: Resource) -> None:
    """Holds a resource against the schema."""
    codec = Codec()
    assert codec.decode(codec.encode(resource), type(resource)) == resource


@pytest.mark.parametrize(
    ("value", "most", "expected"),
    [
        (10_000, INT16, (0, 10_000)),
        (50_000, INT16, (1, 5_000)),
        (-50_000, INT16, (1, -5_000)),
        (239.96, UINT16, (-2, 23_996)),
        (0, INT16, (0, 0)),
        (0.27, UINT16, (-2, 27)),
        (123_456_789, INT16, (4, 12_346)),
        (45.5, UINT16, (-1, 455)),
    ],
)
def test_a_number_keeps_what_its_field_can_hold(value: float, most: int, expected: tuple[int, int]) -> None:
    assert fixed_point(value, most) == expected


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e30])
def test_a_number_that_cannot_be_sent_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="sent"):
        fixed_point(value, INT16)


def test_bits_and_percentages_are_written_as_the_schema_has_them() -> None:
    assert bits_hex([0, 4, 4], 1) == "11"
    assert bits_hex([], 4) == "00000000"
    assert [hundredths(value) for value in (-1.0, 50.255, 120.0)] == [0, 5_026, 10_000]


def test_capability_holds_the_ratings() -> None:
    found = capability_of(PLATE)
    sound(found)

    assert found.modesSupported == "00100083"
    assert found.rtgMaxW == ActivePower(multiplier=0, value=10_000)
    assert found.rtgMaxDischargeRateW == ActivePower(multiplier=1, value=5_000)
    assert found.rtgMaxVarNeg is not None
    assert found.rtgMaxVarNeg.value == -4_300
    assert found.rtgMaxA == CurrentRMS(multiplier=-1, value=455)
    assert found.rtgVNom == VoltageRMS(multiplier=0, value=240)
    assert found.rtgMaxWh == WattHour(multiplier=1, value=10_000)
    assert found.rtgMinPFOverExcited == PowerFactor(displacement=85, multiplier=-2)
    assert found.rtgMinPFUnderExcited is None
    assert (found.rtgNormalCategory, found.rtgAbnormalCategory, found.type) == (2, 3, 80)


DEFAULT = DefaultDERControl(
    mRID="DD",
    DERControlBase_=DERControlBase(),
    setESDelay=30_000,
    setESHighFreq=6_010,
    setESHighVolt=10_500,
    setESLowFreq=5_950,
    setESLowVolt=9_170,
    setESRampTms=30_000,
    setESRandomDelay=100,
    setGradW=27,
    setSoftGradW=200,
)


def test_what_a_default_sets_is_reported_as_in_force() -> None:
    found = settings_of(PLATE, now=5, default=DEFAULT)
    sound(found)

    assert (found.setESDelay, found.setESRampTms, found.setESRandomDelay) == (30_000, 30_000, 100)
    assert (found.setESHighFreq, found.setESLowFreq) == (6_010, 5_950)
    assert (found.setESHighVolt, found.setESLowVolt, found.setSoftGradW) == (10_500, 9_170, 200)


def test_a_device_that_takes_no_settings_of_entering_service_reports_none() -> None:
    found = settings_of(PLATE, now=5, default=DEFAULT, enters=False)

    assert (found.setESDelay, found.setESHighVolt, found.setGradW) == (None, None, 27)


def test_settings_hold_what_is_in_force() -> None:
    own, given = settings_of(PLATE, now=5), settings_of(PLATE, now=5, default=DEFAULT)
    sound(own)

    assert (own.setGradW, given.setGradW, own.updatedTime) == (2_000, 27, 5)
    assert own.setMaxW == ActivePower(multiplier=0, value=9_500)


def test_device_information_names_maker_and_versions() -> None:
    found = information_of(PLATE, LFDI, pen=40732, version="0.1")
    sound(found)

    assert (found.mfModel, found.mfSerNum, found.mfHwVer, found.swVer) == ("One", "77", "1.2", "0.1")
    assert found.functionsImplemented == "00000000001044ED"


def test_functions_that_are_configured_are_named_beside_those_of_every_client() -> None:
    """Bits 4, 15 and 19: subscription, pricing, flow reservation."""
    found = information_of(PLATE, LFDI, pen=40732, version="0.1", also={4, 15, 19})
    sound(found)

    assert found.functionsImplemented == "000000000018C4FD"


def test_a_device_without_a_place_reports_no_der() -> None:
    info = [type(one.resource).__name__ for one in reports_of(VIEW, SERVER, None, 1, ABOUT, None)]

    assert info == ["DeviceInformation"]


def test_status_shows_what_the_device_says() -> None:
    found = status_of(VIEW, 100)
    sound(found)

    assert found.alarmStatus == "00000000"
    assert found.genConnectStatus is not None
    assert found.genConnectStatus.value == "07"
    assert found.storConnectStatus is not None
    assert found.storConnectStatus.value == "03"
    assert found.stateOfChargeStatus is not None
    assert found.stateOfChargeStatus.value == 6_000
    assert found.storageModeStatus is not None
    assert found.storageModeStatus.value == 1
    assert found.localControlModeStatus is not None
    assert found.localControlModeStatus.value == 1


@pytest.mark.parametrize(
    ("state", "words"), [(0, None), (4, "MPPT"), (7, "FAULT"), (10, "OWN"), (200, "200")]
)
def test_a_device_says_in_words_how_it_is(state: int, words: str | None) -> None:
    """CSIP test procedures 1.3, BASIC-028."""
    found = status_of(replace(VIEW, telemetry=replace(READING, inverter_status=state)), 100)
    sound(found)

    assert (found.manufacturerStatus and found.manufacturerStatus.value) == words


@pytest.mark.parametrize(("power_w", "mode"), [(6_000.0, 1), (-6_000.0, 0), (50.0, 2)])
def test_storage_charges_discharges_or_holds(power_w: float, mode: int) -> None:
    found = status_of(replace(VIEW, telemetry=replace(READING, power_w=power_w)), 100)

    assert found.storageModeStatus is not None
    assert found.storageModeStatus.value == mode


def test_each_part_of_a_status_keeps_the_time_at_which_it_came_about() -> None:
    first = status_of(VIEW, 100)
    later = status_of(replace(VIEW, telemetry=replace(READING, inverter_status=5)), 200, first)

    assert later.inverterStatus is not None
    assert later.genConnectStatus is not None
    assert (later.readingTime, later.inverterStatus.dateTime, later.genConnectStatus.dateTime) == (
        200,
        200,
        100,
    )


def test_a_device_that_does_not_answer_is_in_fault() -> None:
    silent = Fault(kind=FaultKind.NO_ANSWER, detail="timeout")
    found = status_of(DeviceView(name="der", silent=silent), 100)
    sound(found)

    assert found.genConnectStatus is not None
    assert found.genConnectStatus.value == "10"


def test_alarms_of_device_and_interlocks_stand_together() -> None:
    reasons = (Reason(interlock=12, name="BMS silent", alarm_bit=7), Reason(interlock=9, name="w"))
    view = replace(VIEW, telemetry=replace(READING, alarms=frozenset({1})), reasons=reasons)

    assert status_of(view, 100).alarmStatus == "00000082"


def test_local_control_shows() -> None:
    found = status_of(replace(VIEW, is_local=True), 100)

    assert found.localControlModeStatus is not None
    assert found.localControlModeStatus.value == 0


def test_state_of_charge_is_that_of_the_bms_and_missing_where_it_is_no_number() -> None:
    bms = status_of(replace(VIEW, telemetry=replace(READING, battery=BATTERY)), 100)
    broken = status_of(replace(VIEW, telemetry=replace(READING, soc_pct=math.nan)), 100)

    assert bms.stateOfChargeStatus is not None
    assert bms.stateOfChargeStatus.value == 3_000
    assert broken.stateOfChargeStatus is None


def test_availability_is_power_and_time_left() -> None:
    found = availability_of(VIEW, SafetyRules(), 100)
    assert found is not None
    sound(found)

    assert found.statWAvail == ActivePower(multiplier=0, value=9_500)
    assert found.reservePercent == 1_000
    assert found.availabilityDuration == round(0.504 * 90_000 / 50_000 * 3_600)
    assert found.maxChargeDuration == round(0.396 * 90_000 / 5_000 * 3_600)


def test_availability_of_a_generator_has_no_durations() -> None:
    plate = replace(PLATE, max_charge_w=None)
    reading = replace(READING, available_w=1_000.0, battery=BATTERY)
    found = availability_of(replace(VIEW, nameplate=plate, telemetry=reading), SafetyRules(), 100)

    assert found is not None
    assert (found.availabilityDuration, found.reservePercent) == (None, None)
    assert found.statWAvail == ActivePower(multiplier=0, value=1_000)


def test_unknown_health_counts_as_whole() -> None:
    known = replace(READING, soh_pct=100.0)
    unknown = replace(READING, soh_pct=None)

    assert availability_of(replace(VIEW, telemetry=known), SafetyRules(), 1) == availability_of(
        replace(VIEW, telemetry=unknown), SafetyRules(), 1
    )


@pytest.mark.parametrize(("able_w", "expected"), [(3_000.0, 3_000), (0.0, 0), (90_000.0, 9_500)])
def test_no_more_is_available_than_battery_and_interlocks_leave(able_w: float, expected: int) -> None:
    found = availability_of(replace(VIEW, able_w=able_w), SafetyRules(), 100)

    assert found is not None
    assert found.statWAvail == ActivePower(multiplier=0, value=expected)


@pytest.mark.parametrize(
    "reading",
    [
        replace(READING, available_w=-3e38),
        replace(READING, power_w=3e38, reactive_var=-3e38),
        replace(READING, soc_pct=1e12),
        replace(READING, soc_pct=-1e12, soh_pct=1e-9),
    ],
)
def test_nonsense_that_a_device_says_makes_no_report_that_cannot_be_sent(reading: Telemetry) -> None:
    view = replace(VIEW, telemetry=reading)
    availability = availability_of(view, SafetyRules(), 100)
    assert availability is not None
    sound(availability)
    sound(status_of(view, 100))


def test_what_no_reading_can_hold_is_left_out() -> None:
    averages = Averages()
    averages.add(der_values(replace(READING, power_w=3e38, injected_wh=2e14, frequency_hz=60.0)))
    found = readings_of(ROOF, averages.take(), INTERVAL)
    sound(found)

    names = {one.description for one in found.MirrorMeterReading_}
    assert "Frequency" in names
    assert names.isdisjoint({"Real power", "Energy injected"})


def test_a_silent_device_has_no_availability() -> None:
    assert availability_of(DeviceView(name="der"), SafetyRules(), 1) is None


def test_mrids_are_the_same_for_life_and_end_with_the_pen() -> None:
    one = mrid_of(LFDI, "der", pen=40732)

    assert one == mrid_of(LFDI, "der", pen=40732)
    assert one != mrid_of(LFDI, "other", pen=40732)
    assert len(one) == 32
    assert one.endswith("00009F1C")


ROOF = Point(lfdi=LFDI, name="der", pen=40732)
METER = Point(lfdi=LFDI, name="der", kind=SITE, pen=40732)
INTERVAL = DateTimeInterval(start=1_000, duration=300)


def test_a_usage_point_declares_the_csip_readings() -> None:
    point = usage_point(ROOF, DER_KIND.quantities, post_rate_s=300)
    sound(point)
    types = [one.ReadingType_ for one in point.MirrorMeterReading_]

    assert point.roleFlags == "0049"
    assert [t.uom for t in types if t] == [38, 63, 29, 33, 72, 72]
    assert [t.kind for t in types if t] == [37, 37, 37, 37, 12, 12]
    assert [t.accumulationBehaviour for t in types if t] == [12, 12, 12, 12, 9, 9]
    assert [t.dataQualifier for t in types if t] == [2, 2, 2, 2, 12, 12]
    assert [t.flowDirection for t in types if t] == [19, 19, None, None, 19, 1]


def test_a_site_is_a_premises_aggregation_point_that_counts_import_positive() -> None:
    """CSIP-AUS, part 2.3: roleFlags bits 0 and 1."""
    point = usage_point(METER, SITE.quantities, post_rate_s=60)
    sound(point)
    types = [one.ReadingType_ for one in point.MirrorMeterReading_]
    reading = SiteReading(power_w=1_500.0, reactive_var=-200.0, phase_v=(230.0, 232.0), imported_wh=50.0)
    averages = Averages(SITE)
    averages.add(site_values(reading))
    found = readings_of(METER, averages.take(), INTERVAL)
    sound(found)

    assert point.roleFlags == "0003"
    assert [(t.uom, t.flowDirection) for t in types if t][:2] == [(38, 1), (63, 1)]
    assert [one.MirrorReadingSet_[0].Reading_[0].value for one in found.MirrorMeterReading_] == [
        -1_500,
        200,
        2_310,
        50,
    ]


DETAILED = replace(
    READING, apparent_va=5_100.0, current_a=21.5, phase_v=(230.1, 231.2, 229.3), reactive_var=-1_000.0
)
DETAILS = [
    ("Apparent power", 61, 0, 5_100),
    ("Current", 5, 0, 215),
    ("Voltage A", 29, 129, 2_301),
    ("Voltage B", 29, 65, 2_312),
    ("Voltage C", 29, 33, 2_293),
]


def test_apparent_power_current_and_each_phase_are_told_where_they_are_asked_for() -> None:
    """Codes of phases: AN 129, BN 65, CN 33."""
    averages = Averages()
    averages.add(der_values(DETAILED, has_details=True))
    found = readings_of(ROOF, averages.take(), INTERVAL)
    sound(found)
    extra = [one for one in ROOF.quantities_in(Codec().encode(found)) if one not in DER_KIND.quantities]
    point = usage_point(ROOF, extra, post_rate_s=60)
    sound(point)
    values = {
        one.description: one.MirrorReadingSet_[0].Reading_[0].value for one in found.MirrorMeterReading_
    }
    declared = [(one.description, one.ReadingType_) for one in point.MirrorMeterReading_]

    assert [
        (name, kind.uom, kind.phase, values[name]) for name, kind in declared if kind is not None
    ] == DETAILS


def test_what_a_device_has_more_is_not_told_unless_it_is_asked_for() -> None:
    assert der_values(DETAILED).keys() & {name for name, *_ in DETAILS} == set()


def test_a_site_tells_the_voltage_of_each_phase_where_that_is_asked_for() -> None:
    reading = SiteReading(power_w=1_500.0, phase_v=(230.0, 0.0, 232.0))

    assert {
        name: value for name, value in site_values(reading, has_details=True).items() if "Voltage" in name
    } == {
        "Voltage": 231.0,
        "Voltage A": 230.0,
        "Voltage C": 232.0,
    }
    assert {"Voltage A", "Voltage B", "Voltage C"} <= {one.name for one in SITE.optional}


def test_the_energy_in_a_battery_is_a_state_of_its_own() -> None:
    """CSIP-AUS STO-01: uom 72, an energy, neither average nor counter."""
    averages, storage = Averages(), replace(PLATE, capacity_wh=10_000.0)
    for soc_pct in (40.0, 50.0):
        averages.add(der_values(replace(READING, soc_pct=soc_pct, soh_pct=90.0), storage))
    body = Codec().encode(readings_of(ROOF, averages.take(), INTERVAL))
    (stored,) = [one for one in ROOF.quantities_in(body) if one not in DER_KIND.quantities]
    found = Codec().decode(body, MirrorMeterReadingList).MirrorMeterReading_[-1]
    kind = usage_point(ROOF, (stored,), post_rate_s=60).MirrorMeterReading_[0].ReadingType_

    assert found.MirrorReadingSet_[0].Reading_[0].value == 4_500
    assert kind is not None
    assert (kind.uom, kind.kind, kind.dataQualifier, kind.flowDirection) == (72, 12, 0, None)


def test_who_is_no_storage_has_no_stored_energy() -> None:
    assert (
        der_values(replace(READING, soc_pct=50.0), replace(PLATE, max_charge_w=None))["Stored energy"] is None
    )
    assert der_values(replace(READING, soc_pct=50.0))["Stored energy"] is None


def test_a_body_belongs_to_the_point_whose_readings_it_has() -> None:
    body = Codec().encode(readings_of(METER, {"Real power": 1.0}, INTERVAL))

    assert METER.is_of(body)
    assert not ROOF.is_of(body)


def test_readings_are_averages_and_counters_stand_as_they_are() -> None:
    averages = Averages()
    averages.add(der_values(READING))
    averages.add(der_values(replace(READING, power_w=7_000.0, injected_wh=1_300.0, voltage_v=math.nan)))
    found = readings_of(ROOF, averages.take(), INTERVAL)
    sound(found)
    values = [one.MirrorReadingSet_[0].Reading_[0].value for one in found.MirrorMeterReading_]

    assert values == [6_500, -100, 2_400, 5_999, 1_300]
    assert averages.take() == {}


def test_an_alarm_is_raised_and_cleared_by_codes_of_its_bit() -> None:
    view = replace(VIEW, telemetry=replace(READING, alarms=frozenset({2, 15})))
    raised = log_events({}, incidents_of(view), 50, 65_535)
    cleared = log_events(incidents_of(view), {}, 60, 1)
    for event in (*raised, *cleared):
        sound(event)

    assert [(e.functionSet, e.logEventCode, e.details, e.logEventID) for e in raised] == [
        (11, 30, "alarm 15", 65_535),
        (11, 4, "under voltage", 0),
    ]
    assert [(e.logEventCode, e.details) for e in cleared] == [(31, "ok: alarm 15"), (5, "ok: under voltage")]
    assert {(e.profileID, e.logEventPEN) for e in raised} == {(2, 40732)}


def test_other_incidents_are_general_and_named() -> None:
    fault = Fault(kind=FaultKind.NO_ANSWER, detail="timeout")
    reason = Reason(interlock=13, name="BMS forbids charge")
    view = DeviceView(name="der", reasons=(reason,), failed={"var": fault}, silent=fault, is_local=True)

    assert {name: one.text for name, one in incidents_of(view).items()} == {
        "interlock 13 BMS forbids charge": "BMS forbids charge",
        "failed var": "var not held",
        "silent": "device does not answer",
        "local": "device under local control",
    }
    assert incidents_of(view)["silent"] == Incident(
        function_set=0, raised=1, cleared=1, text="device does not answer"
    )


def test_incidents_outlive_a_restart() -> None:
    found = incidents_of(replace(VIEW, telemetry=replace(READING, alarms=frozenset({2}))))

    assert incidents_from(incidents_text(found)) == found
    assert incidents_from(None) == {}


def reports(view: DeviceView = VIEW, index: int = 0, now: int = 100) -> dict[str, Resource]:
    about = replace(ABOUT, is_first=index == 0)
    return {one.href: one.resource for one in reports_of(view, SERVER, index, now, about, None)}


def test_every_report_has_its_place() -> None:
    assert list(reports()) == ["/c", "/g", "/s", "/a", "/di"]
    assert list(reports(DeviceView(name="der"))) == ["/s"]
    assert list(reports(index=1)) == []


def due(
    before: DeviceView, after: DeviceView, wait_s: float = 1.0, ratings_s: float | None = None
) -> list[str]:
    stored = {
        one.href: Stored(report=one, at_s=0.0) for one in reports_of(before, SERVER, 0, 100, ABOUT, None)
    }
    now = reports_of(after, SERVER, 0, 200, ABOUT, status_of(before, 100))
    return [one.href for one in now if is_due(one, stored, wait_s, 300.0, ratings_s)]


def test_nothing_is_stored_twice_until_the_post_rate_is_over() -> None:
    assert due(VIEW, VIEW) == []
    assert due(VIEW, VIEW, wait_s=300.0) == ["/s", "/a"]


@pytest.mark.parametrize(
    ("wait_s", "ratings_s", "expected"),
    [(899.0, 900.0, []), (900.0, 900.0, ["/c", "/g"]), (90_000.0, None, [])],
)
def test_ratings_and_settings_are_stored_again_where_the_profile_says_so(
    wait_s: float, ratings_s: float | None, expected: list[str]
) -> None:
    """CSIP-AUS STO-05."""
    assert [href for href in due(VIEW, VIEW, wait_s, ratings_s) if href in {"/c", "/g"}] == expected


def test_what_changes_is_stored_at_once() -> None:
    other = replace(VIEW, telemetry=replace(READING, inverter_status=5, available_w=1_000.0))

    assert due(VIEW, other) == ["/s", "/a"]
    assert due(VIEW, replace(VIEW, nameplate=replace(PLATE, set_max_w=5_000))) == ["/g", "/a"]


def test_what_was_never_stored_is_due() -> None:
    first = reports_of(VIEW, SERVER, 0, 100, ABOUT, None)

    assert all(is_due(one, {}, 0.0, 300.0) for one in first)
