"""The network as operators see it: places, moves, the tree, and what applies to a device."""

import pytest

from schemas import Codec, DERProgramList, EndDeviceList, FunctionSetAssignmentsList
from sep2_server.operator import ApiError, OperatorClient
from sep2_server.operator.commands import rows_of
from tests.integration.operator_api.conftest import LFDI, NOW, DeviceRequest

PATH = "GRID/ST1/SS3/FD7/SG2/TF5/SP9"


@pytest.fixture
def north(api: OperatorClient) -> OperatorClient:
    api.call("PUT", ("devices", "north"), {"lFDI": LFDI, "pIN": 111_115})
    return api


def put(api: OperatorClient, **place: object) -> dict[str, object]:
    return {**api.call("PUT", ("devices", "north", "place"), place)}


def primacies(device_request: DeviceRequest) -> list[int]:
    listed = Codec().decode(device_request("GET", "/derp?l=99").body, DERProgramList)
    return [program.primacy for program in listed.DERProgram_]


def test_a_place_has_the_levels_and_primacies_of_csip(
    north: OperatorClient, device_request: DeviceRequest
) -> None:
    told = put(north, path=PATH)
    assert (told["path"], told["joined"], told["left"]) == (PATH, told["created"], [])
    assert len(rows_of(north.get("groups"), "groups")) == 7
    assert primacies(device_request) == [4, 5, 6, 7, 8, 9, 10]
    assert north.get("devices", "north")["place"] == PATH
    assert put(north, path=PATH)["joined"] == []


def test_levels_may_be_left_out_and_primacies_chosen(
    north: OperatorClient, device_request: DeviceRequest
) -> None:
    put(north, SY="GRID", FD="FD7", SP="SP9", primacies={"FD": 1})
    assert primacies(device_request) == [1, 4, 10]
    [top] = rows_of(north.get("tree"), "nodes")
    [feeder] = rows_of(top, "nodes")
    assert [(n["level"], n["path"], n["devices"]) for n in (top, feeder)] == [
        ("SY", "GRID", 1),
        ("FD", "GRID/FD7", 1),
    ]


def test_a_node_that_is_there_keeps_its_primacy(north: OperatorClient, device_request: DeviceRequest) -> None:
    put(north, SY="GRID", FD="FD7", primacies={"FD": 1})
    assert put(north, SY="GRID", FD="FD7", primacies={"FD": 1})["joined"] == []
    with pytest.raises(ApiError, match="GRID/FD7 has primacy 1, not 2") as caught:
        put(north, SY="GRID", FD="FD7", SP="SP9", primacies={"FD": 2})
    assert (caught.value.status, caught.value.hint) == (409, "lineside op group primacy GRID/FD7 2")
    assert primacies(device_request) == [1, 10]


def test_a_device_that_moves_changes_its_assignments(
    north: OperatorClient, device_request: DeviceRequest
) -> None:
    put(north, path="GRID/ST1/SS3")
    north.call("PUT", ("devices", "north", "groups", "model X"), {"primacy": 2})
    edevs = Codec().decode(device_request("GET", "/edev").body, EndDeviceList)
    before = edevs.EndDevice_[0]
    told = put(north, path="GRID/ST1/SS4")
    assert (told["joined"], told["left"]) == (["GRID/ST1/SS4"], ["GRID/ST1/SS3"])
    fsas = Codec().decode(device_request("GET", f"{before.href}/fsa?l=9").body, FunctionSetAssignmentsList)
    names = {fsa.description for fsa in fsas.FunctionSetAssignments_}
    assert names == {"GRID", "GRID/ST1", "GRID/ST1/SS4", "model X"}
    [top] = rows_of(north.get("tree", under="GRID/ST1"), "nodes")[:1]
    assert [(n["name"], n["devices"]) for n in rows_of(north.get("tree", under="GRID/ST1"), "nodes")] == [
        ("SS3", 0),
        ("SS4", 1),
    ]
    assert top["nodes"] == []


