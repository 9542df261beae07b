"""What devices tell a real server goes up through the whole of a running VEN; MQTT of 3.1 comes down."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from openadr_ven.v2b import messages as m
from openadr_ven.v2b import report_messages as r
from openadr_ven.v3.version import ObjectType, Version
from openadr_ven.vtn.v2b import Vtn
from openadr_ven.vtn.v3 import Vtn as Vtn3
from tests.integration.openadr.test_reading_back import REAL_POWER, mirror, status_of
from tests.integration.openadr.ven_bench import (
    TARGET,
    Bench,
    dispatch_3,
    has_device,
    posts,
    programme_3,
    soon,
    vtn_of_3,
)
from tests.integration.openadr3.mqtt_broker import MqttBroker
from tests.unit.openadr_ven.house import HOUR

PERIOD_S = 300


@pytest.fixture
async def metered(bench: Bench) -> Bench:
    """The battery told what it drew until now, and how it is."""
    await has_device(bench)
    now = bench.clock.now()
    await posts(bench, "POST", "/mup", mirror(1, -15, REAL_POWER, now - 2 * PERIOD_S, now - PERIOD_S))
    shown: Any = await bench.ven.get("/devices/battery")
    await posts(bench, "PUT", f"{shown['DER'][0]['href']}/ders", status_of(now))
    return bench


def request(specifier: str, *, rID: str, **more: Any) -> r.ReportRequest:  # noqa: ANN401 - as it takes them
    return r.ReportRequest(
        reportRequestID=specifier,
        reportSpecifierID=specifier,
        points=((rID, "x-notApplicable" if "status" in rID else "Direct Read"),),
        **more,
    )


def values_of(report: r.Report) -> list[tuple[int | None, object, object]]:
    return [(row.start, one.value, one.quality) for row in report.intervals for one in row.data]


def reports_of(vtn: Vtn, name: str) -> list[r.Report]:
    said = [one for one in vtn.heard if isinstance(one, m.UpdateReport)]
    return [report for one in said for report in one.reports if report.reportName == name]


async def test_telemetry_history_and_status_of_2_0b(metered: Bench, vtn: Vtn) -> None:
    now = metered.clock.now()
    begin, late = now - 2 * PERIOD_S, now - PERIOD_S + 2
    power: dict[str, Any] = {"rID": "battery power", "granularity_s": PERIOD_S}
    asked = (
        request("history", **power, back_s=0, start=begin, duration_s=2 * PERIOD_S),
        request("usage", **power, back_s=PERIOD_S, start=late),
        request("status", rID="battery status", granularity_s=0, back_s=1, start=now),
    )
    async with metered.running():
        await soon(lambda: vtn.of(m.RegisterReport))
        vtn.send(m.CreateReport(requestID="r", requests=asked))
        for name in ("HISTORY_USAGE", "TELEMETRY_USAGE", "TELEMETRY_STATUS"):
            await soon(lambda wanted=name: reports_of(vtn, wanted))  # type: ignore[misc]
    (history,) = reports_of(vtn, "HISTORY_USAGE")
    assert values_of(history) == [(begin, Decimal(1500), r.GOOD), (begin + PERIOD_S, Decimal(3000), r.GOOD)]
    usage = values_of(reports_of(vtn, "TELEMETRY_USAGE")[0])
    assert [(start, value) for start, value, _ in usage] == [(late, Decimal(3000))]
    state = reports_of(vtn, "TELEMETRY_STATUS")[0].intervals[0].data[0].value
    assert isinstance(state, r.ResourceStatus)
    assert state.is_online


async def test_demand_of_3_1(metered: Bench) -> None:
    async with vtn_of_3(metered, Version.V310, with_webhook=False) as vtn:
        await programme_3(metered, vtn)
        async with metered.running():
            await soon(lambda: vtn.of(ObjectType.VEN))
            begin = metered.clock.now() - PERIOD_S
            start = datetime.fromtimestamp(begin, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            ask = {"payloadType": "DEMAND", "startInterval": -1, "numIntervals": 1, "historical": True}
            await dispatch_3(
                metered,
                vtn,
                intervalPeriod={"start": start, "duration": f"PT{PERIOD_S + 2}S"},
                reportDescriptors=[{**ask, "repeat": 1, "frequency": -1}],
            )
            await soon(lambda: vtn.of(ObjectType.REPORT))
    report: Any = vtn.of(ObjectType.REPORT)[0]
    (resource,) = report["resources"]
    assert resource["resourceName"] == "battery"
    (interval,) = resource["intervals"]
    said = {one["type"]: one["values"] for one in interval["payloads"]}
    assert said["DEMAND"] == [3]
    assert [one["units"] for one in report["payloadDescriptors"]] == ["KW"]


async def test_event_of_3_1_is_told_by_mqtt(bench: Bench) -> None:
    pytest.importorskip("aiomqtt", reason="aiomqtt (lineside[mqtt]) is not installed")
    broker = MqttBroker()
    port = await broker.open()
    try:
        async with vtn_of_3(bench, Version.V310, with_webhook=False) as vtn:
            vtn.mqtt = {
                "URIS": [f"mqtt://127.0.0.1:{port}"],
                "serialization": "JSON",
                "authentication": {"method": "ANONYMOUS"},
            }
            vtn.publish = broker.publish
            await programme_3(bench, vtn)
            bench.vtn["is_mqtt"] = "true"
            bench.poll_s = 600
            async with bench.running():
                await soon(lambda: "openadr/events/create" in broker.topics)
                await soon(lambda: asked_events(vtn))
                await dispatch_3(bench, vtn)
                await bench.until_status("scheduled")
                assert await bench.controls() == [(0, HOUR, "scheduled", TARGET)]
    finally:
        await broker.close()


def asked_events(vtn: Vtn3) -> int:
    """How often the list of events was asked for."""
    return sum(one.path == "/events" for one in vtn.exchanges)
