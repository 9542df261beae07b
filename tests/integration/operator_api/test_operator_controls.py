"""DERControls through the operator API: publish, change, cancel, list, and what devices then read."""

from collections.abc import Callable

import pytest

from schemas import Codec, DERControl, DERControlList, DERControlResponse
from sep2_server import ManualClock
from sep2_server.messages import Answer
from sep2_server.operator import ApiError, OperatorClient
from sep2_server.operator.commands import rows_of

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
NOW = 1_700_000_000
SOME = 8
"""Enough that chance alone does not put them in order."""
HALF = {"DERControlBase": {"opModMaxLimW": "50 %"}, "duration": "5m"}
CONTROLS = ("groups", "feeder-7", "controls")
DeviceRequest = Callable[..., Answer]


@pytest.fixture(autouse=True)
def feeder(api: OperatorClient) -> None:
    """Group feeder-7 with the device north."""
    api.call("POST", ("devices",), {"name": "north", "lFDI": LFDI, "pIN": 111_115})
    api.call("POST", ("groups",), {"name": "feeder-7", "primacy": 7, "description": "feeder 7"})
    api.call("PUT", ("groups", "feeder-7", "devices", "north"))


def control_of(found: Answer) -> DERControl:
    return Codec().decode(found.body, DERControl)


def test_a_control_is_published_in_natural_units(api: OperatorClient, device_request: DeviceRequest) -> None:
    answer = api.call("POST", CONTROLS, {**HALF, "in": 10, "randomizeStart": 5, "description": "peak"})
    control = control_of(device_request("GET", str(answer["href"])))
    assert (control.interval.start, control.interval.duration) == (NOW + 10, 300)
    assert (control.DERControlBase_.opModMaxLimW, control.randomizeStart) == (5000, 5)
    assert (control.responseRequired, control.description, control.version) == ("03", "peak", 0)
    assert control.replyTo is not None
    assert (answer["status"], answer["modes"]) == ("scheduled", {"opModMaxLimW": "50 %"})


def test_an_mrid_is_capital_hex_and_ends_with_the_pen(api: OperatorClient) -> None:
    mrid = str(api.call("POST", CONTROLS, HALF)["mRID"])
    assert (len(mrid), mrid.upper(), mrid[24:]) == (32, mrid, f"{40732:08X}")


def test_a_control_is_published_in_wire_form(api: OperatorClient, device_request: DeviceRequest) -> None:
    modes = {"opModTargetW": {"value": 5000, "multiplier": 1}, "opModEnergize": True, "rampTms": 250}
    answer = api.call("POST", CONTROLS, {"DERControlBase": modes, "duration": 60, "start": NOW + 7})
    base = control_of(device_request("GET", str(answer["href"]))).DERControlBase_
    assert base.opModTargetW is not None
    assert (base.opModTargetW.value, base.opModTargetW.multiplier) == (5000, 1)
    assert (base.opModEnergize, base.rampTms) == (True, 250)


