"""The data ports of 2.0b and 3.x, served from what is known."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from openadr_ven.back import Description, Known, Quantity, Standing
from openadr_ven.back.serving import PAYLOADS, Serving, offer_of
from openadr_ven.events import Unit
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.report_messages import (
    ENERGY,
    POWER,
    Datum,
    LoadControl,
    ReportName,
    ReportRequest,
    ResourceStatus,
    Sampling,
)
from openadr_ven.v2b.reporting import jobs_due, report_of, scheduled
from openadr_ven.v2b.writing_reports import register_report, update_report
from openadr_ven.v3.ports import Ask, Measured
from openadr_ven.v3.report import REPORTS_3, DataQuality, Payload, wrong_payload
from tests.unit.openadr_ven.known_builder import MINUTE, REVERSE, T0, counter, known, power
from tests.unit.openadr_ven.test_back_states import BATTERY

USAGE = (
    Description(rID="p", quantity=Quantity.POWER),
    Description(rID="in", quantity=Quantity.IMPORTED, resources=("a",)),
    Description(rID="out", quantity=Quantity.EXPORTED),
)
STATUS = (Description(rID="s", quantity=Quantity.STATUS),)
SAMPLING = Sampling(least_s=MINUTE, most_s=3600)
FULL = known(
    power(-1000, -1000, 500, flow=REVERSE),
    counter(100, 120, 150),
    counter(5, 5, 7, flow=REVERSE),
    ders=(BATTERY,),
)


def serving(of: Known = FULL) -> Serving:
    return Serving(lambda: of, Standing, {"usage": USAGE, "status": STATUS})


def ask(payload: str, unit: Unit | None, **more: object) -> Ask:
    made = Ask(
        payloadType=payload,
        readingType=None,
        resources=("a",),
        start=T0 + MINUTE,
        end=T0 + 2 * MINUTE,
        unit=unit,
    )
    return replace(made, **more)  # type: ignore[arg-type]


async def test_values_of_a_period_are_told_with_their_quality() -> None:
    found = await serving().read("usage", ["in", "p", "none"], T0 + MINUTE, T0 + 2 * MINUTE)
    good = "Quality Good - Non Specific"
    assert list(found) == [
        Datum(rID="in", value=Decimal(20), quality=good),
        Datum(rID="p", value=Decimal(1000), quality=good),
    ]


async def test_r318_what_has_no_data_is_left_to_the_placeholder() -> None:
    assert not await serving().read("usage", ["p", "in"], T0 + 3600, T0 + 3660)
    assert not await serving().read("nothing", ["p"], T0, T0 + 60)


async def test_means_have_no_endless_digits() -> None:
    of = known(power(100, 100, 200))
    (found,) = await serving(of).read("usage", ["p"], T0, T0 + 3 * MINUTE)
    assert str(found.value) == "133.333333"


async def test_a_status_is_that_of_the_resource() -> None:
    (found,) = await serving().read("status", ["s"], T0 + 3 * MINUTE, T0 + 3 * MINUTE)
    assert found.value == ResourceStatus(
        is_online=True,
        is_overridden=False,
        capacity=LoadControl(current=0.0, least=0.0, most=0.8, normal=0.8),
    )


async def test_a_capacity_that_nobody_measures_is_left_out() -> None:
    (found,) = await serving(known(ders=(BATTERY,))).read("status", ["s"], T0, T0)
    assert found.value == ResourceStatus(is_online=True, is_overridden=False)


async def test_a_report_of_2_0b_goes_from_the_metadata_to_the_data() -> None:
    offer = offer_of("usage", ReportName.TELEMETRY_USAGE, USAGE, sampling=SAMPLING, buffer_s=86_400)
    assert [(one.rID, one.resource, one.measure) for one in offer.points] == [
        ("p", None, POWER),
        ("in", "a", ENERGY),
        ("out", None, ENERGY),
    ]
    assert "METADATA_TELEMETRY_USAGE" in register_report(
        m.RegisterReport(requestID="r", offers=(offer,), venID="v")
    )
    asked = ReportRequest(
        reportRequestID="q",
        reportSpecifierID="usage",
        granularity_s=MINUTE,
        back_s=3 * MINUTE,
        points=(("p", "Direct Read"), ("in", "Direct Read")),
        start=T0,
        duration_s=3 * MINUTE,
    )
    (job,), _ = jobs_due(scheduled(asked, [offer], T0), [offer], T0 + 3 * MINUTE)
    data = {period: await serving().read("usage", ["p", "in"], *period) for period in job.periods}
    made = report_of(job, data, now=T0 + 180, eiReportID="e")
    told: list[Any] = [
        [(one.rID, one.value, (one.quality or "")[:11]) for one in row.data] for row in made.intervals
    ]
    assert told == [
        [("p", 1000, "Quality Goo"), ("in", 0, "Quality Bad")],
        [("p", 1000, "Quality Goo"), ("in", 20, "Quality Goo")],
        [("p", -500, "Quality Goo"), ("in", 30, "Quality Goo")],
    ]
    assert "<ei:value>-500</ei:value>" in update_report(
        m.UpdateReport(requestID="r", reports=(made,), venID="v")
    )


@pytest.mark.parametrize(
    ("name", "described"),
    [
        (ReportName.TELEMETRY_USAGE, STATUS),
        (ReportName.TELEMETRY_STATUS, USAGE),
        (ReportName.HISTORY_USAGE, (Description(rID="x", quantity=Quantity.CHARGE_LEVEL),)),
    ],
)
def test_a_report_has_no_place_for_other_quantities(
    name: ReportName, described: tuple[Description, ...]
) -> None:
    with pytest.raises(ValueError, match="no place"):
        offer_of("s", name, described, sampling=SAMPLING, buffer_s=60)


def test_r333_metadata_of_telemetry_has_its_sampling_and_that_of_history_none() -> None:
    telemetry = offer_of("s", ReportName.TELEMETRY_STATUS, STATUS, sampling=SAMPLING, buffer_s=60)
    history = offer_of("s", ReportName.HISTORY_USAGE, USAGE, sampling=SAMPLING, buffer_s=60)
    assert {one.sampling for one in telemetry.points} == {SAMPLING}
    assert {one.sampling for one in history.points} == {None}


@pytest.mark.parametrize(
    ("payload", "unit", "told"),
    [
        ("USAGE", Unit.WH, Decimal(20)),
        ("DEMAND", Unit.W, Decimal(1000)),
        ("READING", Unit.W, Decimal(1000)),
        ("READING", Unit.WH, Decimal(20)),
        ("STORAGE_CHARGE_LEVEL", Unit.SHARE, Decimal("0.55")),
        ("STORAGE_USABLE_CAPACITY", Unit.WH, Decimal(10_000)),
        ("STORAGE_MAX_CHARGE_POWER", Unit.W, Decimal(4000)),
        ("STORAGE_MAX_DISCHARGE_POWER", Unit.W, Decimal(4500)),
        ("OPERATING_STATE", None, "RUNNING_NORMAL"),
    ],
)
async def test_a_report_of_3_has_its_value(payload: str, unit: Unit | None, told: object) -> None:
    found = await serving().measured(ask(payload, unit))
    assert found == Measured(value=told, quality=DataQuality.OK)  # type: ignore[arg-type]
    assert wrong_payload(Payload(type=payload, values=(found.value,))) is None


@pytest.mark.parametrize(
    "asked",
    [
        ask("USAGE", Unit.VAH),
        ask("SETPOINT", Unit.W),
        ask("USAGE", Unit.WH, readingType="FORECAST"),
        ask("DEMAND", Unit.W, readingType="PEAK"),
        ask("DEMAND", Unit.W, start=T0 + 9000, end=T0 + 9060),
        ask("DEMAND", Unit.W, resources=("stranger",)),
    ],
)
async def test_what_nobody_measures_is_missing(asked: Ask) -> None:
    assert await serving().measured(asked) is None


async def test_what_feeds_in_has_no_demand() -> None:
    found = await serving().measured(ask("DEMAND", Unit.W, start=T0 + 120, end=T0 + 180))
    assert found == Measured(value=Decimal(0), quality=DataQuality.OK)


async def test_an_estimate_says_so() -> None:
    found = await serving().measured(ask("DEMAND", Unit.W, start=T0, end=T0 + 240))
    assert found is not None
    assert found.quality is DataQuality.ESTIMATED


def test_every_payload_type_is_one_of_the_standard() -> None:
    assert {name for name, _ in PAYLOADS} <= set(REPORTS_3)
