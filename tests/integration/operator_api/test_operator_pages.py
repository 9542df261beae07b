"""Groups, programs, controls and members page by page; what cancels all looks at open ones only."""

from collections.abc import Callable

import pytest

from schemas import DERControlResponse
from sep2_server.messages import Answer
from sep2_server.operator import ApiError, OperatorClient
from sep2_server.operator.commands import every, rows_of
from sep2_server.operator.json_value import Json

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
GROUPS = [f"feeder-{n:02}" for n in range(7)]
HALF = {"duration": "5m", "DERControlBase": {"opModMaxLimW": "50%"}}


@pytest.fixture(autouse=True)
def groups(api: OperatorClient) -> None:
    """Seven groups, made in another order than that of their names."""
    for name in reversed(GROUPS):
        api.call("POST", ("groups",), {"name": name, "primacy": 7})


def names(answer: dict[str, Json], kind: str, name: str = "name") -> list[object]:
    return [row[name] for row in rows_of(answer, kind)]


def strings(held: Json) -> list[object]:
    assert isinstance(held, list)
    return list(held)


@pytest.mark.parametrize(("kind", "name"), [("groups", "name"), ("programs", "group")])
def test_groups_come_by_name_a_page_at_a_time(api: OperatorClient, kind: str, name: str) -> None:
    first = api.get(kind, limit=4)
    rest = api.get(kind, limit=4, after=str(first["next"]))
    assert (names(first, kind, name), first["next"]) == (GROUPS[:4], GROUPS[3])
    assert (names(rest, kind, name), rest["next"]) == (GROUPS[4:], None)


def test_a_page_that_ends_with_the_last_group_is_followed_by_an_empty_one(api: OperatorClient) -> None:
    first = api.get("groups", limit=7)
    assert (len(rows_of(first, "groups")), first["next"]) == (7, GROUPS[-1])
    assert api.get("groups", limit=7, after=GROUPS[-1]) == {"groups": [], "next": None}


def test_a_page_begins_behind_a_group_that_is_gone(api: OperatorClient) -> None:
    api.call("DELETE", ("groups", GROUPS[3]))
    assert names(api.get("groups", limit=4, after=GROUPS[3]), "groups") == GROUPS[4:]


@pytest.mark.parametrize("limit", [0, 1001, -1])
def test_a_page_has_a_bound(api: OperatorClient, limit: int) -> None:
    with pytest.raises(ApiError, match=f"limit: '{limit}'"):
        api.get("groups", limit=limit)


def test_members_come_in_the_order_of_their_enrolment(api: OperatorClient) -> None:
    devices = ["west", "south", "east", "north"]
    for number, device in enumerate(devices):
        api.call("POST", ("devices",), {"name": device, "lFDI": f"{number + 1:040X}"})
        api.call("PUT", ("groups", GROUPS[0], "devices", device))
    path = ("groups", GROUPS[0], "devices")
    first = api.get(*path, limit=3)
    assert names(first, "devices") == devices[:3]
    api.call("DELETE", ("groups", GROUPS[0], "devices", "east"))
    rest = api.get(*path, limit=3, after=str(first["next"]))
    assert (names(rest, "devices"), rest["next"]) == (["north"], None)
    with pytest.raises(ApiError, match="after"):
        api.get(*path, after="east")


def test_controls_of_all_groups_end_with_a_group(api: OperatorClient) -> None:
    for name in GROUPS:
        for _ in range(2):
            api.call("POST", ("groups", name, "controls"), HALF | {"start": "after-last"})
    first = api.get("controls", limit=3)
    assert (names(first, "controls", "group"), first["next"]) == (
        [GROUPS[0], GROUPS[0], GROUPS[1], GROUPS[1]],
        GROUPS[1],
    )
    found: list[object] = []
    after: str | None = ""
    while after is not None:
        answer = api.get("controls", limit=3, after=after)
        found += names(answer, "controls", "group")
        after = None if answer["next"] is None else str(answer["next"])
    assert found == [name for name in GROUPS for _ in range(2)]
    assert names(every(api, "controls", "controls"), "controls", "group") == found


def test_a_page_of_controls_looks_at_a_hundred_groups(
    api: OperatorClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sep2_server.operator.controls.GROUPS", 3)
    api.call("POST", ("groups", GROUPS[5], "controls"), HALF)
    assert api.get("controls") == {"controls": [], "next": GROUPS[2]}
    assert names(every(api, "controls", "controls"), "controls", "group") == [GROUPS[5]]


def test_the_commands_show_all_pages(
    op: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sep2_server.operator.commands.PAGE", 2)
    for words in (["group", "list"], ["group", "programs"]):
        assert op(*words) == 0
        told = capsys.readouterr().out
        assert [name for name in GROUPS if name in told] == GROUPS


def test_the_open_controls_of_a_program_are_counted(api: OperatorClient) -> None:
    for _ in range(3):
        control = api.call("POST", ("groups", GROUPS[0], "controls"), HALF | {"start": "after-last"})
    api.call("POST", ("controls", str(control["mRID"]), "cancel"))
    (program,) = rows_of(api.get("groups", GROUPS[0]), "programs")
    assert program["openControls"] == 2


def test_responses_come_a_page_at_a_time(api: OperatorClient, device_request: Callable[..., Answer]) -> None:
    api.call("POST", ("devices",), {"name": "north", "lFDI": LFDI})
    api.call("PUT", ("groups", GROUPS[0], "devices", "north"))
    made = api.call("POST", ("groups", GROUPS[0], "controls"), HALF)
    mrid, href = str(made["mRID"]), str(made["href"])
    wire = made["DERControl"]
    assert isinstance(wire, dict)
    for status in range(1, 6):
        sent = DERControlResponse(createdDateTime=status, endDeviceLFDI=LFDI, status=status, subject=mrid)
        assert device_request("POST", str(wire["replyTo"]), sent).status == 201
    ways: list[tuple[tuple[str, ...], dict[str, str]]] = [
        (("controls", mrid, "responses"), {}),
        (("controls", mrid, "responses"), {"device": "north"}),
        (("events", mrid, "responses"), {}),
        (("resources", "responses"), {"href": href}),
    ]
    for path, query in ways:
        first = api.get(*path, limit=3, **query)
        rest = api.get(*path, limit=3, after=str(first["next"]), **query)
        assert [names(page, "responses", "status") for page in (first, rest)] == [[1, 2, 3], [4, 5]]
        assert rest["next"] is None


def test_all_controls_are_cancelled_without_a_look_at_each_group(
    api: OperatorClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [api.call("POST", ("groups", name, "controls"), HALF)["mRID"] for name in (GROUPS[6], GROUPS[1])]
    looked_at: list[str] = []
    monkeypatch.setattr("sep2_server.reader.Reader.groups", lambda *_, **__: looked_at.append("groups"))
    monkeypatch.setattr("sep2_server.reader.Reader.group", lambda *_, **__: looked_at.append("group"))
    answer = api.call("POST", ("controls", "cancel"), {"all": True})
    assert (answer["cancelled"], set(strings(answer["mRIDs"]))) == (2, set(made))
    assert looked_at == []
    assert api.call("POST", ("controls", "cancel"), {"all": True})["cancelled"] == 0
