"""Groups, programs, defaults and curves through the operator API."""

from collections.abc import Callable

import pytest

from schemas import (
    Codec,
    DefaultDERControl,
    DERControl,
    DERCurve,
    DERProgram,
    DERProgramList,
    FunctionSetAssignmentsList,
)
from sep2_server import ManualClock
from sep2_server.messages import Answer
from sep2_server.operator import ApiError, OperatorClient
from sep2_server.operator.commands import rows_of

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
FEEDER = {"name": "feeder-7", "primacy": 7, "description": "feeder 7"}
DEFAULT = ("groups", "feeder-7", "default")
CURVES = ("groups", "feeder-7", "curves")
VOLT_VAR = {
    "description": "volt-var A",
    "curveType": "opModVoltVar",
    "yRefType": "SET_MAX_VAR",
    "points": [["92", "44"], [98.5, 0], [102, 0], [108, -44]],
}
DeviceRequest = Callable[..., Answer]


@pytest.fixture(autouse=True)
def end_device(api: OperatorClient) -> str:
    """Group feeder-7, and the device north outside of it; the href of its EndDevice."""
    answer = api.call("POST", ("devices",), {"name": "north", "lFDI": LFDI, "pIN": 111_115})
    api.call("POST", ("groups",), FEEDER)
    return str(answer["href"])


def join(api: OperatorClient) -> None:
    api.call("PUT", ("groups", "feeder-7", "devices", "north"))


def test_a_group_has_a_program_with_primacy_and_description(api: OperatorClient) -> None:
    group = api.get("groups", "feeder-7")
    program = rows_of(group, "programs")[0]
    assert (group["name"], group["devices"]) == ("feeder-7", 0)
    assert (program["primacy"], program["description"], program["hasDefault"]) == (7, "feeder 7", False)


def test_a_member_finds_the_program_through_its_assignments(
    api: OperatorClient, device_request: DeviceRequest, end_device: str
) -> None:
    join(api)
    found = device_request("GET", f"{end_device}/fsa?l=10")
    assignments = Codec().decode(found.body, FunctionSetAssignmentsList).FunctionSetAssignments_
    assert [a.description for a in assignments] == ["feeder-7"]
    link = assignments[0].DERProgramListLink_
    assert link is not None
    assert link.all == 1
    programs = Codec().decode(device_request("GET", f"{link.href}?l=10").body, DERProgramList).DERProgram_
    assert [(p.primacy, p.description) for p in programs] == [(7, "feeder 7")]