def test_a_control_that_starts_now_is_active_at_once(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    answer = api.call("POST", CONTROLS, HALF)
    status = control_of(device_request("GET", str(answer["href"]))).EventStatus_
    assert (answer["status"], status.currentStatus, status.dateTime) == ("active", 1, NOW)


def test_the_status_is_right_at_the_second(api: OperatorClient, clock: ManualClock) -> None:
    mrid = str(api.call("POST", CONTROLS, {**HALF, "in": 10})["mRID"])
    seen = [api.get("controls", mrid)["status"]]
    clock.advance(10)
    seen.append(api.get("controls", mrid)["status"])
    clock.advance(300)
    seen.append(api.get("controls", mrid)["status"])
    assert seen == ["scheduled", "active", "over"]


def test_a_control_without_responses_has_no_reply_to(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    answer = api.call("POST", CONTROLS, {**HALF, "responseRequired": "00"})
    assert control_of(device_request("GET", str(answer["href"]))).replyTo is None


def test_of_controls_of_one_second_the_last_one_supersedes_the_others(api: OperatorClient) -> None:
    for _ in range(SOME):
        assert api.call("POST", CONTROLS, HALF)["status"] == "active"
    states = sorted(str(row["status"]) for row in rows_of(api.get(*CONTROLS), "controls"))
    assert states == ["active"] + ["superseded"] * (SOME - 1)


def test_of_load_controls_of_one_second_the_last_one_supersedes_the_others(api: OperatorClient) -> None:
    body = {"deviceCategory": "00000001", "DutyCycle": {"normalValue": 50}, "duration": "5m"}
    loads = ("groups", "feeder-7", "loadcontrols")
    assert [api.call("POST", loads, body)["status"] for _ in range(SOME)] == ["active"] * SOME


def test_a_newer_control_supersedes_the_one_that_it_covers(api: OperatorClient, clock: ManualClock) -> None:
    older = api.call("POST", CONTROLS, HALF)["mRID"]
    clock.advance(1)
    newer = api.call("POST", CONTROLS, {**HALF, "duration": "10m"})["mRID"]
    states = {row["mRID"]: row["status"] for row in rows_of(api.get(*CONTROLS), "controls")}
    assert states == {older: "superseded", newer: "active"}


@pytest.mark.parametrize(
    ("change", "status", "detail"),
    [
        ({"duration": 0}, 400, "duration: 0 is outside 1 to 4294967295"),
        ({"duration": "0s"}, 400, "duration: 0 s is outside 1 to 4294967295 s"),
        ({"duration": 1.5}, 400, "duration: 1.5 has the wrong type"),
        ({"start": NOW - 300}, 409, "start: the event would be over since 0 s"),
        ({"start": "soon"}, 400, "start: 'soon' is no time"),
        ({"start": NOW, "in": 5}, 400, "start: both start and in are given"),
        ({"in": -5}, 400, "in: -5 is outside 0 to 4294967295"),
        ({"randomizeStart": 3601}, 400, "randomizeStart: 3601 is outside -3600 to 3600"),
        ({"randomizeDuration": -300}, 400, "randomizeDuration: -300 s would leave nothing of 300 s"),
        ({"responseRequired": "FF"}, 400, "responseRequired: FF has unknown bits"),
        ({"deviceCategory": "1"}, 400, "deviceCategory: '1' is not such"),
        ({"description": "x" * 33}, 400, "description: 33 octets of text"),
        ({"color": "red"}, 400, "color: there is no such field here"),
        ({"DERControlBase": 5}, 400, "DERControlBase: 5 has the wrong type"),
        ({"DERControlBase": {}}, 400, "DERControlBase: no control mode is given"),
        (
            {"DERControlBase": {"opModMaxLimW": "150 %"}},
            400,
            "DERControlBase.opModMaxLimW: 15000 outside 0 to 10000",
        ),
        (
            {"DERControlBase": {"opModMaxLimX": 5}},
            400,
            "DERControlBase.opModMaxLimX: DERControlBase has no such field",
        ),
        (
            {"DERControlBase": {"opModVoltVar": {"href": "/derp/0/dc/0"}}},
            400,
            "DERControlBase.opModVoltVar: no curve is at /derp/0/dc/0",
        ),
        (
            {"DERControlBase": {"opModVoltVar": "no such curve"}},
            400,
            "DERControlBase.opModVoltVar: 'no such curve' cannot be read",
        ),
    ],
)
def test_a_bad_control_is_refused_by_its_field(
    api: OperatorClient, change: dict[str, object], status: int, detail: str
) -> None:
    with pytest.raises(ApiError) as caught:
        api.call("POST", CONTROLS, HALF | change)
    assert (caught.value.status, caught.value.detail) == (status, detail)
    assert caught.value.hint
    assert api.get("controls") == {"controls": [], "next": None}


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x0b", "\x1f", "\ud800", "\uffff"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CONTROLS, {**HALF, "description": "{}"}),
        (("groups",), {"name": "{}", "primacy": 1}),
        (("controls", "AB", "cancel"), {"reason": "{}"}),
    ],
    ids=["description", "name", "reason"],
)
def test_a_text_that_xml_cannot_carry_is_refused(
    api: OperatorClient, path: tuple[str, ...], body: dict[str, object], character: str
) -> None:
    told = {name: f"a{character}b" if value == "{}" else value for name, value in body.items()}
    with pytest.raises(ApiError, match=rf"body: the character U\+{ord(character):04X}") as caught:
        api.call("POST", path, told)
    assert caught.value.status == 400


def test_every_text_that_xml_can_carry_is_taken(api: OperatorClient, device_request: DeviceRequest) -> None:
    text = "a\tb\u00e9\u2028\ufffd\U0001f600"
    href = str(api.call("POST", CONTROLS, {**HALF, "description": text})["href"])
    assert control_of(device_request("GET", href)).description == text


def test_a_group_that_is_not_there_is_named(api: OperatorClient) -> None:
    with pytest.raises(ApiError, match="no group is named 'feeder-8'") as caught:
        api.call("POST", ("groups", "feeder-8", "controls"), HALF)
    assert caught.value.status == 404


