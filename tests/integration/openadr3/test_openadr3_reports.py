"""Reports of a VEN of 3.x: what events ask for, and what has to be said of opting out. Sent once."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from openadr_ven.events import ChangeKind, CreateOpt, OptError, OptReason, OptType, Unit, Window
from openadr_ven.v3.errors import RefusedError
from openadr_ven.v3.ports import Measured
from openadr_ven.v3.report import DataQuality
from openadr_ven.v3.version import ObjectType, Version
from tests.integration.openadr3.vtn_bench import BOTH, Bench, Steady, play
from tests.unit.openadr_ven.openapi_judge import flaws


def asking(kind: str, **more: object) -> list[dict[str, object]]:
    return [{"payloadType": kind, **more}]


def listed(found: object) -> list[dict[str, object]]:
    assert isinstance(found, list)
    return found


def rows(report: dict[str, Any]) -> list[tuple[str, int, list[tuple[str, list[object]]]]]:
    return [
        (one["resourceName"], row["id"], [(p["type"], p["values"]) for p in row["payloads"]])
        for one in report["resources"]
        for row in one["intervals"]
    ]


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(
    ("kind", "more", "measured", "unit", "said", "units"),
    [
        ("USAGE", {}, Decimal(1500), Unit.WH, 1.5, "KWH"),
        ("DEMAND", {"readingType": "MEAN"}, Decimal(2500), Unit.W, 2.5, "KW"),
        ("DEMAND", {"units": "KVA"}, Decimal(2500), Unit.VA, 2.5, "KVA"),
        ("READING", {"units": "VOLTS"}, Decimal(231), Unit.V, 231, "VOLTS"),
        ("STORAGE_CHARGE_LEVEL", {}, Decimal("0.42"), Unit.SHARE, 0.42, "PERCENT"),
        ("SETPOINT", {"units": "KW"}, Decimal(-2000), Unit.W, -2, "KW"),
        ("OPERATING_STATE", {}, "RUNNING_CURTAILED", None, "RUNNING_CURTAILED", None),
    ],
)
def test_report_that_an_event_asks_for_is_made_at_its_end(
    version: Version,
    kind: str,
    more: dict[str, object],
    measured: Any,  # noqa: ANN401 - a value of any form
    unit: Unit | None,
    said: object,
    units: str | None,
) -> None:
    meter = Steady(Measured(value=measured))

    async def scenario(bench: Bench) -> None:
        start = int(bench.clock.time()) + 600
        await bench.event(reportDescriptors=asking(kind, **more))
        await bench.until(lambda: bench.vtn.of(ObjectType.REPORT))
        (report,) = bench.vtn.of(ObjectType.REPORT)
        assert rows(report) == [("battery", 0, [(kind, [said])])]
        assert [one.get("units") for one in listed(report["payloadDescriptors"])] == [units]
        (ask,) = meter.asks
        assert (ask.start, ask.end, ask.unit, ask.resources) == (start, start + 600, unit, ("battery",))
        assert bench.clock.time() >= start + 600

    play(version, scenario, meter=meter)


@pytest.mark.parametrize(
    ("measured", "payloads"),
    [
        (None, [("DATA_QUALITY", ["MISSING"])]),
        (Measured(value=Decimal(-5)), [("DATA_QUALITY", ["MISSING"])]),
        (
            Measured(value=Decimal(5000), quality=DataQuality.ESTIMATED),
            [("USAGE", [5]), ("DATA_QUALITY", ["ESTIMATED"])],
        ),
    ],
)
def test_quality_of_the_data_is_said(
    measured: Measured | None, payloads: list[tuple[str, list[object]]]
) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.event(reportDescriptors=asking("USAGE"))
        await bench.until(lambda: bench.vtn.of(ObjectType.REPORT))
        assert rows(bench.vtn.of(ObjectType.REPORT)[0]) == [("battery", 0, payloads)]

    play(Version.V310, scenario, meter=Steady(measured))


def test_aggregate_is_one_row_for_all_resources() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.event(reportDescriptors=asking("USAGE", aggregate=True))
        await bench.until(lambda: bench.vtn.of(ObjectType.REPORT))
        assert rows(bench.vtn.of(ObjectType.REPORT)[0]) == [("AGGREGATED_REPORT", 0, [("USAGE", [1])])]

    play(Version.V310, scenario, meter=Steady(Measured(value=Decimal(1000))))


def test_event_that_only_asks_is_reported_at_once() -> None:
    async def scenario(bench: Bench) -> None:
        period = {"start": "0001-01-01", "duration": "PT0S"}
        await bench.event(
            reportDescriptors=asking("STORAGE_USABLE_CAPACITY"), intervals=[], intervalPeriod=period
        )
        await bench.until(lambda: bench.vtn.of(ObjectType.REPORT))
        assert rows(bench.vtn.of(ObjectType.REPORT)[0]) == [
            ("battery", 0, [("STORAGE_USABLE_CAPACITY", [10])])
        ]

    play(Version.V310, scenario, meter=Steady(Measured(value=Decimal(10_000))))


def test_report_of_an_event_that_was_deleted_before_is_not_made() -> None:
    async def scenario(bench: Bench) -> None:
        event = await bench.event(reportDescriptors=asking("USAGE"))
        await bench.until(bench.plans)
        await bench.vtn.delete(ObjectType.EVENT, str(event["id"]))
        await bench.pass_by(3000)
        assert bench.asked("/reports", "POST") == 0

    play(Version.V310, scenario)


def test_report_whose_answer_was_lost_is_not_sent_twice() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.event(reportDescriptors=asking("USAGE"))
        await bench.until(bench.plans)
        bench.vtn.faults.lost_answers = 1
        await bench.until(lambda: bench.vtn.of(ObjectType.REPORT))
        await bench.until(lambda: not bench.ven.kept.owed)
        assert len(bench.vtn.of(ObjectType.REPORT)) == 1
        assert bench.asked("/reports", "POST") == 1

    play(Version.V310, scenario)


def test_vtn_that_lets_nobody_read_reports_still_gets_them() -> None:
    """One answer is lost, and whether that report arrived cannot be seen: it holds up no other."""

    async def scenario(bench: Bench) -> None:
        get = bench.ven._wire.get

        async def refusing(path: str, query: Sequence[tuple[str, str]] = ()) -> object:
            if path == "/reports":
                raise RefusedError(403, "not for you")
            return await get(path, query)

        bench.ven._wire.get = refusing  # type: ignore[method-assign]
        await bench.event(reportDescriptors=asking("USAGE"))
        await bench.event("two", start_s=1200, reportDescriptors=asking("USAGE"))
        await bench.until(lambda: len(bench.plans()) == 2)
        bench.vtn.faults.lost_answers = 1
        await bench.pass_by(3 * 3600)
        assert len({one["eventID"] for one in bench.vtn.of(ObjectType.REPORT)}) == 2
        assert bench.ven.kept.owed == ()

    play(Version.V310, scenario)


def test_report_is_not_sent_for_ever_to_a_vtn_whose_answers_cannot_be_read() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.event(reportDescriptors=asking("USAGE"))
        await bench.until(bench.plans)
        bench.vtn.faults.broken_json, bench.vtn.faults.only = True, "/reports"
        await bench.pass_by(2 * 3600)
        assert bench.asked("/reports", "POST") == 2
        assert bench.ven.kept.owed == ()

    play(Version.V310, scenario)


def test_report_that_is_owed_survives_a_kill_and_a_vtn_that_is_away() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.event(reportDescriptors=asking("USAGE"))
        await bench.until(bench.plans)
        await bench.stop_vtn()
        await bench.until(lambda: bench.ven.kept.owed)
        await bench.stop_ven()
        await bench.start_ven()
        await bench.pass_by(60)
        await bench.start_vtn()
        await bench.until(lambda: bench.vtn.of(ObjectType.REPORT))
        await bench.pass_by(3000)
        assert len(bench.vtn.of(ObjectType.REPORT)) == 1
        assert bench.ven.kept.owed == ()

    play(Version.V310, scenario, meter=Steady(Measured(value=Decimal(1))))


def test_report_that_is_refused_for_good_is_given_up() -> None:
    async def scenario(bench: Bench) -> None:
        bench.vtn.faults.status, bench.vtn.faults.only = 400, "/reports"
        await bench.event(reportDescriptors=asking("USAGE"))
        await bench.until(lambda: bench.asked("/reports", "POST"))
        await bench.pass_by(900)
        assert bench.ven.kept.owed == ()
        assert bench.asked("/reports", "POST") == 1

    play(Version.V310, scenario)


@pytest.mark.parametrize("version", BOTH)
def test_resource_that_opts_out_and_in_again_is_told(version: Version) -> None:
    async def scenario(bench: Bench) -> None:
        event = await bench.event()
        await bench.until(bench.plans)
        await bench.ven.opt(str(event["id"]), OptType.OUT, ("battery",))
        assert bench.plans() == ()
        await bench.until(lambda: bench.vtn.of(ObjectType.REPORT))
        await bench.ven.opt(str(event["id"]), OptType.IN, ("battery",))
        assert len(bench.plans()) == 1
        await bench.until(lambda: len(bench.vtn.of(ObjectType.REPORT)) == 2)
        said = [rows(one)[0][2] for one in bench.vtn.of(ObjectType.REPORT)]
        assert said == [[("OPERATING_STATE", ["RUNNING_OPTED_OUT"])], [("OPERATING_STATE", ["NORMAL"])]]

    play(version, scenario)


@pytest.mark.parametrize("version", BOTH)
def test_resource_whose_devices_opted_out_is_told_unasked_and_still_dispatched(version: Version) -> None:
    async def scenario(bench: Bench) -> None:
        event = await bench.event()
        await bench.until(bench.plans)
        for _ in range(2):
            await bench.ven.stay_away({str(event["id"]): ("battery",)})
        assert len(bench.plans()) == 1
        await bench.until(lambda: bench.vtn.of(ObjectType.REPORT))
        await bench.pass_by(300)
        await bench.ven.stay_away({})
        await bench.until(lambda: len(bench.vtn.of(ObjectType.REPORT)) == 2)
        said = [rows(one)[0][2] for one in bench.vtn.of(ObjectType.REPORT)]
        assert said == [[("OPERATING_STATE", ["RUNNING_OPTED_OUT"])], [("OPERATING_STATE", ["NORMAL"])]]

    play(version, scenario)


def test_opts_of_one_second_are_all_told_and_the_last_holds() -> None:
    async def scenario(bench: Bench) -> None:
        event = await bench.event()
        await bench.until(bench.plans)
        for opt in (OptType.OUT, OptType.IN, OptType.OUT):
            await bench.ven.opt(str(event["id"]), opt, ("battery",))
        await bench.until(lambda: len(bench.vtn.of(ObjectType.REPORT)) == 3)
        (*_, last) = bench.vtn.of(ObjectType.REPORT)
        assert rows(last)[0][2] == [("OPERATING_STATE", ["RUNNING_OPTED_OUT"])]
        assert len({one["reportName"] for one in bench.vtn.of(ObjectType.REPORT)}) == 3

    play(Version.V310, scenario)


def test_schedule_keeps_events_of_its_time_away_and_tells_so() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.event()
        await bench.until(bench.plans)
        window = Window(start=0, duration_s=None)
        schedule = CreateOpt(optID="o1", optType=OptType.OUT, reason=OptReason.SCHEDULE, windows=(window,))
        await bench.ven.add_schedule(schedule)
        assert bench.plans() == ()
        await bench.until(lambda: bench.vtn.of(ObjectType.REPORT))
        await bench.ven.cancel_opt("o1")
        assert len(bench.plans()) == 1
        await bench.until(lambda: len(bench.vtn.of(ObjectType.REPORT)) == 2)

    play(Version.V310, scenario)


def test_event_that_is_refused_is_told_once() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.event(priority=-1)
        await bench.until(lambda: bench.vtn.of(ObjectType.REPORT))
        await bench.pass_by(900)
        (report,) = bench.vtn.of(ObjectType.REPORT)
        assert rows(report) == [("battery", 0, [("OPERATING_STATE", ["RUNNING_OPTED_OUT"])])]

    play(Version.V310, scenario)


def test_event_for_others_is_no_reason_to_say_anything() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.event(targets=[{"type": "VEN_NAME", "values": ["site two"]}])
        await bench.until(lambda: ChangeKind.REFUSED in [change.kind for change in bench.changes])
        await bench.pass_by(900)
        assert bench.asked("/reports", "POST") == 0

    play(Version.V301, scenario)


def test_opt_of_an_event_that_nobody_knows_is_an_error() -> None:
    async def scenario(bench: Bench) -> None:
        with pytest.raises(OptError):
            await bench.ven.opt("none", OptType.OUT)

    play(Version.V310, scenario)


@pytest.mark.parametrize("priority", [1, -1])
def test_event_whose_id_may_not_be_written_is_followed_without_reports(priority: int) -> None:
    async def scenario(bench: Bench) -> None:
        event = await bench.event("odd", reportDescriptors=asking("USAGE"), priority=priority)
        del bench.vtn.store.objects[ObjectType.EVENT][str(event["id"])]
        bench.vtn.store.objects[ObjectType.EVENT]["a b"] = {**event, "id": "a b"}
        await bench.event("plain", start_s=3000)
        await bench.until(lambda: ChangeKind.COMPLETED in [change.kind for change in bench.changes])
        assert "a b" in bench.ven.kept.state.records
        assert bench.ven.kept.owed == ()
        assert bench.asked("/reports", "POST") == 0

    play(Version.V310, scenario)


WRITES = {
    Version.V301: {
        "vens": "ven",
        "resources": "resource",
        "reports": "report",
        "subscriptions": "subscription",
    },
    Version.V310: {
        "vens": "VenVenRequest",
        "resources": "VenResourceRequest",
        "reports": "reportRequest",
        "subscriptions": "subscriptionRequest",
    },
}


@pytest.mark.parametrize("version", BOTH)
def test_everything_that_was_written_is_what_the_openapi_file_has(version: Version, vectors: Path) -> None:
    async def scenario(bench: Bench) -> None:
        event = await bench.event(reportDescriptors=asking("USAGE"))
        await bench.until(bench.plans)
        await bench.ven.opt(str(event["id"]), OptType.OUT)
        await bench.until(lambda: len(bench.vtn.of(ObjectType.REPORT)) == 2)
        await bench.until(lambda: bench.vtn.of(ObjectType.SUBSCRIPTION))
        posts = [one for one in bench.vtn.exchanges if one.method == "POST" and one.path != "/auth/token"]
        assert {one.path.rpartition("/")[2] for one in posts} == set(WRITES[version])
        for one in posts:
            name = WRITES[version][one.path.rpartition("/")[2]]
            assert flaws(vectors, version, name, one.body) == []
            assert one.status == 201

    play(version, scenario, with_webhook=True, meter=Steady(Measured(value=Decimal(1000))))


ANSWERS = {"programs": "program", "events": "event", "reports": "report", "subscriptions": "subscription"}


@pytest.mark.parametrize("version", BOTH)
def test_vtn_of_the_tests_answers_as_the_openapi_file_has_it(version: Version, vectors: Path) -> None:
    """Not for VENs and resources of 3.1.0: no object can have the two objectTypes that the file asks for."""

    async def scenario(bench: Bench) -> None:
        await bench.event(reportDescriptors=asking("USAGE"))
        await bench.until(lambda: bench.vtn.of(ObjectType.REPORT))
        judged = set()
        for one in bench.vtn.exchanges:
            kind = one.path.split("/")[1]
            found = one.answer if isinstance(one.answer, list) else [one.answer]
            for body in found if kind in ANSWERS and one.status < 300 else []:
                judged.add(kind)
                assert flaws(vectors, version, ANSWERS[kind], body, is_closed=False) == []
        assert judged == set(ANSWERS)

    play(version, scenario, with_webhook=True, meter=Steady(Measured(value=Decimal(1000))))