def test_the_ders_of_a_member_have_the_program_associated(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    join(api)
    der = rows_of(api.get("devices", "north"), "DER")[0]["href"]
    found = Codec().decode(device_request("GET", f"{der}/derp?l=10").body, DERProgramList)
    assert [program.primacy for program in found.DERProgram_] == [7]


def test_a_device_that_is_no_member_does_not_see_the_program(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    href = rows_of(api.get("groups", "feeder-7"), "programs")[0]["href"]
    assert device_request("GET", str(href)).status == 404
    join(api)
    assert device_request("GET", str(href)).status == 200


def test_a_device_that_left_the_group_loses_the_program(
    api: OperatorClient, device_request: DeviceRequest, end_device: str
) -> None:
    join(api)
    answer = api.call("DELETE", ("groups", "feeder-7", "devices", "north"))
    assert answer == {"group": "feeder-7", "device": "north", "removed": True}
    found = Codec().decode(device_request("GET", f"{end_device}/fsa?l=10").body, FunctionSetAssignmentsList)
    assert found.FunctionSetAssignments_ == []
    href = rows_of(api.get("groups", "feeder-7"), "programs")[0]["href"]
    assert device_request("GET", str(href)).status == 404


def test_membership_may_be_repeated(api: OperatorClient) -> None:
    path = ("groups", "feeder-7", "devices", "north")
    first, second = api.call("PUT", path), api.call("PUT", path)
    assert (first["added"], second["added"]) == (True, False)
    first, second = api.call("DELETE", path), api.call("DELETE", path)
    assert (first["removed"], second["removed"]) == (True, False)


def test_members_are_listed_and_devices_name_their_groups(api: OperatorClient) -> None:
    join(api)
    members = rows_of(api.get("groups", "feeder-7", "devices"), "devices")
    assert [(member["name"], member["groups"]) for member in members] == [("north", ["feeder-7"])]
    assert api.get("groups", "feeder-7")["devices"] == 1


def test_a_further_program_reaches_the_members(api: OperatorClient, device_request: DeviceRequest) -> None:
    join(api)
    answer = api.call("POST", ("groups", "feeder-7", "programs"), {"primacy": 3})
    found = Codec().decode(device_request("GET", str(answer["href"])).body, DERProgram)
    assert (found.mRID, found.primacy) == (answer["mRID"], 3)
    listed = rows_of(api.get("programs"), "programs")
    assert [(row["group"], row["primacy"]) for row in listed] == [("feeder-7", 3), ("feeder-7", 7)]


@pytest.mark.parametrize(
    ("change", "status", "detail"),
    [
        ({}, 409, "name: a group is named 'feeder-7' already"),
        ({"name": ""}, 400, "name: 0 octets of text"),
        ({"primacy": 256}, 400, "primacy: 256 is outside 0 to 255"),
        ({"description": "x" * 33}, 400, "description: 33 octets of text"),
    ],
)
def test_a_bad_group_is_refused_by_its_field(
    api: OperatorClient, change: dict[str, object], status: int, detail: str
) -> None:
    with pytest.raises(ApiError) as caught:
        api.call("POST", ("groups",), FEEDER | change)
    assert (caught.value.status, caught.value.detail) == (status, detail)


def test_a_group_with_a_control_in_force_is_not_deleted(api: OperatorClient, clock: ManualClock) -> None:
    body = {"DERControlBase": {"opModEnergize": False}, "duration": 60}
    api.call("POST", ("groups", "feeder-7", "controls"), body)
    with pytest.raises(ApiError, match="1 controls of feeder-7 are scheduled or active") as caught:
        api.call("DELETE", ("groups", "feeder-7"))
    assert caught.value.status == 409
    clock.advance(60)
    assert api.call("DELETE", ("groups", "feeder-7")) == {"name": "feeder-7"}


def test_a_deleted_group_leaves_nothing(
    api: OperatorClient, device_request: DeviceRequest, end_device: str
) -> None:
    join(api)
    href = rows_of(api.get("groups", "feeder-7"), "programs")[0]["href"]
    api.call("DELETE", ("groups", "feeder-7"))
    assert (api.get("groups"), api.get("programs")) == (
        {"groups": [], "next": None},
        {"programs": [], "next": None},
    )
    assert device_request("GET", str(href)).status == 404
    found = Codec().decode(device_request("GET", f"{end_device}/fsa?l=10").body, FunctionSetAssignmentsList)
    assert found.FunctionSetAssignments_ == []


def test_a_program_has_no_default_until_one_is_set(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    join(api)
    assert api.get(*DEFAULT) == {"mRID": None, "natural": {}, "DefaultDERControl": None}
    href = rows_of(api.get("groups", "feeder-7"), "programs")[0]["href"]
    before = Codec().decode(device_request("GET", str(href)).body, DERProgram)
    api.call("PATCH", DEFAULT, {"setGradW": "5 %/s", "DERControlBase": {"opModMaxLimW": "80 %"}})
    after = Codec().decode(device_request("GET", str(href)).body, DERProgram)
    assert before.DefaultDERControlLink_ is None
    assert after.DefaultDERControlLink_ is not None
    found = Codec().decode(device_request("GET", after.DefaultDERControlLink_.href).body, DefaultDERControl)
    assert (found.setGradW, found.DERControlBase_.opModMaxLimW, found.version) == (500, 8000, 0)


def test_a_default_is_changed_field_by_field(api: OperatorClient) -> None:
    first = api.call("PATCH", DEFAULT, {"setGradW": 500, "DERControlBase": {"opModMaxLimW": "80 %"}})
    api.call("PATCH", DEFAULT, {"setESDelay": "300 s", "DERControlBase": {"opModEnergize": True}})
    last = api.call("PATCH", DEFAULT, {"setGradW": None, "DERControlBase": {"opModMaxLimW": None}})
    assert last["natural"] == {"setESDelay": "300 s", "opModEnergize": True}
    assert (last["mRID"], api.get(*DEFAULT)) == (first["mRID"], last)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "body: nothing to set"),
        ({"mRID": "01"}, "mRID: the server makes it"),
        ({"setGradW": 70_000}, "DefaultDERControl.setGradW: 70000 outside UInt16 (0 to 65535)"),
        ({"setGradX": 1}, "DefaultDERControl.setGradX: DefaultDERControl has no such field"),
        ({"DERControlBase": 5}, "DERControlBase: 5 is not an object"),
        ({"DERControlBase": {"opModMaxLimW": -1}}, "DERControlBase.opModMaxLimW: -1 outside PerCent"),
    ],
)
def test_a_bad_default_is_refused_by_its_field(
    api: OperatorClient, body: dict[str, object], detail: str
) -> None:
    with pytest.raises(ApiError) as caught:
        api.call("PATCH", DEFAULT, body)
    assert caught.value.status == 400
    assert caught.value.detail.startswith(detail)