def test_a_group_of_several_programs_needs_to_be_told_which(api: OperatorClient) -> None:
    mrid = api.call("POST", ("groups", "feeder-7", "programs"), {"primacy": 6, "description": "b"})["mRID"]
    with pytest.raises(ApiError, match="program: group feeder-7 has several"):
        api.call("POST", CONTROLS, HALF)
    by_name = api.call("POST", CONTROLS, HALF, query={"program": "b"})
    by_mrid = api.call("POST", CONTROLS, HALF, query={"program": str(mrid)})
    assert (by_name["program"], by_mrid["program"]) == (mrid, mrid)
    with pytest.raises(ApiError, match="group feeder-7 has no program c"):
        api.call("POST", CONTROLS, HALF, query={"program": "c"})


def test_a_cancelled_control_says_so_to_devices(api: OperatorClient, device_request: DeviceRequest) -> None:
    answer = api.call("POST", CONTROLS, {**HALF, "in": 10})
    cancelled = api.call("POST", ("controls", str(answer["mRID"]), "cancel"), {"reason": "storm is over"})
    status = control_of(device_request("GET", str(answer["href"]))).EventStatus_
    assert (cancelled["status"], status.currentStatus, status.reason) == ("cancelled", 2, "storm is over")
    assert status.dateTime == NOW


def test_a_randomized_control_is_cancelled_with_randomization(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    answer = api.call("POST", CONTROLS, {**HALF, "randomizeDuration": 60})
    api.call("POST", ("controls", str(answer["mRID"]), "cancel"), {"randomized": True})
    assert control_of(device_request("GET", str(answer["href"]))).EventStatus_.currentStatus == 3


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"randomized": True}, "has no random part"),
        ({"randomised": True}, "randomised: there is no such field"),
    ],
)
def test_a_cancellation_that_cannot_be_is_refused(
    api: OperatorClient, body: dict[str, object], detail: str
) -> None:
    mrid = str(api.call("POST", CONTROLS, HALF)["mRID"])
    with pytest.raises(ApiError, match=detail):
        api.call("POST", ("controls", mrid, "cancel"), body)


def test_a_cancelled_control_is_no_rival_any_more(
    api: OperatorClient, clock: ManualClock, device_request: DeviceRequest
) -> None:
    modes = {"opModMaxLimW": "50 %", "opModEnergize": True}
    old = str(api.call("POST", CONTROLS, {"DERControlBase": modes, "duration": "5m"})["href"])
    clock.advance(1)
    new = str(api.call("POST", CONTROLS, {**HALF, "in": 60})["mRID"])
    before = control_of(device_request("GET", old)).EventStatus_
    api.call("POST", ("controls", new, "cancel"))
    after = control_of(device_request("GET", old)).EventStatus_
    assert (before.potentiallySuperseded, after.potentiallySuperseded) == (True, False)
    assert (before.potentiallySupersededTime, after.potentiallySupersededTime) == (NOW + 1, None)


def test_a_control_is_cancelled_once(api: OperatorClient) -> None:
    mrid = str(api.call("POST", CONTROLS, HALF)["mRID"])
    api.call("POST", ("controls", mrid, "cancel"))
    with pytest.raises(ApiError, match="the event is cancelled already") as caught:
        api.call("POST", ("controls", mrid, "cancel"))
    assert caught.value.status == 409


def test_a_changed_control_takes_the_place_of_the_old_one(api: OperatorClient, clock: ManualClock) -> None:
    old = api.call("POST", CONTROLS, {**HALF, "in": 60})
    clock.advance(1)
    new = api.call("PATCH", ("controls", str(old["mRID"])), {"DERControlBase": {"opModMaxLimW": 2500}})
    assert (new["replaces"], new["start"], new["modes"]) == (old["mRID"], NOW + 60, {"opModMaxLimW": "25 %"})
    clock.advance(60)
    states = {row["mRID"]: row["status"] for row in rows_of(api.get(*CONTROLS), "controls")}
    assert states == {old["mRID"]: "superseded", new["mRID"]: "active"}


def test_a_control_that_would_not_differ_stays_as_it_is(api: OperatorClient, clock: ManualClock) -> None:
    """Devices would end it and begin it anew, and tell so in Responses."""
    told = api.call("POST", CONTROLS, HALF)
    clock.advance(10)
    path = ("controls", str(told["mRID"]))
    with pytest.raises(ApiError, match="body: nothing to set"):
        api.call("PATCH", path, {})
    for same in ({"duration": 300}, {"DERControlBase": HALF["DERControlBase"]}, {"start": told["start"]}):
        answer = api.call("PATCH", path, same)
        assert (answer["mRID"], answer["status"], "replaces" in answer) == (told["mRID"], "active", False)
    assert len(rows_of(api.get("controls"), "controls")) == 1
    assert api.call("PATCH", path, {"duration": 301})["replaces"] == told["mRID"]


