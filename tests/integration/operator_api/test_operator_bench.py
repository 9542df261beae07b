"""Everything that a test bench asks of an operator is one call, and holds from the next answer on."""

from dataclasses import replace
from typing import Any

import pytest

from certs import Credentials
from schemas import (
    Codec,
    DERControlList,
    DERControlResponse,
    DERList,
    DERProgramList,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignmentsList,
    MirrorUsagePointList,
    Registration,
    ResponseList,
    Time,
)
from sep2_server import ManualClock, settings_of
from sep2_server.operator import ApiError, OperatorClient, Site
from sep2_server.operator.commands import rows_of
from tests.integration.operator_api.conftest import LFDI, NOW, DeviceRequest, LiveServer
from tests.integration.operator_api.test_operator_document import report

OTHER = "AB" * 20
LIMIT = {"opModMaxLimW": "50%"}
GAP: dict[str, Any] = {"start": "after-last", "in": 10}
NORTH = {"lFDI": LFDI, "pIN": 111_115}


@pytest.fixture
def site(site: Site) -> Site:
    settings = {**vars_of(site), "test_bench": True}
    return replace(site, server=settings_of(settings))


def vars_of(site: Site) -> dict[str, object]:
    held = site.server
    names = ("port", "database", "certificate", "key", "roots", "pen")
    return {name: str(getattr(held, name)) for name in names}


def ensure(api: OperatorClient, **changes: object) -> dict[str, object]:
    return {**api.call("PUT", ("devices", "north"), {**NORTH, **changes})}


def read(device_request: DeviceRequest, path: str, cls: type, *, lfdi: str = LFDI) -> object:
    answer = device_request("GET", path, lfdi=lfdi)
    assert answer.status == 200, path
    return Codec().decode(answer.body, cls)


def entry(device_request: DeviceRequest, *, lfdi: str = LFDI) -> EndDevice:
    listed = read(device_request, "/edev?l=9", EndDeviceList, lfdi=lfdi)
    assert isinstance(listed, EndDeviceList)
    return listed.EndDevice_[0]


def test_a_device_is_ensured_once_and_then_unchanged(api: OperatorClient) -> None:
    first, second = ensure(api), ensure(api)
    assert (first["created"], first["changed"]) == (True, [])
    assert (second["created"], second["changed"]) == (False, [])


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"pIN": 123_455}, "pIN"),
        ({"pIN": 33_221}, "pIN"),
        ({"DER": 3}, "DER"),
        ({"DER": 0}, "DER"),
        ({"deviceCategory": "00000080"}, "deviceCategory"),
        ({"postRate": 17}, "postRate"),
        ({"enabled": False}, "enabled"),
        ({"role": "aggregator"}, "role"),
        ({"name": "south"}, "name"),
    ],
)
def test_only_what_differs_is_changed(api: OperatorClient, changes: dict[str, object], named: str) -> None:
    ensure(api)
    assert ensure(api, **changes)["changed"] == [named]
    assert api.get("devices")["next"] is None


def test_the_device_finds_what_was_ensured(api: OperatorClient, device_request: DeviceRequest) -> None:
    api.call("PUT", ("devices", "north", "groups", "g"), {"primacy": 1}) if ensure(api) else None
    ensure(api, pIN=123_455, DER=2, deviceCategory="00000080", postRate=17)
    edev = entry(device_request)
    registration = read(device_request, f"{edev.href}/rg", Registration)
    ders = read(device_request, f"{edev.href}/der?l=9", DERList)
    assert isinstance(registration, Registration)
    assert isinstance(ders, DERList)
    assert (edev.deviceCategory, edev.postRate, registration.pIN) == ("00000080", 17, 123_455)
    programs = [read(device_request, f"{der.href}/derp", DERProgramList) for der in ders.DER_]
    assert [p.all for p in programs if isinstance(p, DERProgramList)] == [1, 1]