def test_a_curve_is_made_in_natural_units(api: OperatorClient, device_request: DeviceRequest) -> None:
    join(api)
    answer = api.call("POST", CURVES, VOLT_VAR)
    found = Codec().decode(device_request("GET", str(answer["href"])).body, DERCurve)
    assert (found.xMultiplier, found.yMultiplier, found.curveType, found.yRefType) == (-1, 0, 11, 2)
    assert [(p.xvalue, p.yvalue) for p in found.CurveData_] == [(920, 44), (985, 0), (1020, 0), (1080, -44)]
    assert answer["points"] == [["92", "44"], ["98.5", "0"], ["102", "0"], ["108", "-44"]]


def test_a_watt_pf_curve_has_excitations(api: OperatorClient) -> None:
    points = [[0, 1, "under-excited"], [100, "0.95", "over-excited"]]
    body = {"curveType": "opModWattPF", "yRefType": 0, "points": points}
    answer = api.call("POST", CURVES, body)
    assert answer["points"] == [["0", "1", "under-excited"], ["100", "0.95", "over-excited"]]


@pytest.mark.parametrize("name", ["volt-var A", "href", "mRID"])
def test_a_control_follows_a_curve_by_its_name(
    api: OperatorClient, device_request: DeviceRequest, name: str
) -> None:
    join(api)
    curve = api.call("POST", CURVES, VOLT_VAR)
    body = {"DERControlBase": {"opModVoltVar": curve.get(name, name)}, "duration": 60}
    answer = api.call("POST", ("groups", "feeder-7", "controls"), body)
    found = Codec().decode(device_request("GET", str(answer["href"])).body, DERControl)
    assert found.DERControlBase_.opModVoltVar is not None
    assert found.DERControlBase_.opModVoltVar.href == curve["href"]


def test_a_control_refuses_a_curve_of_another_type(api: OperatorClient) -> None:
    api.call("POST", CURVES, VOLT_VAR)
    body = {"DERControlBase": {"opModVoltWatt": "volt-var A"}, "duration": 60}
    with pytest.raises(ApiError, match=r"DERControlBase.opModVoltWatt: the curve at .* is for opModVoltVar"):
        api.call("POST", ("groups", "feeder-7", "controls"), body)