def test_a_changed_control_does_not_come_back_when_its_successor_is_cancelled(
    api: OperatorClient, clock: ManualClock
) -> None:
    mrids = [str(api.call("POST", CONTROLS, {**HALF, "in": 60})["mRID"])]
    for percent in ("25 %", "10 %"):
        clock.advance(1)
        body = {"DERControlBase": {"opModMaxLimW": percent}}
        mrids.append(str(api.call("PATCH", ("controls", mrids[-1]), body)["mRID"]))
    api.call("POST", ("controls", mrids[-1], "cancel"))
    clock.advance(60)
    assert [api.get("controls", mrid)["status"] for mrid in mrids] == ["cancelled"] * 3


@pytest.mark.parametrize("changes", [1, 2])
def test_a_changed_control_does_not_run_again_when_its_successor_is_removed_by_force(
    api: OperatorClient, clock: ManualClock, changes: int
) -> None:
    told = [api.call("POST", CONTROLS, {**HALF, "in": 60})]
    for number in range(changes):
        clock.advance(1)
        told.append(api.call("PATCH", ("controls", str(told[-1]["mRID"])), {"duration": 600 + number}))
    api.call("DELETE", ("resources",), query={"href": str(told[-1]["href"]), "force": "true"})
    clock.advance(100)
    assert [api.get("controls", str(one["mRID"]))["status"] for one in told[:-1]] == ["cancelled"] * changes


def test_a_superseded_control_stays_superseded_when_its_successor_is_removed_by_force(
    api: OperatorClient, clock: ManualClock
) -> None:
    old = api.call("POST", CONTROLS, {**HALF, "in": 10})
    clock.advance(1)
    new = api.call("PATCH", ("controls", str(old["mRID"])), {"duration": "10m"})
    clock.advance(20)
    api.call("DELETE", ("resources",), query={"href": str(new["href"]), "force": "true"})
    clock.advance(1)
    assert api.get("controls", str(old["mRID"]))["status"] == "superseded"


def test_a_control_that_was_not_changed_runs_when_a_newer_one_is_removed_before_it_begins(
    api: OperatorClient, clock: ManualClock
) -> None:
    old = api.call("POST", CONTROLS, {**HALF, "in": 10})
    clock.advance(1)
    new = api.call("POST", CONTROLS, {**HALF, "in": 9})
    api.call("DELETE", ("resources",), query={"href": str(new["href"]), "force": "true"})
    clock.advance(20)
    assert api.get("controls", str(old["mRID"]))["status"] == "active"


def test_a_control_beside_a_changed_one_stays_when_that_is_cancelled(
    api: OperatorClient, clock: ManualClock
) -> None:
    beside = str(api.call("POST", CONTROLS, {**HALF, "in": 60})["mRID"])
    clock.advance(1)
    old = str(api.call("POST", CONTROLS, {**HALF, "in": 120})["mRID"])
    clock.advance(1)
    body = {"DERControlBase": {"opModMaxLimW": 2500}}
    new = str(api.call("PATCH", ("controls", old), body)["mRID"])
    api.call("POST", ("controls", new, "cancel"))
    assert [api.get("controls", mrid)["status"] for mrid in (beside, old, new)] == [
        "scheduled",
        "cancelled",
        "cancelled",
    ]


def test_a_control_is_changed_once_and_then_its_successor(api: OperatorClient, clock: ManualClock) -> None:
    old = str(api.call("POST", CONTROLS, {**HALF, "in": 60})["mRID"])
    clock.advance(1)
    body = {"DERControlBase": {"opModMaxLimW": 2500}}
    new = str(api.call("PATCH", ("controls", old), body)["mRID"])
    with pytest.raises(ApiError, match=f"changed already: {new}") as caught:
        api.call("PATCH", ("controls", old), body)
    assert caught.value.status == 409
    assert api.get("controls", new)["status"] == "scheduled"


def test_changed_controls_are_cancelled_together_with_all_others(
    api: OperatorClient, clock: ManualClock
) -> None:
    old = str(api.call("POST", CONTROLS, {**HALF, "in": 60})["mRID"])
    clock.advance(1)
    new = str(api.call("PATCH", ("controls", old), {"DERControlBase": {"opModMaxLimW": 2500}})["mRID"])
    told = api.call("POST", ("controls", "cancel"), {"all": True})
    assert (told["cancelled"], set(told["mRIDs"])) == (2, {old, new})  # type: ignore[arg-type]
    assert [api.get("controls", mrid)["status"] for mrid in (old, new)] == ["cancelled", "cancelled"]