def test_a_device_leaves_the_network(north: OperatorClient, device_request: DeviceRequest) -> None:
    put(north, path="GRID/ST1")
    told = north.call("DELETE", ("devices", "north", "place"))
    assert told["left"] == ["GRID", "GRID/ST1"]
    assert (primacies(device_request), north.get("devices", "north")["place"]) == ([], None)


def test_nodes_of_one_name_may_be_below_different_nodes(north: OperatorClient) -> None:
    put(north, path="GRID/A/X")
    put(north, path="GRID/B/X")
    [top] = rows_of(north.get("tree"), "nodes")
    assert [n["name"] for n in rows_of(top, "nodes")] == ["A", "B"]


def test_a_node_with_nodes_below_is_not_deleted(north: OperatorClient) -> None:
    put(north, path="GRID/ST1")
    with pytest.raises(ApiError, match="1 nodes are below GRID, ST1 among them"):
        north.call("DELETE", ("groups", "GRID"))
    north.call("DELETE", ("groups", "GRID/ST1"))
    north.call("DELETE", ("groups", "GRID"))
    assert north.get("tree")["nodes"] == []


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ({}, "path: give either path or names by level"),
        ({"path": "a", "SY": "b"}, "path: give either path or names by level"),
        ({"path": "a//b"}, "ST: '' is no name"),
        ({"path": "1/2/3/4/5/6/7/8"}, "path: there are seven levels"),
        ({"SY": "a/b"}, "SY: 'a/b' is no name"),
        ({"SY": "a", "primacies": {"XX": 1}}, "primacies.XX: 1"),
        ({"SY": "a", "primacies": {"SY": 256}}, "primacies.SY: 256"),
    ],
)
def test_what_is_no_place_is_refused(north: OperatorClient, place: dict[str, object], told: str) -> None:
    with pytest.raises(ApiError, match=told) as caught:
        put(north, **place)
    assert (caught.value.status, north.get("tree")["nodes"]) == (400, [])


def test_a_name_of_another_level_is_refused(north: OperatorClient) -> None:
    put(north, path="GRID/X")
    with pytest.raises(ApiError, match="GRID/X is of level ST, not FD"):
        put(north, SY="GRID", FD="X")


def test_a_group_beside_the_network_is_not_taken_for_a_node(north: OperatorClient) -> None:
    north.call("POST", ("groups",), {"name": "GRID", "primacy": 1})
    with pytest.raises(ApiError, match="a group beside the network is named GRID"):
        put(north, path="GRID")


def test_an_unknown_part_of_the_network_is_404(api: OperatorClient) -> None:
    with pytest.raises(ApiError, match="no node is at GRID/X"):
        api.get("tree", under="GRID/X")


def test_what_applies_now_is_told_mode_by_mode(north: OperatorClient) -> None:
    put(north, SY="GRID", SP="SP9")
    for group, value in (("GRID", "80 %"), ("GRID/SP9", "60 %")):
        base = {"opModMaxLimW": value, "opModEnergize": True}
        north.call("PATCH", ("groups", group, "default"), {"DERControlBase": base})
    body = {"DERControlBase": {"opModMaxLimW": "50%"}, "duration": 60}
    mrid = north.call("POST", ("groups", "GRID", "controls"), body)["mRID"]
    north.call("POST", ("groups", "GRID", "controls"), {**body, "start": NOW + 100})
    answer = north.get("devices", "north", "programs")
    assert [(p["group"], p["primacy"], p["openControls"]) for p in rows_of(answer, "programs")] == [
        ("GRID/SP9", 4, 0),
        ("GRID", 10, 2),
    ]
    assert rows_of(answer, "now") == [
        {
            "mode": "opModEnergize",
            "value": True,
            "by": "default",
            "mRID": None,
            "group": "GRID/SP9",
            "primacy": 4,
        },
        {
            "mode": "opModMaxLimW",
            "value": "50 %",
            "by": "control",
            "mRID": mrid,
            "group": "GRID",
            "primacy": 10,
        },
    ]