def test_a_registration_may_be_taken_away_and_given_back(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    edev = ensure(api)["href"]
    api.call("PATCH", ("devices", "north"), {"registration": False})
    assert entry(device_request).RegistrationLink_ is None
    assert device_request("GET", f"{edev}/rg").status == 404
    api.call("PATCH", ("devices", "north"), {"registration": True, "pIN": 111_115})
    assert device_request("GET", f"{edev}/rg").status == 200


def test_a_device_may_change_its_aggregator(api: OperatorClient, device_request: DeviceRequest) -> None:
    api.call("POST", ("devices",), {"name": "agg", "lFDI": OTHER, "role": "aggregator"})
    ensure(api)
    report(device_request)
    ensure(api, aggregator="agg")
    mirrors = read(device_request, "/mup?l=9", MirrorUsagePointList, lfdi=OTHER)
    listed = read(device_request, "/edev?l=9", EndDeviceList, lfdi=OTHER)
    assert isinstance(mirrors, MirrorUsagePointList)
    assert isinstance(listed, EndDeviceList)
    assert (mirrors.all, listed.all) == (1, 2)
    assert ensure(api, aggregator="")["aggregator"] is None
    listed = read(device_request, "/edev?l=9", EndDeviceList, lfdi=OTHER)
    assert isinstance(listed, EndDeviceList)
    assert listed.all == 1


def test_a_disabled_device_keeps_its_entry_alone(api: OperatorClient, device_request: DeviceRequest) -> None:
    edev = ensure(api)["href"]
    api.call("PUT", ("devices", "north", "groups", "g"), {"primacy": 1})
    assert device_request("GET", f"{edev}/fsa").status == 200
    api.call("PATCH", ("devices", "north"), {"enabled": False})
    assert entry(device_request).enabled is False
    statuses = [
        device_request("GET", path).status for path in ("/dcap", "/tm", f"{edev}/fsa", "/mup", "/derp")
    ]
    assert statuses == [200, 200, 404, 404, 404]
    assert device_request("PUT", str(edev), entry(device_request)).status == 403
    api.call("PATCH", ("devices", "north"), {"enabled": True})
    assert device_request("GET", f"{edev}/fsa").status == 200


def test_an_aggregator_sees_of_a_disabled_device_the_entry_alone(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    api.call("POST", ("devices",), {"name": "agg", "lFDI": OTHER, "role": "aggregator"})
    edev = ensure(api, aggregator="agg")["href"]
    assert device_request("GET", f"{edev}/der", lfdi=OTHER).status == 200
    api.call("PATCH", ("devices", "north"), {"enabled": False})
    statuses = [device_request("GET", path, lfdi=OTHER).status for path in (edev, f"{edev}/der")]
    assert statuses == [200, 404]


def test_a_device_is_gone_with_all_under_it(api: OperatorClient, device_request: DeviceRequest) -> None:
    edev = ensure(api)["href"]
    report(device_request)
    assert api.call("DELETE", ("devices", "north"))["removed"] == ["north"]
    assert device_request("GET", str(edev)).status == 403
    assert api.call("DELETE", ("devices", "north"), query={"if_exists": "true"})["removed"] == []
    ensure(api)
    mirrors = read(device_request, "/mup", MirrorUsagePointList)
    assert isinstance(mirrors, MirrorUsagePointList)
    assert mirrors.all == 0


def test_an_aggregator_is_gone_with_its_devices(api: OperatorClient) -> None:
    api.call("POST", ("devices",), {"name": "agg", "lFDI": OTHER, "role": "aggregator"})
    ensure(api, aggregator="agg")
    with pytest.raises(ApiError, match="agg speaks for 1 devices"):
        api.call("DELETE", ("devices", "agg"))
    assert api.call("DELETE", ("devices", "agg"), query={"managed": "true"})["removed"] == ["north", "agg"]
    assert api.get("devices")["devices"] == []


def test_a_program_moves_with_its_primacy(api: OperatorClient, device_request: DeviceRequest) -> None:
    ensure(api)
    for name, primacy in (("a", 1), ("b", 2)):
        api.call("PUT", ("devices", "north", "groups", name), {"primacy": primacy, "description": name})
    again = api.call("PUT", ("devices", "north", "groups", "a"), {"primacy": 9})
    assert (again["created"], again["added"]) == (False, False)
    listed = read(device_request, "/derp?l=9", DERProgramList)
    assert isinstance(listed, DERProgramList)
    assert [(p.description, p.primacy) for p in listed.DERProgram_] == [("b", 2), ("a", 9)]


def test_the_sixteenth_group_is_refused(api: OperatorClient, device_request: DeviceRequest) -> None:
    edev = ensure(api)["href"]
    for number in range(15):
        api.call("PUT", ("devices", "north", "groups", f"g{number:02}"), {"primacy": number})
    with pytest.raises(ApiError, match="north is in 15 groups") as caught:
        api.call("PUT", ("devices", "north", "groups", "g15"), {"primacy": 1})
    assert caught.value.hint.startswith("take it out of one first: g00, g01")
    listed = read(device_request, f"{edev}/fsa", FunctionSetAssignmentsList)
    assert isinstance(listed, FunctionSetAssignmentsList)
    assert (listed.all, len(rows_of(api.get("groups"), "groups"))) == (15, 15)


def publish(api: OperatorClient, to: str = "g", **body: object) -> dict[str, object]:
    given = {"DERControlBase": LIMIT, "duration": 60, **body}
    return {**api.call("POST", ("groups", to, "controls"), given)}


def test_a_control_follows_the_last_one(api: OperatorClient) -> None:
    api.call("POST", ("groups",), {"name": "g", "primacy": 1})
    publish(api, duration=300)
    publish(api, start=NOW + 400)
    assert publish(api, start="after-last")["start"] == NOW + 460
    assert publish(api, **GAP)["start"] == NOW + 530


def test_the_first_control_of_a_program_starts_now(api: OperatorClient) -> None:
    api.call("POST", ("groups",), {"name": "g", "primacy": 1})
    assert publish(api, start="after-last")["start"] == NOW


@pytest.mark.parametrize(
    ("which", "count"),
    [
        ({"all": True}, 5),
        ({"group": "g"}, 2),
        ({"device": "north"}, 4),
        ({"group": "g", "program": "g"}, 2),
    ],
)
def test_many_controls_are_cancelled_with_one_call(
    api: OperatorClient, which: dict[str, object], count: int
) -> None:
    ensure(api)
    for group in ("g", "h"):
        api.call("PUT", ("devices", "north", "groups", group), {"primacy": 1, "description": group})
        publish(api, group)
        publish(api, group, start="after-last")
    api.call("POST", ("groups",), {"name": "other", "primacy": 1})
    publish(api, "other")
    answer = api.call("POST", ("controls", "cancel"), {**which, "reason": "test"})
    again = api.call("POST", ("controls", "cancel"), which)
    assert (answer["cancelled"], again["cancelled"]) == (count, 0)


@pytest.mark.parametrize(
    "which", [{}, {"all": True, "group": "g"}, {"program": "x", "all": True}, {"program": "x"}]
)
def test_which_controls_to_cancel_must_be_said(api: OperatorClient, which: dict[str, object]) -> None:
    with pytest.raises(ApiError) as caught:
        api.call("POST", ("controls", "cancel"), which)
    assert caught.value.status == 400


def test_a_cancelled_control_is_so_for_the_device(api: OperatorClient, device_request: DeviceRequest) -> None:
    ensure(api)
    api.call("PUT", ("devices", "north", "groups", "g"), {"primacy": 1})
    path = str(publish(api)["href"]).rpartition("/")[0]
    api.call("POST", ("controls", "cancel"), {"all": True})
    listed = read(device_request, path, DERControlList)
    assert isinstance(listed, DERControlList)
    assert [c.EventStatus_.currentStatus for c in listed.DERControl_] == [2]


def test_a_default_is_cleared_whole_or_by_mode(api: OperatorClient, device_request: DeviceRequest) -> None:
    ensure(api)
    api.call("PUT", ("devices", "north", "groups", "g"), {"primacy": 1})
    path = ("groups", "g", "default")
    api.call("PATCH", path, {"DERControlBase": LIMIT, "setGradW": 27})
    api.call("PATCH", path, {"DERControlBase": {"opModMaxLimW": None}})
    assert api.get(*path)["natural"] == {"setGradW": "0.27 %/s"}
    [program] = rows_of(api.get("programs"), "programs")
    link = b"<DefaultDERControlLink "
    assert device_request("GET", f"{program['href']}/dderc").status == 200
    assert link in device_request("GET", str(program["href"])).body
    assert api.call("DELETE", path)["DefaultDERControl"] is None
    assert device_request("GET", f"{program['href']}/dderc").status == 404
    assert link not in device_request("GET", str(program["href"])).body
    assert api.call("DELETE", path)["mRID"] is None


def test_rates_hold_from_the_next_answer_on(api: OperatorClient, device_request: DeviceRequest) -> None:
    edev = ensure(api)["href"]
    report(device_request)
    fsa = api.call("PUT", ("devices", "north", "groups", "g"), {"primacy": 1})
    assert fsa["added"]
    before = device_request("GET", "/mup/?").status, read(device_request, "/edev?l=1", EndDeviceList)
    rates = {"EndDeviceList": 30, "DERProgramList": 31, "MirrorUsagePointList": 32, "DERList": 33}
    posts = {"EndDevice": 41, "MirrorUsagePoint": 42}
    answer = api.call("PUT", ("rates",), {"pollRate": rates, "postRate": posts})
    assert answer["postRate"] == posts
    assert before[1] != read(device_request, "/edev?l=1", EndDeviceList)
    mirrors = read(device_request, "/mup?l=9", MirrorUsagePointList)
    assert isinstance(mirrors, MirrorUsagePointList)
    assert (mirrors.pollRate, [m.postRate for m in mirrors.MirrorUsagePoint_]) == (32, [42])
    assert entry(device_request).postRate == 41
    assert [b'pollRate="33"' in device_request("GET", f"{edev}/der").body] == [True]
    group_list = api.get("rates")["pollRate"]
    assert isinstance(group_list, dict)
    assert group_list["GroupDERProgramList"] == 31


def test_an_end_device_has_changed_when_its_rate_has(
    api: OperatorClient, device_request: DeviceRequest, clock: ManualClock
) -> None:
    ensure(api)
    clock.advance(5)
    api.call("PUT", ("rates",), {"postRate": {"EndDevice": 41}})
    clock.advance(5)
    api.call("PUT", ("rates",), {"postRate": {"EndDevice": 41}})
    assert (entry(device_request).postRate, entry(device_request).changedTime) == (41, NOW + 5)


def test_the_mirrors_of_one_device_have_a_rate_of_their_own(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    ensure(api)
    report(device_request)
    answer = api.call("PUT", ("devices", "north", "rates"), {"MirrorUsagePoint": 17})
    assert (answer["mirrors"], answer["postRate"]) == (1, 300)
    mirrors = read(device_request, "/mup?l=9", MirrorUsagePointList)
    assert isinstance(mirrors, MirrorUsagePointList)
    assert [m.postRate for m in mirrors.MirrorUsagePoint_] == [17]


def test_a_blocked_certificate_gets_403_whatever_it_asks(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    ensure(api)
    assert device_request("GET", "/dcap").status == 200
    api.call("POST", ("blocked",), {"lFDI": LFDI, "reason": "stolen"})
    requests = (("GET", "/dcap"), ("HEAD", "/tm"), ("POST", "/mup"), ("DELETE", "/nothing"), ("FOO", "/dcap"))
    assert {device_request(*request).status for request in requests} == {403}
    assert rows_of(api.get("blocked"), "blocked")[0]["device"] == "north"
    assert api.call("DELETE", ("blocked", LFDI))["removed"]
    assert device_request("GET", "/dcap").status == 200
    assert not api.call("DELETE", ("blocked", LFDI))["removed"]


def test_a_certificate_may_be_blocked_that_is_not_enrolled(
    api: OperatorClient, device_credentials: Credentials, device_request: DeviceRequest
) -> None:
    api.call("PUT", ("settings",), {"inBandRegistration": True})
    lfdi = str(device_credentials.lfdi)
    assert device_request("GET", "/dcap", lfdi=lfdi).status == 200
    told = api.call("POST", ("blocked",), {"certificate": device_credentials.certificate_path.read_text()})
    assert (told["lFDI"], told["device"]) == (lfdi, None)
    assert device_request("GET", "/dcap", lfdi=lfdi).status == 403


def test_all_readings_of_a_client_are_forgotten(api: OperatorClient, device_request: DeviceRequest) -> None:
    edev = ensure(api)["href"]
    report(device_request)
    api.call("POST", ("devices", "north", "forget"), {"readings": True})
    mirrors = read(device_request, "/mup", MirrorUsagePointList)
    assert isinstance(mirrors, MirrorUsagePointList)
    assert (mirrors.all, api.get("devices", "north", "readings")["readings"]) == (0, [])
    assert len(rows_of(api.get("devices", "north", "logevents"), "LogEvent")) == 1
    api.call("POST", ("devices", "north", "forget"), {"logEvents": True})
    assert api.get("devices", "north", "logevents")["LogEvent"] == []
    report(device_request)
    assert device_request("GET", f"{edev}").status == 200


@pytest.mark.parametrize(("managed", "left"), [(False, 1), (True, 0)])
def test_what_devices_of_an_aggregator_sent_is_forgotten_with_it(
    api: OperatorClient, device_request: DeviceRequest, *, managed: bool, left: int
) -> None:
    api.call("PUT", ("devices", "boss"), {"lFDI": OTHER, "pIN": 111_115, "role": "aggregator"})
    ensure(api, aggregator="boss")
    report(device_request)
    told = api.call("POST", ("devices", "boss", "forget"), {"readings": True, "managed": managed})
    assert told["devices"] == 1 + managed
    assert len(rows_of(api.get("devices", "north", "readings"), "readings")) == left


def test_what_a_client_has_answered_is_forgotten(api: OperatorClient, device_request: DeviceRequest) -> None:
    ensure(api)
    api.call("PUT", ("devices", "north", "groups", "g"), {"primacy": 1})
    asked = {"DERControlBase": LIMIT, "duration": 60}
    control = api.call("POST", ("groups", "g", "controls"), asked)["DERControl"]
    assert isinstance(control, dict)
    said = DERControlResponse(endDeviceLFDI=LFDI, status=1, subject=str(control["mRID"]))
    assert device_request("POST", str(control["replyTo"]), said).status == 201
    place = ("controls", str(control["mRID"]), "responses")
    before = len(rows_of(api.get(*place), "responses"))
    api.call("POST", ("devices", "north", "forget"), {"responses": True})
    assert (before, api.get(*place)["responses"]) == (1, [])
    page = read(device_request, str(control["replyTo"]), ResponseList)
    assert isinstance(page, ResponseList)
    assert page.all == 0


def test_there_must_be_something_to_forget(api: OperatorClient) -> None:
    ensure(api)
    with pytest.raises(ApiError, match="nothing to forget"):
        api.call("POST", ("devices", "north", "forget"), {"managed": True})


def test_in_band_registration_is_switched_at_run_time(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    assert device_request("GET", "/dcap").status == 403
    api.call("PUT", ("settings",), {"inBandRegistration": True})
    assert device_request("GET", "/dcap").status == 200
    new = EndDevice(sFDI=167_261_211_391, lFDI=LFDI, changedTime=0)
    assert device_request("POST", "/edev", new).status == 201
    api.call("DELETE", ("settings",))
    assert device_request("DELETE", entry(device_request).href or "").status == 403


def test_a_test_bench_sets_time_and_its_quality(
    api: OperatorClient, live: LiveServer, device_request: DeviceRequest
) -> None:
    ensure(api)
    api.call("PUT", ("settings",), {"timeOffset": 5000, "timeQuality": 7})
    assert api.get("status")["time"] == NOW + 5000
    assert live.server.clock.now() == NOW + 5000
    time = read(device_request, "/tm", Time)
    assert isinstance(time, Time)
    assert time.quality == 7
    api.call("DELETE", ("settings",))
    assert api.get("status")["time"] == NOW


@pytest.mark.parametrize("offset_s", [-(2**40), -(2**35) - 1, 2**35 + 1, 2**40])
def test_a_time_that_no_calendar_has_is_refused(api: OperatorClient, offset_s: int) -> None:
    with pytest.raises(ApiError, match=r"^timeOffset: ") as caught:
        api.call("PUT", ("settings",), {"timeOffset": offset_s})
    assert (caught.value.status, api.get("settings")["timeOffset"]) == (400, 0)


@pytest.mark.parametrize("offset_s", [-(2**35), 2**35])
def test_the_farthest_time_of_a_test_bench_can_be_taken_back(
    api: OperatorClient, device_request: DeviceRequest, offset_s: int
) -> None:
    ensure(api)
    api.call("PUT", ("settings",), {"timeOffset": offset_s})
    assert device_request("GET", "/tm").status == 200
    assert api.call("POST", ("groups",), {"name": "g", "primacy": 1})["name"] == "g"
    assert api.call("DELETE", ("settings",))["timeOffset"] == 0
    assert api.get("status")["time"] == NOW


def test_a_test_bench_plays_an_outage(api: OperatorClient, device_request: DeviceRequest) -> None:
    ensure(api)
    api.call("PUT", ("settings",), {"outage": True})
    assert device_request("GET", "/dcap").status == 500
    api.call("PUT", ("settings",), {"outage": False})
    assert device_request("GET", "/dcap").status == 200
