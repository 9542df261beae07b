"""What a client does with its device and tells of it."""

import logging
import time
from dataclasses import replace

import pytest

from der_client import (
    Fault,
    FaultKind,
    Nameplate,
    Reversion,
    Setpoint,
    What,
)
from der_client.device import BatteryState, Telemetry
from der_client.quantity import active_power_w
from schemas import (
    DERAvailability,
    DERCapability,
    DERSettings,
    DERStatus,
    DeviceCapability,
    EndDeviceList,
    LogEvent,
    LogEventList,
    MirrorMeterReadingList,
    MirrorUsagePoint,
)
from tests.integration.client.harness import Site


async def test_the_default_control_is_applied_and_armed_as_reversion(site: Site) -> None:
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(90.0))

    assert site.inverter.applied[-1] == (
        Setpoint(max_w_pct=90.0),
        Reversion(after_s=60, to=Setpoint(max_w_pct=90.0)),
    )
    assert site.inverter.closed


async def test_ratings_settings_status_and_availability_are_stored_at_the_links(site: Site) -> None:
    links = {"/a/capability", "/a/settings", "/a/status", "/a/availability"}
    async with site.client():
        await site.script.until(lambda: links <= site.script.put.keys())

    capability, settings = site.script.put["/a/capability"], site.script.put["/a/settings"]
    status, availability = site.script.put["/a/status"], site.script.put["/a/availability"]
    assert isinstance(capability, DERCapability)
    assert capability.modesSupported == "0010008C"
    assert isinstance(settings, DERSettings)
    assert settings.setMaxW.value * 10**settings.setMaxW.multiplier == 10_000
    assert isinstance(status, DERStatus)
    assert status.genConnectStatus is not None
    assert status.genConnectStatus.value == "07"
    assert isinstance(availability, DERAvailability)


async def test_what_the_bms_lets_go_is_all_that_is_available(site: Site) -> None:
    reading, plate = site.inverter.reading, site.inverter.plate
    assert isinstance(reading, Telemetry)
    assert isinstance(plate, Nameplate)
    battery = BatteryState(
        voltage_v=50.0,
        current_a=0.0,
        soc_pct=60.0,
        soh_pct=100.0,
        temperature_c=25.0,
        charge_limit_a=100.0,
        discharge_limit_a=40.0,
        charge_voltage_v=56.0,
    )
    site.inverter.plate = replace(plate, der_type=80, max_charge_w=5_000.0)
    site.inverter.reading = replace(reading, power_w=0.0, battery=battery)

    def available_w() -> float | None:
        found = site.script.put.get("/a/availability")
        power = found.statWAvail if isinstance(found, DERAvailability) else None
        return None if power is None else active_power_w(power)

    async with site.client():
        await site.script.until(lambda: available_w() == 2_000)


async def test_readings_go_to_a_mirror_usage_point_that_is_made_first(site: Site) -> None:
    def readings() -> list[MirrorMeterReadingList]:
        return [one for _, one in site.script.posted if isinstance(one, MirrorMeterReadingList)]

    async with site.client():
        await site.script.until(readings)

    place, point = next((p, one) for p, one in site.script.posted if isinstance(one, MirrorUsagePoint))
    first = readings()[0].MirrorMeterReading_[0]
    assert place == "/a/mirror"
    assert point.deviceLFDI == site.lfdi
    assert first.MirrorReadingSet_[0].Reading_[0].value == 8_000


async def test_the_voltage_of_each_phase_is_posted_where_the_settings_ask_for_it(site: Site) -> None:
    reading = site.inverter.reading
    assert isinstance(reading, Telemetry)
    site.inverter.reading = replace(reading, phase_v=(230.0, 231.0, 232.0))
    site.settings = replace(site.settings, report=replace(site.settings.report, details=True))

    def told() -> set[str | None]:
        lists = [one for _, one in site.script.posted if isinstance(one, MirrorMeterReadingList)]
        return {one.description for found in lists for one in found.MirrorMeterReading_}

    async with site.client():
        await site.script.until(lambda: {"Voltage A", "Voltage B", "Voltage C"} <= told())


async def test_an_incident_of_the_last_run_is_cleared_by_the_next(site: Site) -> None:
    reading = site.inverter.reading
    assert isinstance(reading, Telemetry)
    site.inverter.reading = replace(reading, alarms=frozenset({2}))
    async with site.client():
        await site.script.until(lambda: (11, 4, "under voltage") in site.script.log_codes())
    site.inverter.reading = reading
    async with site.client():
        await site.script.until(lambda: (11, 5, "ok: under voltage") in site.script.log_codes())


async def test_the_post_rate_of_the_server_is_adopted(site: Site) -> None:
    def posts() -> int:
        return sum(isinstance(one, MirrorMeterReadingList) for _, one in site.script.posted)

    async with site.client():
        await site.script.until(posts)
        place = next(p for p, one in site.script.posted if isinstance(one, MirrorMeterReadingList))
        point = next(one for _, one in site.script.posted if isinstance(one, MirrorUsagePoint))
        site.script.resources[place] = replace(point, postRate=3_600, MirrorMeterReading_=[])
        seen = site.script.asked.count(f"GET {place}")
        await site.script.until(lambda: site.script.asked.count(f"GET {place}") > seen)
        told = site.script.asked.count(f"POST {place}")
        await site.script.until(lambda: site.script.asked.count(f"POST {place}") > told)
        posted = posts()
        polled = site.script.asked.count("GET /a/controls")
        await site.script.until(lambda: site.script.asked.count("GET /a/controls") > polled + 25)

    assert posts() == posted


