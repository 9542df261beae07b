"""Which resources say that they can be subscribed to."""

import pytest

from function_sets import ROUTES
from schemas import spec_of
from sep2_server.extra_routes import EXTRA_ROUTES
from sep2_server.notifications.subscribable import marked, subscribable

CSIP = (
    "EndDeviceList",
    "EndDevice",
    "FunctionSetAssignmentsList",
    "FunctionSetAssignments",
    "DERProgramList",
    "GroupDERProgramList",
    "DERProgram",
    "DERControlList",
    "ActiveDERControlList",
    "DERControl",
    "DefaultDERControl",
    "DER",
    "DERStatus",
    "DERSettings",
    "DERAvailability",
    "LogEventList",
    "UsagePointList",
    "MeterReadingList",
    "ReadingSetList",
)


@pytest.mark.parametrize("kind", CSIP)
def test_what_csip_subscribes_to_is_subscribable(kind: str) -> None:
    assert subscribable(kind) == 1


@pytest.mark.parametrize("kind", ["LatestReading", "ReadingList"])
def test_what_has_a_value_is_subscribable_on_a_condition_too(kind: str) -> None:
    assert subscribable(kind) == 3


@pytest.mark.parametrize("kind", ["SelfDevice", "Time", "DeviceCapability", "DERCapability", "Reading"])
def test_what_never_changes_or_cannot_say_so_is_not(kind: str) -> None:
    assert subscribable(kind) == 0


@pytest.mark.parametrize("kind", sorted({*ROUTES, *EXTRA_ROUTES}))
def test_only_types_with_the_attribute_are_subscribable(kind: str) -> None:
    route = EXTRA_ROUTES.get(kind) or ROUTES[kind]
    can_say = any(f.name == "subscribable" for f in spec_of(route.type))
    assert can_say or subscribable(kind) == 0


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        (b"<DERStatus/>", b'<DERStatus subscribable="1"/>'),
        (b'<DERStatus href="/x">', b'<DERStatus subscribable="1" href="/x">'),
        (b'<DERStatus href="/x" subscribable="0">a>b', b'<DERStatus subscribable="1" href="/x">a>b'),
        (b"", b""),
    ],
)
def test_the_attribute_is_the_servers_to_say(fragment: bytes, expected: bytes) -> None:
    assert marked("DERStatus", fragment) == expected


def test_a_type_without_the_attribute_is_left_alone() -> None:
    assert marked("Registration", b'<Registration href="/x"/>') == b'<Registration href="/x"/>'