def test_a_curve_in_use_keeps_its_type_and_its_place_whoever_asks(api: OperatorClient) -> None:
    curve = api.call("POST", CURVES, VOLT_VAR)
    body = {"DERControlBase": {"opModVoltVar": "volt-var A"}, "duration": 60}
    control = str(api.call("POST", ("groups", "feeder-7", "controls"), body)["mRID"])
    query, other = {"href": str(curve["href"])}, {"curveType": 12, "yRefType": 1}
    with pytest.raises(ApiError, match=f"{control} follows the curve"):
        api.call("PUT", ("resources",), other, query=query)
    with pytest.raises(ApiError, match=f"{control} follows the curve"):
        api.call("DELETE", ("resources",), query=query | {"force": "true"})
    api.call("PUT", ("resources",), {"openLoopTms": 50}, query=query)
    api.call("POST", ("controls", control, "cancel"))
    api.call("PUT", ("resources",), other, query=query)
    api.call("DELETE", ("resources",), query=query)


@pytest.mark.parametrize("user", ["control", "default"])
def test_a_curve_in_use_is_not_removed(api: OperatorClient, user: str) -> None:
    curve = api.call("POST", CURVES, VOLT_VAR)
    modes = {"DERControlBase": {"opModVoltVar": "volt-var A"}}
    method, path, more = {
        "control": ("POST", "controls", {"duration": 60}),
        "default": ("PATCH", "default", {}),
    }[user]
    api.call(method, ("groups", "feeder-7", path), {**modes, **more})
    with pytest.raises(ApiError, match=f"{user}.* follows the curve"):
        api.call("DELETE", ("curves", str(curve["mRID"])))


def test_a_curve_without_users_is_removed(api: OperatorClient) -> None:
    curve = api.call("POST", CURVES, VOLT_VAR)
    assert api.call("DELETE", ("curves", str(curve["mRID"]))) == {"mRID": curve["mRID"]}
    assert api.get(*CURVES) == {"curves": []}


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"curveType": "opModSomething"}, "curve.curveType: 'opModSomething' is not known"),
        ({"yRefType": 7}, "yRefType: 7 does not fit opModVoltVar"),
        ({"points": []}, "curve.CurveData: 0 items, 1 to 10 allowed"),
        ({"points": [[1, 2]] * 11}, "curve.CurveData: 11 items, 1 to 10 allowed"),
        ({"points": [[1]]}, "points: not a list of [x, y]"),
        ({"points": [[1, "y"]]}, "points: 'y' is no number"),
        ({"points": [["1e999999999", 1]]}, "points: '1e999999999' does not fit"),
        ({"points": [[1, "-1E-999999999"]]}, "points: '-1E-999999999' does not fit"),
        ({"points": [[1, "9" * 5000]]}, "points: '99999999999999999999"),
        ({"points": [[True, 1]]}, "points: True is no number"),
        ({"points": [[1, 2, "up"]]}, "points: 'up' is no excitation"),
        ({"points": [[1, 2, "injecting"]]}, "CurveData.excitation: only a watt-PF curve has it"),
        ({"points": [["0.00000000001", 1]]}, "points: the x values do not fit the wire"),
        ({"creationTime": 5}, "creationTime: the server makes it"),
        ({"color": "red"}, "curve.color: DERCurve has no such field"),
    ],
)
def test_a_bad_curve_is_refused_by_its_field(
    api: OperatorClient, change: dict[str, object], detail: str
) -> None:
    with pytest.raises(ApiError) as caught:
        api.call("POST", CURVES, VOLT_VAR | change)
    assert (caught.value.status, caught.value.detail[: len(detail)]) == (400, detail)


def test_a_curve_needs_a_body(api: OperatorClient) -> None:
    with pytest.raises(ApiError, match="body: not a JSON object"):
        api.call("POST", CURVES)


def test_a_description_of_a_curve_is_used_once(api: OperatorClient) -> None:
    api.call("POST", CURVES, VOLT_VAR)
    with pytest.raises(ApiError, match="description: the program has a curve 'volt-var A'"):
        api.call("POST", CURVES, VOLT_VAR)