async def test_a_device_that_reads_back_something_else_is_reported_and_recovers(site: Site) -> None:
    def status() -> str | None:
        found = site.script.put.get("/a/status")
        assert found is None or isinstance(found, DERStatus)
        return found.genConnectStatus.value if found and found.genConnectStatus else None

    fault = Fault(kind=FaultKind.READBACK, detail="reads 0", point="704.WMaxLimPct")
    site.inverter.refusal = fault
    async with site.client():
        await site.script.until(lambda: site.heard(What.FAULT))
        await site.script.until(lambda: (0, 1, "max_w_pct not held") in site.script.log_codes())
        await site.script.until(lambda: status() == "17")
        site.inverter.refusal = None
        await site.script.until(lambda: site.inverter.holds(90.0))
        await site.script.until(lambda: (0, 1, "ok: max_w_pct not held") in site.script.log_codes())
        await site.script.until(lambda: status() == "07")

    assert (Setpoint(energize=False)) in [setpoint for setpoint, _ in site.inverter.applied]


async def test_a_device_that_stops_answering_is_reported_and_identified_before_the_next_write(
    site: Site,
) -> None:
    reading = site.inverter.reading
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(90.0))
        site.inverter.plate, plate = Fault(kind=FaultKind.NO_ANSWER, detail="gone"), site.inverter.plate
        site.inverter.reading = Fault(kind=FaultKind.NO_ANSWER, detail="gone")
        await site.script.until(lambda: site.heard(What.DEVICE_LOST))
        await site.script.until(lambda: (0, 1, "device does not answer") in site.script.log_codes())
        writes, identified = len(site.inverter.applied), site.inverter.identified
        await site.script.until(lambda: site.inverter.identified > identified + 2)
        assert len(site.inverter.applied) == writes
        site.inverter.plate, site.inverter.reading = plate, reading
        await site.script.until(lambda: len(site.inverter.applied) > writes)
        await site.script.until(lambda: (0, 1, "ok: device does not answer") in site.script.log_codes())


async def test_without_any_plan_a_device_is_made_safe_after_a_while(site: Site) -> None:
    site.script.down = True
    site.settings = replace(site.settings, control=replace(site.settings.control, plan_wait_s=0.3))
    began_s = time.monotonic()
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(None))

    assert time.monotonic() - began_s >= 0.3


async def test_the_dead_man_switch_is_refreshed_at_half_of_its_time(site: Site) -> None:
    site.settings = replace(
        site.settings, control=replace(site.settings.control, reversion_s=1, plan_wait_s=0.5)
    )
    async with site.client():
        await site.script.until(lambda: len([one for one, _ in site.inverter.applied if one.max_w_pct]) > 3)

    assert len({one for one, _ in site.inverter.applied[-3:]}) == 1


async def test_a_log_event_whose_answer_was_lost_is_not_sent_again(site: Site) -> None:
    site.inverter.refusal = Fault(kind=FaultKind.READBACK, detail="reads 0", point="704.WMaxLimPct")
    site.script.swallow.add("/a/log")
    async with site.client():
        await site.script.until(lambda: "POST /a/log" in site.script.asked)
        event = next(one for _, one in site.script.posted if isinstance(one, LogEvent))
        site.script.resources["/a/log"] = LogEventList(all=1, results=1, LogEvent_=[event])
        site.inverter.refusal = None
        await site.script.until(lambda: (0, 1, "ok: max_w_pct not held") in site.script.log_codes())

    assert len([code for code in site.script.log_codes() if code[2] == "max_w_pct not held"]) == 1


async def test_a_server_without_mirror_and_log_gets_no_readings_and_no_log_events(site: Site) -> None:
    dcap, devices = site.script.resources["/dcap"], site.script.resources["/a/devices"]
    assert isinstance(dcap, DeviceCapability)
    assert isinstance(devices, EndDeviceList)
    dcap.MirrorUsagePointListLink_ = None
    devices.EndDevice_[-1].LogEventListLink_ = None
    reading = site.inverter.reading
    assert isinstance(reading, Telemetry)
    site.inverter.reading = replace(reading, alarms=frozenset({2}))
    async with site.client():
        await site.script.until(lambda: site.script.asked.count("PUT /a/status") > 2)

    assert site.script.posted == []


async def test_readings_wait_where_the_server_shows_no_mirror_for_a_while(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """As after a restart of the client while the server is at work on its metering."""
    dcap = site.script.resources["/dcap"]
    assert isinstance(dcap, DeviceCapability)
    link, dcap.MirrorUsagePointListLink_ = dcap.MirrorUsagePointListLink_, None
    dcap.pollRate = 0
    caplog.set_level(logging.DEBUG, "der_client.outbox")

    def kinds() -> list[type]:
        return [type(one) for _, one in site.script.posted]

    def said(word: str) -> bool:
        return any(word in record.getMessage() for record in caplog.records)

    async with site.client():
        await site.script.until(lambda: said("no mirror usage point"))
        assert kinds() == []
        dcap.MirrorUsagePointListLink_ = link
        await site.script.until(lambda: MirrorMeterReadingList in kinds())
    assert not said("refused")


async def test_a_mirror_usage_point_that_is_gone_is_made_again(site: Site) -> None:
    def places() -> list[str]:
        return [p for p, one in site.script.posted if isinstance(one, MirrorMeterReadingList)]

    async with site.client():
        await site.script.until(places)
        site.script.status[places()[0]] = 404
        await site.script.until(lambda: len(set(places())) > 1)


async def test_a_report_that_fails_is_tried_again(site: Site) -> None:
    site.script.status["/a/capability"] = 404
    site.script.status["/a/settings"] = 400
    async with site.client():
        await site.script.until(lambda: site.script.asked.count("PUT /a/capability") > 1)
        del site.script.status["/a/capability"]
        await site.script.until(lambda: "/a/capability" in site.script.put)

    assert "/a/status" in site.script.put
    assert "/a/settings" not in site.script.put
