"""What a VEN writes is what the OpenAPI file of the version has. OpenADR 3.0.1; OpenADR 3.1.0."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from openadr_ven.events import Point, Target, Value
from openadr_ven.v3.errors import WriteError
from openadr_ven.v3.report import (
    REPORTS_3,
    DataQuality,
    OperatingState,
    Payload,
    ReadingType,
    Report,
    ReportInterval,
    ReportPayloadDescriptor,
    ResourceReport,
)
from openadr_ven.v3.version import ObjectType, Operation, Version, path_of_resources, target_query
from openadr_ven.v3.write import (
    Subscribing,
    encoded,
    report_body,
    resource_body,
    subscription_body,
    targets_json,
    ven_body,
)
from tests.unit.openadr_ven.openapi_judge import FOLDERS, flaws
from tests.unit.openadr_ven.v3_builder import BOTH, T0

NAMES = {
    Version.V301: {"ven": "ven", "resource": "resource", "report": "report", "subscription": "subscription"},
    Version.V310: {
        "ven": "VenVenRequest",
        "resource": "VenResourceRequest",
        "report": "reportRequest",
        "subscription": "subscriptionRequest",
    },
}
ATTRIBUTES: dict[str, tuple[Value, ...]] = {
    "LOCATION": (Decimal("4.9"), Decimal("52.4")),
    "DESCRIPTION": ("site",),
}
TEXTS = {"OPERATING_STATE": "NORMAL", "DATA_QUALITY": "OK"}


def report(*payloads: Payload, **more: object) -> Report:
    row = ReportInterval(id=0, start=T0, duration_s=900, payloads=payloads)
    plain: dict[str, Any] = {
        "eventID": "event-1",
        "programID": "program-1",
        "clientName": "site one",
        "reportName": "event-1/0/0",
        "resources": (ResourceReport(resourceName="battery", intervals=(row,)),),
    }
    return Report(**{**plain, **more})


def subscribing(**more: object) -> Subscribing:
    plain: dict[str, Any] = {
        "clientName": "site one",
        "callbackUrl": "https://ven.example/hook",
        "bearerToken": "t",
        "objects": tuple(ObjectType),
        "operations": tuple(Operation),
        "programID": "program-1",
    }
    return Subscribing(**{**plain, **more})


@pytest.mark.parametrize("version", BOTH)
def test_ven_is_what_the_schema_has(version: Version, vectors: Path) -> None:
    assert flaws(vectors, version, NAMES[version]["ven"], ven_body(version, "site one", ATTRIBUTES)) == []


@pytest.mark.parametrize("version", BOTH)
def test_judge_finds_what_the_schema_has_not(version: Version, vectors: Path) -> None:
    ven, report_name = NAMES[version]["ven"], NAMES[version]["report"]
    good = report_body(version, report(Payload(type="USAGE", values=(Decimal(1),))))

    assert flaws(vectors, version, ven, ven_body(version, "site one") | {"clientID": "c"})
    assert flaws(vectors, version, ven, {"objectType": "VEN"})
    assert flaws(vectors, version, report_name, good | {"resources": [{"resourceName": "battery"}]})


@pytest.mark.parametrize("version", BOTH)
def test_resource_is_what_the_schema_has(version: Version, vectors: Path) -> None:
    body = resource_body(version, "battery", "ven-1", ATTRIBUTES)

    assert flaws(vectors, version, NAMES[version]["resource"], body) == []


@pytest.mark.parametrize("version", BOTH)
def test_subscription_is_what_the_schema_has(version: Version, vectors: Path) -> None:
    targets = (Target(kind="GROUP", value="a"),)

    body = subscription_body(version, subscribing(targets=targets))

    assert flaws(vectors, version, NAMES[version]["subscription"], body) == []


@pytest.mark.parametrize("kind", sorted(REPORTS_3))
@pytest.mark.parametrize("version", BOTH)
def test_report_of_every_payload_type_is_what_the_schema_has(
    version: Version, kind: str, vectors: Path
) -> None:
    value: Value = TEXTS.get(kind, Decimal("1"))
    units = REPORTS_3[kind].units
    descriptors = (ReportPayloadDescriptor(payloadType=kind, readingType="MEAN", units=units),)

    body = report_body(version, report(Payload(type=kind, values=(value,)), payloadDescriptors=descriptors))

    assert flaws(vectors, version, NAMES[version]["report"], body) == []


def definitions(vectors: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((vectors / "openadr" / "v310" / name).read_text())
    return found


def test_table_of_reports_is_that_of_the_standard(vectors: Path) -> None:
    rows = definitions(vectors, "report-payloads.schema.yaml")["definitions"]

    assert set(rows) == set(REPORTS_3)
    for kind, row in rows.items():
        item = row["items"]
        assert REPORTS_3[kind].low == item.get("minimum"), kind
        assert REPORTS_3[kind].high == item.get("maximum"), kind
        assert REPORTS_3[kind].is_whole is (item.get("type") == "integer"), kind
        assert REPORTS_3[kind].is_any is ("oneOf" in item), kind


def test_words_are_those_of_the_standard(vectors: Path) -> None:
    rows = definitions(vectors, "report-payloads.schema.yaml")["definitions"]
    readings = definitions(vectors, "reading-types.schema.yaml")["enum"]

    assert set(rows["OPERATING_STATE"]["items"]["enum"]) - {"AGGREGATED_REPORT"} == set(OperatingState)
    assert set(rows["DATA_QUALITY"]["items"]["enum"]) == set(DataQuality)
    assert set(readings) - {"NORMAL", "ERROR"} == set(ReadingType)


@pytest.mark.parametrize("version", BOTH)
def test_operations_of_subscriptions_are_those_of_the_file(version: Version, vectors: Path) -> None:
    path = vectors / "openadr" / FOLDERS[version.value] / "openadr3.yaml"
    schemas = yaml.safe_load(path.read_text())["components"]["schemas"]
    holder = schemas["subscriptionRequest" if version is Version.V310 else "subscription"]
    one = holder["properties"]["objectOperations"]["items"]["properties"]["operations"]["items"]

    assert set(one["enum"]) == set(Operation)


@pytest.mark.parametrize("version", BOTH)
def test_report_names_its_program_in_301_alone(version: Version) -> None:
    body = report_body(version, report(Payload(type="USAGE", values=(Decimal(1),))))

    assert ("programID" in body) is (version is Version.V301)
    assert "clientID" not in body


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("USAGE", (Decimal(-1),)),
        ("DEMAND", (Decimal(-1),)),
        ("STORAGE_CHARGE_LEVEL", (Decimal("1.1"),)),
        ("SIMPLE_LEVEL", (Decimal("1.5"),)),
        ("SIMPLE_LEVEL", (Decimal(4),)),
        ("OPERATING_STATE", ("SLEEPING",)),
        ("OPERATING_STATE", (Decimal(1),)),
        ("DATA_QUALITY", ("GOOD",)),
        ("READING", ("text",)),
        ("READING", (True,)),
        ("READING", (Decimal("NaN"),)),
        ("READING", ()),
        ("READING", (Decimal(1), Decimal(2))),
        ("", (Decimal(1),)),
        ("x-own", (Decimal("Infinity"),)),
    ],
)
def test_report_that_the_standard_does_not_allow_is_not_written(kind: str, values: tuple[Value, ...]) -> None:
    with pytest.raises(WriteError):
        report_body(Version.V310, report(Payload(type=kind, values=values)))


@pytest.mark.parametrize(
    "more",
    [
        {"eventID": "a b"},
        {"eventID": ""},
        {"clientName": ""},
        {"resources": ()},
        {"resources": (ResourceReport(resourceName="battery", intervals=()),)},
        {"clientName": "x" * 129},
    ],
)
def test_report_without_what_it_needs_is_not_written(more: dict[str, Any]) -> None:
    with pytest.raises(WriteError):
        report_body(Version.V310, report(Payload(type="USAGE", values=(Decimal(1),)), **more))


@pytest.mark.parametrize(
    ("version", "more"),
    [
        (Version.V310, {"callbackUrl": "ftp://a"}),
        (Version.V310, {"callbackUrl": "https://"}),
        (Version.V310, {"bearerToken": ""}),
        (Version.V310, {"objects": ()}),
        (Version.V310, {"operations": ()}),
        (Version.V301, {"programID": None}),
        (Version.V301, {"targets": (Target(kind="", value="a"),)}),
    ],
)
def test_subscription_without_what_it_needs_is_not_written(version: Version, more: dict[str, Any]) -> None:
    with pytest.raises(WriteError):
        subscription_body(version, subscribing(**more))


@pytest.mark.parametrize("name", ["", "x" * 129])
def test_name_has_1_to_128_characters(name: str) -> None:
    with pytest.raises(WriteError):
        ven_body(Version.V310, name)


def test_targets_of_301_are_grouped_by_kind() -> None:
    targets = (Target(kind="GROUP", value="a"), Target(kind="GROUP", value="b"))

    assert targets_json(Version.V301, targets) == [{"type": "GROUP", "values": ["a", "b"]}]
    assert targets_json(Version.V310, targets) == ["a", "b"]


def test_where_resources_are_and_how_targets_are_asked_for() -> None:
    assert path_of_resources(Version.V301, "ven-1") == "/vens/ven-1/resources"
    assert path_of_resources(Version.V310, "ven-1") == "/resources"
    assert target_query(Version.V310, ["a", "b"]) == [("targets", "a"), ("targets", "b")]
    assert target_query(Version.V301, ["a", "b"]) == [
        ("targetType", "GROUP"),
        ("targetValues", "a"),
        ("targetValues", "b"),
    ]
    assert target_query(Version.V301, []) == []


def test_points_and_booleans_and_texts_are_values_too() -> None:
    values: tuple[Value, ...] = (Point(x=Decimal(1), y=Decimal("0.5")), True, "on")

    body = report_body(Version.V310, report(Payload(type="x-own", values=values)))

    assert json.loads(encoded(body))["resources"][0]["intervals"][0]["payloads"] == [
        {"type": "x-own", "values": [{"x": 1, "y": 0.5}, True, "on"]}
    ]