def test_a_change_that_leaves_a_gap_cancels_the_old_control(api: OperatorClient, clock: ManualClock) -> None:
    old = api.call("POST", CONTROLS, {**HALF, "in": 60})
    clock.advance(1)
    new = api.call("PATCH", ("controls", str(old["mRID"])), {"in": "10m", "duration": "1h"})
    states = {row["mRID"]: row["status"] for row in rows_of(api.get(*CONTROLS), "controls")}
    assert states == {old["mRID"]: "cancelled", new["mRID"]: "scheduled"}
    assert (new["start"], new["duration"]) == (NOW + 601, 3600)


def test_the_plain_fields_of_a_control_are_changed(
    api: OperatorClient, clock: ManualClock, device_request: DeviceRequest
) -> None:
    old = api.call("POST", CONTROLS, {**HALF, "in": 60})
    clock.advance(1)
    body = {"description": "new", "randomizeStart": 9, "responseRequired": "07", "deviceCategory": "00200000"}
    new = api.call("PATCH", ("controls", str(old["mRID"])), body)
    control = control_of(device_request("GET", str(new["href"])))
    assert (control.description, control.randomizeStart) == ("new", 9)
    assert (control.responseRequired, control.deviceCategory) == ("07", "00200000")


def test_a_control_that_is_over_is_not_changed(api: OperatorClient, clock: ManualClock) -> None:
    mrid = str(api.call("POST", CONTROLS, HALF)["mRID"])
    clock.advance(300)
    with pytest.raises(ApiError, match=r"would be over|is over") as caught:
        api.call("PATCH", ("controls", mrid), {"description": "late"})
    assert caught.value.status == 409


def test_controls_are_listed_by_state(api: OperatorClient) -> None:
    api.call("POST", CONTROLS, HALF)
    later = api.call("POST", CONTROLS, {**HALF, "in": "1h"})
    scheduled = rows_of(api.get("controls", state="scheduled"), "controls")
    assert [(row["group"], row["mRID"]) for row in scheduled] == [("feeder-7", later["mRID"])]
    with pytest.raises(ApiError, match="state: 'done' in the query"):
        api.get("controls", state="done")


def test_an_unknown_control_is_named(api: OperatorClient) -> None:
    with pytest.raises(ApiError, match="no DERControl has the mRID 'AB'"):
        api.get("controls", "AB")
    with pytest.raises(ApiError, match="no DERControl has the mRID 'nothing'"):
        api.get("controls", "nothing")


def test_devices_see_the_active_controls(api: OperatorClient, device_request: DeviceRequest) -> None:
    answer = api.call("POST", CONTROLS, HALF)
    api.call("POST", CONTROLS, {**HALF, "in": "1h"})
    listed = str(answer["href"]).rpartition("/derc")[0] + "/actderc?l=10"
    found = Codec().decode(device_request("GET", listed).body, DERControlList)
    assert [control.mRID for control in found.DERControl_] == [answer["mRID"]]


def test_responses_are_read_control_by_device(api: OperatorClient, device_request: DeviceRequest) -> None:
    answer = api.call("POST", CONTROLS, HALF)
    control = control_of(device_request("GET", str(answer["href"])))
    for status in (1, 2):
        response = DERControlResponse(
            createdDateTime=NOW, endDeviceLFDI=LFDI, status=status, subject=control.mRID
        )
        assert device_request("POST", str(control.replyTo), response).status == 201
    told = rows_of(api.get("controls", control.mRID, "responses", device="north"), "responses")
    assert [(row["device"], row["status"], row["meaning"]) for row in told] == [
        ("north", 1, "received"),
        ("north", 2, "started"),
    ]
    assert api.get("controls", control.mRID)["responses"] == {"1": 1, "2": 1}
    assert rows_of(api.get("controls", responses="true"), "controls")[0]["responses"] == {"1": 1, "2": 1}
    assert "responses" not in rows_of(api.get("controls"), "controls")[0]


def test_a_cancelled_control_is_not_changed(api: OperatorClient) -> None:
    mrid = str(api.call("POST", CONTROLS, HALF)["mRID"])
    api.call("POST", ("controls", mrid, "cancel"))
    with pytest.raises(ApiError, match="the event is cancelled already") as caught:
        api.call("PATCH", ("controls", mrid), {"description": "late"})
    assert (caught.value.status, caught.value.hint) == (409, "publish a new event instead")


def test_a_control_far_in_the_future_is_published(api: OperatorClient) -> None:
    answer = api.call("POST", CONTROLS, {**HALF, "start": 2**62})
    assert (answer["start"], answer["status"]) == (2**62, "scheduled")
