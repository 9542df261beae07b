"""Many events of one list with one call: as if each was sent by itself, and looked at once."""

from collections.abc import Callable, Mapping

import pytest

from schemas import Json
from sep2_server import event_times
from sep2_server.operator import ApiError, OperatorClient, controls, gathered
from sep2_server.operator.commands import rows_of

HALF = {"opModMaxLimW": "50%"}
CLOSED = {"opModConnect": True}


def limit(
    duration: int, base: Mapping[str, object] = HALF, within: int = 0, **more: object
) -> dict[str, object]:
    return {"DERControlBase": base, "duration": duration, "in": within, **more}


MANY = [
    limit(600, within=60),
    limit(600, {**HALF, **CLOSED}, within=60),
    limit(900),
    limit(300, CLOSED, within=400),
    limit(1200),
    limit(60, start="after-last"),
    limit(60, start="after-last", within=10),
    limit(1500, {**HALF, **CLOSED}, deviceCategory="04", within=30),
    limit(100, randomizeStart=60, within=250),
    limit(10, start="after-last"),
]
"""Some are superseded at once, some later, some in part; and the last ones are not the longest."""


@pytest.fixture
def grouped(api: OperatorClient) -> OperatorClient:
    for name in ("g", "h", "i"):
        api.call("POST", ("groups",), {"name": name, "primacy": 1})
    return api


def told(rows: list[dict[str, Json]]) -> list[tuple[object, ...]]:
    """What is so of controls beside their identity, in an order of their own."""
    found = []
    for row in rows:
        control = row["DERControl"]
        assert isinstance(control, dict)
        found.append((row["status"], row["start"], row["duration"], str(control["EventStatus"])))
    return sorted(found, key=str)


def controls_of(api: OperatorClient, group: str) -> list[dict[str, Json]]:
    return rows_of(api.get("groups", group, "controls"), "controls")


def test_all_are_as_if_each_was_published_by_itself(grouped: OperatorClient) -> None:
    for item in MANY:
        grouped.call("POST", ("groups", "g", "controls"), item)
    answer = grouped.call("POST", ("controls", "bulk"), [{**item, "groups": ["h"]} for item in MANY])
    one_by_one = told(controls_of(grouped, "g"))
    assert told(controls_of(grouped, "h")) == one_by_one
    assert told(rows_of(answer, "controls")) == one_by_one, "what is told is what is so at the end"
    states = [status for status, *_ in one_by_one]
    assert {"scheduled", "active", "superseded"} <= set(states)
    assert any("'potentiallySuperseded': True" in str(status) for *_, status in one_by_one)


def test_what_a_refused_item_has_written_is_undone_and_the_others_are_looked_at(
    grouped: OperatorClient,
) -> None:
    """The third item looks at the first two, before it is refused."""
    items = [
        {**limit(600), "groups": ["h"]},
        {**limit(1200), "groups": ["h"]},
        {**limit(900, {"opModVoltVar": "0A"}, start="after-last"), "groups": ["h"]},
        {**limit(1800, start="after-last"), "groups": ["g", "h", "x"]},
    ]
    answer = grouped.call("POST", ("controls", "bulk"), items, query={"keep_going": "true"})
    assert [problem["item"] for problem in rows_of(answer, "problems")] == [3, 4]
    assert [row["status"] for row in rows_of(answer, "controls")] == ["superseded", "active"]
    assert told(controls_of(grouped, "h")) == told(rows_of(answer, "controls"))
    assert controls_of(grouped, "g") == []


def test_the_last_one_is_the_last_of_those_that_are_not_superseded(grouped: OperatorClient) -> None:
    items = [limit(7200), limit(3600), limit(60, start="after-last")]
    answer = grouped.call("POST", ("controls", "bulk"), [{**item, "groups": ["h"]} for item in items])
    first, second, last = rows_of(answer, "controls")
    assert (first["status"], second["status"]) == ("superseded", "active")
    assert last["start"] == int(str(second["start"])) + 3600


def test_a_trial_tells_how_all_would_be(grouped: OperatorClient) -> None:
    items = [{**limit(600), "groups": ["h"]}, {**limit(900), "groups": ["h"]}]
    answer = grouped.call("POST", ("controls", "bulk"), items, query={"dry_run": "true"})
    assert [row["status"] for row in rows_of(answer, "controls")] == ["superseded", "active"]
    assert controls_of(grouped, "h") == []


