"""Request bodies, mRIDs and times of the operator API."""

import pytest

from function_sets import make_mrid, pen_warning
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.requests import CancelControl, EnrolDevice, PublishControl
from sep2_server.operator.shape import read
from sep2_server.operator.times import duration_s, start_at

NOW = 1_700_000_000


def test_a_request_is_read_by_the_names_of_the_standard() -> None:
    body = {"name": "north", "lFDI": "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5", "pIN": 111_115}
    assert read(EnrolDevice, body) == EnrolDevice(
        name="north", lfdi="3E4F45AB31EDFE5B67E343E5E4562E31984E23E5", pin=111_115
    )


def test_a_field_may_be_a_number_or_a_text() -> None:
    made = read(PublishControl, {"DERControlBase": {}, "duration": "5m", "in": 10})
    assert (made.duration, made.within, made.start) == ("5m", 10, None)


@pytest.mark.parametrize(
    ("body", "detail", "hint"),
    [
        ([], "body: not a JSON object", "give an object with: name, certificate, lFDI, pIN,"),
        ({}, "name: missing", "give text of 1 to 64 octets"),
        ({"name": "a", "pin": 1}, "pin: there is no such field here", "allowed: name, certificate, lFDI,"),
        ({"name": 7}, "name: 7 has the wrong type", "allowed: text of 1 to 64 octets"),
        ({"name": ""}, "name: 0 octets of text", "allowed: text of 1 to 64 octets"),
        ({"name": "é" * 33}, "name: 66 octets of text", "allowed: text of 1 to 64 octets"),
        ({"name": "a", "pIN": -1}, "pIN: -1 is outside 0 to 999999", "allowed: a whole number from 0 to"),
        ({"name": "a", "pIN": True}, "pIN: True has the wrong type", "allowed: a whole number from 0 to"),
        ({"name": "a", "pIN": None}, "pIN: None has the wrong type", "allowed: a whole number from 0 to"),
        ({"name": "a", "lFDI": "3E4F"}, "lFDI: '3E4F' is not such", "allowed: 40 hex digits"),
        ({"name": "a", "role": "king"}, "role: 'king' is not one of them", "allowed: one of device, aggr"),
    ],
)
def test_a_bad_field_is_named_with_what_is_allowed(body: object, detail: str, hint: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(EnrolDevice, body)
    assert caught.value.detail == detail
    assert caught.value.hint.startswith(hint)


def test_a_truth_value_has_no_rule_but_its_type() -> None:
    assert read(CancelControl, {"randomized": True}) == CancelControl(randomized=True)
    with pytest.raises(BadRequest, match="randomized: 1 has the wrong type") as caught:
        read(CancelControl, {"randomized": 1})
    assert caught.value.hint == "allowed: true or false"


def test_an_mrid_is_96_random_bits_and_the_pen() -> None:
    assert make_mrid(lambda below: below - 2, 37_244) == "F" * 23 + "E" + "0000917C"


def test_an_mrid_is_never_the_one_of_an_object_in_the_making() -> None:
    draws = iter([2**96 - 1, 0, 5])
    assert make_mrid(lambda below: next(draws), 1) == f"{5:024X}{1:08X}"


def test_a_pen_of_more_than_32_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="PEN: 4294967296 is not 0 to 4294967295"):
        make_mrid(lambda below: 5, 2**32)


@pytest.mark.parametrize("pen", [0, 32_473])
def test_a_pen_that_belongs_to_nobody_is_warned_of(pen: int) -> None:
    warning = pen_warning(pen)
    assert warning is not None
    assert warning.startswith(f"PEN {pen} belongs to nobody")


def test_a_pen_of_ones_own_is_fine() -> None:
    assert pen_warning(40_732) is None


@pytest.mark.parametrize(
    ("start", "within", "expected"),
    [
        (None, None, NOW),
        ("now", None, NOW),
        (None, 10, NOW + 10),
        (None, "5m", NOW + 300),
        (NOW + 7, None, NOW + 7),
        ("2023-11-14T22:13:20Z", None, NOW),
        ("2023-11-14T23:13:20+01:00", None, NOW),
    ],
)
def test_a_start_is_absolute_or_from_now(
    start: int | str | None, within: int | str | None, expected: int
) -> None:
    assert start_at(start, within, NOW) == expected


@pytest.mark.parametrize(
    ("start", "within", "detail"),
    [
        (NOW, 10, "start: both start and in are given"),
        ("tomorrow", None, "start: 'tomorrow' is no time"),
        ("2023-11-14T22:13:20", None, "start: '2023-11-14T22:13:20' has no offset from UTC"),
        (None, "soon", "in: 'soon' cannot be read"),
    ],
)
def test_a_start_that_cannot_be_read_is_refused(
    start: int | str | None, within: int | str | None, detail: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        start_at(start, within, NOW)
    assert caught.value.detail == detail


@pytest.mark.parametrize(("given", "expected"), [(300, 300), ("5m", 300)])
def test_a_duration_is_seconds_or_a_text(given: int | str, expected: int) -> None:
    assert duration_s(given, "duration") == expected


@pytest.mark.parametrize("given", [0, "0s", 2**32])
def test_a_duration_outside_its_type_is_refused(given: int | str) -> None:
    with pytest.raises(BadRequest, match="is outside 1 to 4294967295 s"):
        duration_s(given, "duration")
