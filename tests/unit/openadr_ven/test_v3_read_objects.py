"""Other objects of 3.x, pages of them, and JSON within bounds."""

from decimal import Decimal
from typing import Any

import pytest

from openadr_ven.events import Target
from openadr_ven.v3.bounded import parsed
from openadr_ven.v3.errors import FlawError, UnreadableError
from openadr_ven.v3.leniency import MOST_NOTES, Leniency, Notes
from openadr_ven.v3.objects import PayloadDescriptor, ReportIntervals
from openadr_ven.v3.read_list import MOST_ON_PAGE, read_list
from openadr_ven.v3.read_objects import (
    problem_text,
    read_mqtt,
    read_notification,
    read_program,
    read_report,
    read_resource,
    read_subscription,
    read_ven,
)
from openadr_ven.v3.version import ObjectType, Operation, Version
from tests.unit.openadr_ven.v3_builder import event_json, read, stamped


def test_program_has_the_descriptors_of_events_only() -> None:
    both = [
        {"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": "PRICE", "units": "KWH", "currency": "EUR"},
        {"objectType": "REPORT_PAYLOAD_DESCRIPTOR", "payloadType": "USAGE", "units": "KWH"},
    ]

    found = read_program(
        stamped("PROGRAM", programName="tou", payloadDescriptors=both), Version.V310, Notes()
    )

    assert (found.id, found.programName) == ("program-1", "tou")
    assert found.payloadDescriptors == {
        "PRICE": PayloadDescriptor(payloadType="PRICE", units="KWH", currency="EUR")
    }


@pytest.mark.parametrize("kind", ["VEN", "BL_VEN_REQUEST"])
def test_ven_has_the_targets_that_were_granted(kind: str) -> None:
    found = read_ven(stamped("VEN", venName="v", targets=["a"]) | {"objectType": kind}, Version.V310, Notes())

    assert (found.id, found.venName, found.targets) == ("ven-1", "v", (Target(kind="", value="a"),))


def test_resource_subscription_and_report_are_read() -> None:
    resource = read_resource(
        stamped("RESOURCE", resourceName="battery", venID="ven-1"), Version.V310, Notes()
    )
    operations = [{"callbackUrl": "https://a/b", "bearerToken": "secret"}]
    subscription = read_subscription(
        stamped("SUBSCRIPTION", clientName="c", objectOperations=operations), Version.V310, Notes()
    )
    report = read_report(
        stamped("REPORT", clientName="c", eventID="e", reportName="r"), Version.V310, Notes()
    )

    assert (resource.resourceName, resource.venID) == ("battery", "ven-1")
    assert (subscription.clientName, subscription.callbackUrls) == ("c", ("https://a/b",))
    assert (report.eventID, report.reportName) == ("e", "r")
    assert "secret" not in repr(subscription)


@pytest.mark.parametrize(
    ("version", "word", "operation", "is_noted"),
    [
        (Version.V301, "GET", Operation.READ, False),
        (Version.V301, "POST", Operation.CREATE, False),
        (Version.V301, "PUT", Operation.UPDATE, False),
        (Version.V301, "DELETE", Operation.DELETE, False),
        (Version.V310, "READ", Operation.READ, False),
        (Version.V310, "CREATE", Operation.CREATE, False),
        (Version.V310, "UPDATE", Operation.UPDATE, False),
        (Version.V310, "DELETE", Operation.DELETE, False),
        (Version.V310, "PUT", Operation.UPDATE, True),
        (Version.V301, "CREATE", Operation.CREATE, True),
    ],
)
def test_notification_in_the_words_of_both_versions(
    version: Version, word: str, operation: Operation, *, is_noted: bool
) -> None:
    notes = Notes()

    found = read_notification({"objectType": "EVENT", "operation": word, "object": {}}, version, notes)

    assert (found.objectType, found.operation) == (ObjectType.EVENT, operation)
    assert (Leniency.OPERATION_WORD in notes.rules) is is_noted


@pytest.mark.parametrize(
    "found", [7, {}, {"objectType": "EVENT", "operation": "BURN"}, {"objectType": "CAT", "operation": "READ"}]
)
def test_notification_that_is_none_is_a_flaw(found: object) -> None:
    with pytest.raises(FlawError):
        read_notification(found, Version.V310, Notes())


def test_report_descriptor_has_the_defaults_of_the_schema() -> None:
    (found,) = read(event_json(reportDescriptors=[{"payloadType": "USAGE"}])).reportDescriptors

    assert (found.startInterval, found.numIntervals, found.frequency, found.repeat) == (-1, -1, -1, 1)
    assert (found.historical, found.aggregate) == (True, False)
    assert found.reportIntervals is ReportIntervals.INTERVALS


@pytest.mark.parametrize("broken", [{"repeat": -2}, {"reportIntervals": "SOME"}, {"aggregate": "yes"}, {}])
def test_broken_report_descriptor_is_left_out_and_the_event_holds(broken: dict[str, Any]) -> None:
    one = {"payloadType": "USAGE", **broken} if broken else {}

    found = read(event_json(reportDescriptors=[one, {"payloadType": "DEMAND"}]))

    assert [one.payloadType for one in found.reportDescriptors] == ["DEMAND"]
    assert found.event.flaw is None


def test_broken_object_on_a_page_stands_alone() -> None:
    page = [stamped("PROGRAM", programName="a"), {"objectType": "PROGRAM"}, 7, stamped("EVENT")]

    listed = read_list(page, lambda one: read_program(one, Version.V310, Notes()))

    assert [one.programName for one in listed.objects] == ["a"]
    assert len(listed.flaws) == 3


@pytest.mark.parametrize("page", [{}, None, [0] * (MOST_ON_PAGE + 1)])
def test_page_that_is_no_list_or_too_long_is_unreadable(page: object) -> None:
    with pytest.raises(UnreadableError):
        read_list(page, lambda one: one)


def test_numbers_are_exact() -> None:
    assert parsed(b"[0.1, 1e3, 12]") == [Decimal("0.1"), Decimal(1000), 12]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[NaN]",
        b"[-Infinity]",
        b"[1e999]",
        b"[1e-999]",
        b"[" + b"1" * 99 + b"]",
        b"[" * 40 + b"]" * 40,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[1" + b" " * 4_000_000 + b"]",
    ],
    ids=lambda body: body[:12].decode("latin-1"),
)
def test_what_is_no_json_within_bounds_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        parsed(body)


def test_notes_are_bounded() -> None:
    notes = Notes()
    for number in range(MOST_NOTES + 7):
        notes.add(Leniency.KEY_CASE, str(number))

    assert (len(notes.found), notes.left_out) == (MOST_NOTES, 7)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ({"title": "Forbidden", "detail": "no"}, "Forbidden: no"),
        ({"error": "invalid_client"}, "invalid_client"),
        ({}, "no title"),
        ([], "no problem object"),
    ],
)
def test_problem_is_one_line(found: object, text: str) -> None:
    assert problem_text(found) == text


def test_mqtt_binding_is_read_where_there_is_one() -> None:
    binding = {"URIS": ["mqtts://b"], "serialization": "JSON", "authentication": {"method": "ANONYMOUS"}}

    found = read_mqtt({"WEBHOOK": True, "MQTT": binding}, Notes())

    assert found is not None
    assert (found.URIS, found.method) == (("mqtts://b",), "ANONYMOUS")
    assert read_mqtt({"WEBHOOK": True}, Notes()) is None