def test_each_list_is_looked_at_once(grouped: OperatorClient, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []

    def counted(*given: object) -> object:
        looked_at.append(int(str(given[2])))
        return event_times.refresh_between(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(gathered, "refresh_between", counted)
    items = [{**limit(600 + n), "groups": ["g", "h"]} for n in range(30)]
    grouped.call("POST", ("controls", "bulk"), items)
    assert (len(looked_at), len(set(looked_at))) == (2, 2)
    looked_at.clear()
    grouped.call("POST", ("controls", "cancel"), {"all": True})
    assert (len(looked_at), len(set(looked_at))) == (2, 2)
    assert {row["status"] for row in controls_of(grouped, "g")} == {"cancelled", "superseded"}


def test_events_that_are_ensured_are_as_if_each_was_by_itself(grouped: OperatorClient) -> None:
    programs = {name: rows_of(grouped.get("groups", name), "programs")[0]["mRID"] for name in ("g", "h")}

    def item(number: int, program: str) -> dict[str, object]:
        resource = {
            "mRID": f"{number:024X}00009F1C",
            "interval": {"start": 1_700_000_000 + number % 3 * 100, "duration": 1000 - number % 5},
            "DERControlBase": {"opModMaxLimW": 5000},
        }
        return {"kind": "DERControl", "below": programs[program], "resource": resource}

    for number in range(8):
        grouped.call("POST", ("resources", "bulk"), [item(number, "g")])
    answer = grouped.call("POST", ("resources", "bulk"), [item(120 + number, "h") for number in range(8)])
    one_by_one = told(controls_of(grouped, "g"))
    assert [status for status, *_ in told(controls_of(grouped, "h"))] == [status for status, *_ in one_by_one]
    assert sorted(str(row["status"]) for row in rows_of(answer, "items")) == [str(s) for s, *_ in one_by_one]
    ends = [{"mRID": f"{120 + number:024X}00009F1C"} for number in range(8)]
    ended = grouped.call("POST", ("events", "cancel", "bulk"), ends)
    assert {row["status"] for row in controls_of(grouped, "h")} == {
        row["status"] for row in rows_of(ended, "items")
    }


def test_all_or_none_still_holds(grouped: OperatorClient) -> None:
    grouped.call("POST", ("groups", "g", "controls"), limit(600))
    items = [{**limit(1200), "groups": ["g"]}, {**limit(60), "groups": ["x"]}]
    with pytest.raises(ApiError, match="1 of 2 cannot be published; none was"):
        grouped.call("POST", ("controls", "bulk"), items)
    [control] = controls_of(grouped, "g")
    assert control["status"] == "active"


def test_controls_of_a_state_are_looked_for_in_all_of_a_list(
    grouped: OperatorClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controls, "PAGE", 4)
    items = [{**limit(60, start="after-last"), "groups": ["g"]} for _ in range(10)]
    made = [row["mRID"] for row in rows_of(grouped.call("POST", ("controls", "bulk"), items), "controls")]
    for mrid in made[:7]:
        grouped.call("POST", ("controls", str(mrid), "cancel"), {})
    for most, found in ((1000, made[7:]), (2, made[7:9])):
        told = grouped.get("groups", "g", "controls", state="scheduled", limit=most)
        assert [row["mRID"] for row in rows_of(told, "controls")] == found


def test_a_list_is_shown_page_by_page(
    op: Callable[..., int], api: OperatorClient, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(5):
        api.call("POST", ("groups",), {"name": f"p{number}", "primacy": number})
    assert op("resource", "list", "DERProgramList", "--limit", "3") == 0
    first = capsys.readouterr().out.splitlines()
    assert first[-1] == "more may follow: --start 3"
    assert op("resource", "list", "DERProgramList", "--start", "3", "--limit", "3") == 0
    rest = capsys.readouterr().out.splitlines()
    assert (len(first) - 2, len(rest) - 1) == (3, 2)
    assert op("resource", "list", "DERProgramList", "--start", "9") == 0
    assert "nothing is behind that" in capsys.readouterr().out
