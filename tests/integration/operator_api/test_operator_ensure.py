"""What is to be there by its mRID, many with one call, on either database: programs, events, their end."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sep2_server import ManualClock, Sep2Server
from sep2_server.operator import ApiError, OperatorClient
from sep2_server.operator.commands import rows_of
from sep2_server.operator.json_value import Json
from tests.integration.operator_api.conftest import LFDI, NOW, DeviceRequest
from tests.integration.operator_api.openapi_judge import JudgingClient

if TYPE_CHECKING:
    from tests.postgres import Postgres

PEN = "00009F1C"
TIME = {"start": NOW + 600, "duration": 3600}
CURVE = {
    "curveType": 11,
    "yRefType": 3,
    "xMultiplier": -2,
    "yMultiplier": -2,
    "CurveData": [{"xvalue": 9200, "yvalue": 4400}, {"xvalue": 10_800, "yvalue": -4400}],
}
Item = dict[str, Any]


@pytest.fixture(params=["sqlite", "postgresql"])
def beside(request: pytest.FixtureRequest) -> Iterator[dict[str, object]]:
    if request.param == "sqlite":
        yield {}
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.make("template0")
    yield {"database": server.url(name)}
    server.drop(name)


@pytest.fixture
def grouped(api: JudgingClient) -> JudgingClient:
    for name in ("g", "h"):
        api.call("POST", ("groups",), {"name": name, "primacy": 89})
    api.call("POST", ("devices",), {"name": "d", "lFDI": LFDI, "groups": ["g"]})
    return api


def mrid(name: str) -> str:
    return f"{name.encode().hex().upper():0>24}{PEN}"


def program(name: str = "p", group: str = "g", kind: str = "DERProgram", **fields: object) -> Item:
    held = {"mRID": mrid(name), "description": name, "primacy": 5, **fields}
    return {"kind": kind, "group": group, "resource": held}


def below(home: str, name: str, kind: str, **fields: object) -> Item:
    return {"kind": kind, "below": mrid(home), "resource": {"mRID": mrid(name), **fields}}


def control(name: str = "c", home: str = "p", **fields: object) -> Item:
    base = {"opModMaxLimW": 5000}
    return below(home, name, "DERControl", **{"interval": TIME, "DERControlBase": base, **fields})


def ensure(api: OperatorClient, *items: Item, **query: str | int) -> list[dict[str, Json]]:
    answer = api.call("POST", ("resources", "bulk"), list(items), query=query or None)
    return rows_of(answer, "items")


def end(api: OperatorClient, *items: Item) -> list[tuple[Json, Json]]:
    answer = api.call("POST", ("events", "cancel", "bulk"), list(items))
    return [(one["status"], one["cancelled"]) for one in rows_of(answer, "items")]


def changes(server: Sep2Server) -> int:
    return server.store.new_reader().last_change()


def test_a_repeated_call_changes_nothing(grouped: JudgingClient, server: Sep2Server) -> None:
    items = [
        program(),
        below("p", "v", "DERCurve", **CURVE),
        control(DERControlBase={"opModVoltVar": mrid("v")}),
        program("t", kind="TariffProfile", currency=978, pricePowerOfTenMultiplier=-2, serviceCategoryKind=0),
        below("t", "r", "RateComponent", roleFlags="0000", ReadingType={"uom": 72}),
        below(
            "r",
            "i",
            "TimeTariffInterval",
            interval=TIME,
            touTier=0,
            ConsumptionTariffInterval=[{"consumptionBlock": 0, "price": 31, "startValue": 0}],
        ),
        program("l", kind="DemandResponseProgram"),
        below(
            "l",
            "e",
            "EndDeviceControl",
            interval=TIME,
            deviceCategory="01",
            drProgramMandatory=False,
            loadShiftForward=False,
            DutyCycle={"normalValue": 50},
        ),
        program("m", kind="MessagingProgram", locale="en"),
        below("m", "x", "TextMessage", interval=TIME, priority=1, textMessage="storm"),
    ]
    first = ensure(grouped, *items)
    assert [(one["item"], one["mRID"], one["created"]) for one in first] == [
        (number, item["resource"]["mRID"], True) for number, item in enumerate(items, 1)
    ]
    assert Counter(one.get("status") for one in first) == {None: 6, "scheduled": 4}
    before = changes(server)
    again = ensure(grouped, *items)
    assert again == [{**one, "created": False} for one in first]
    assert changes(server) == before
    (curve,) = rows_of(grouped.get("groups", "g", "curves"), "curves")
    held: Any = grouped.get("controls", mrid("c"))
    assert held["DERControl"]["DERControlBase"] == {"opModVoltVar": {"href": curve["href"]}}
    told: Any = grouped.get("groups", "g", "tariffs")
    assert "'price': '0.31'" in str(told)


def test_what_is_ensured_is_what_single_calls_make(
    grouped: JudgingClient, server: Sep2Server, device_request: DeviceRequest
) -> None:
    """The same is told to the feed of changes, which notifications are made of, and to the device."""
    grouped.call("POST", ("devices",), {"name": "e", "lFDI": "AB" * 20, "groups": ["h"]})
    before = changes(server)
    one = program("q", "h")["resource"]
    href: Any = grouped.call("POST", ("resources",), one, query={"href": "DERProgramList", "group": "h"})
    listed = href["resource"]["DERControlListLink"]["href"]
    grouped.call("POST", ("resources",), control("d")["resource"], query={"href": listed})
    middle = changes(server)
    ensure(grouped, program(), control())
    reader = server.store.new_reader()
    told = [one.kind for one in reader.changes(before)]
    assert told[: middle - before] == told[middle - before :]
    assert "DERControl" in told
    found = device_request("GET", f"/fsa/{reader.groups()[0].id}/derp").body.decode()
    place = found.split('<DERControlListLink href="')[1].split('"')[0]
    assert mrid("c") in device_request("GET", place).body.decode()


def test_a_program_is_shown_to_a_further_group_and_takes_its_primacy(grouped: JudgingClient) -> None:
    ensure(grouped, program())
    assert [one["created"] for one in ensure(grouped, program(group="h", primacy=7))] == [False]
    for group in ("g", "h"):
        told = rows_of(grouped.get("groups", group, "programs"), "programs")
        assert [one["primacy"] for one in told if one["mRID"] == mrid("p")] == [7]


WRONG: list[tuple[Item, str]] = [
    (control("w", "nobody"), "below: no DERProgram has the mRID"),
    (control("w", "c"), "below: no DERProgram has the mRID"),
    (program("w", "nowhere"), "no group is named 'nowhere'"),
    (control("p"), "mRID: .* is that of /derp/"),
    (control("c", "o"), "mRID: .* is that of /derp/"),
    (control("w", DERControlBase={}), "no control mode is given"),
    (
        control("w", DERControlBase={"opModVoltVar": mrid("none")}),
        "DERControl.DERControlBase.opModVoltVar: .* cannot be read",
    ),
    ({**program("w"), "below": mrid("p")}, "below: a DERProgram hangs below nothing"),
    ({**control("w"), "group": "g"}, "group: a DERControl is for those of its DERProgram"),
    ({**control("w"), "below": None}, "below: "),
    ({"kind": "DERControl", "resource": {"mRID": mrid("w")}}, "below: missing"),
    ({"kind": "EndDevice", "resource": {}}, "kind: 'EndDevice' is not one of them"),
    ({"kind": "DERProgram", "resource": {"primacy": 1}}, "resource.mRID: missing"),
    ({"kind": "DERProgram", "resource": {"mRID": "no", "primacy": 1}}, "resource.mRID: missing"),
    ({"kind": "DERProgram"}, "resource: missing"),
]


def test_what_is_wrong_is_said_and_none_or_the_others_are_there(grouped: JudgingClient) -> None:
    good = [program(), program("o"), control()]
    with pytest.raises(ApiError, match=f"{len(WRONG)} of {len(WRONG) + 3} cannot be ensured; none was"):
        ensure(grouped, *good, *(item for item, _ in WRONG))
    assert rows_of(grouped.get("groups", "g", "controls"), "controls") == []
    plain = OperatorClient(url=grouped.url, secret=grouped.secret, roots=grouped.roots)
    answer = plain.call(
        "POST", ("resources", "bulk"), [*good, *(item for item, _ in WRONG)], query={"keep_going": "true"}
    )
    assert [one["item"] for one in rows_of(answer, "items")] == [1, 2, 3]
    problems = rows_of(answer, "problems")
    assert [one["item"] for one in problems] == list(range(4, 4 + len(WRONG)))
    for told, (_, why) in zip(problems, WRONG, strict=True):
        assert re.search(why, str(told["detail"])), told
    assert [row["mRID"] for row in rows_of(grouped.get("groups", "g", "controls"), "controls")] == [mrid("c")]


def test_a_trial_stores_nothing(grouped: JudgingClient, server: Sep2Server) -> None:
    before = changes(server)
    assert len(ensure(grouped, program(), control(), dry_run="true")) == 2
    assert changes(server) == before


def test_events_end_by_their_mrids_however_often(grouped: JudgingClient, clock: ManualClock) -> None:
    spread = control("r", interval={"start": NOW + 5000, "duration": 3600}, randomizeStart=60)
    ensure(grouped, program(), control(), spread, control("o", interval={"start": NOW, "duration": 10}))
    clock.set(NOW + 100)
    ends: list[Item] = [
        {"mRID": mrid("c"), "randomized": True, "reason": "over"},
        {"mRID": mrid("r"), "randomized": True},
        {"mRID": mrid("o")},
        {"mRID": mrid("unknown")},
    ]
    assert end(grouped, *ends) == [
        ("cancelled", True),
        ("cancelled with randomization", True),
        ("over", False),
        (None, False),
    ]
    assert [cancelled for _, cancelled in end(grouped, *ends)] == [False] * 4
    (told,) = ensure(grouped, control())
    assert (told["created"], told["status"]) == (False, "cancelled")


def test_defaults_are_set_changed_and_taken_away(grouped: JudgingClient) -> None:
    def change(*items: Item, **query: str | int) -> list[Json]:
        answer = grouped.call("POST", ("defaults", "bulk"), list(items), query=query or None)
        return [one["mRID"] is not None for one in rows_of(answer, "items")]

    def held(name: str) -> Any:  # noqa: ANN401 - JSON
        return grouped.get("groups", "g", "default", program=mrid(name))["natural"]

    ensure(grouped, program(), program("o"))
    export = {"DERControlBase": {"opModMaxLimW": 5000}}
    items = [{"program": mrid(name), "default": export} for name in ("p", "o")]
    assert change(*items, dry_run="true") == [True, True]
    assert held("p") == {}
    assert change(*items) == [True, True]
    assert (held("p")["opModMaxLimW"], held("o")["opModMaxLimW"]) == ("50 %", "50 %")
    wrong = {"program": mrid("none"), "default": export}
    with pytest.raises(ApiError, match="1 of 2 cannot be changed; none was"):
        change({"program": mrid("p"), "default": None}, wrong)
    gone = [{"program": mrid("p"), "default": None}, {"program": mrid("none"), "default": None}]
    assert change(*gone) == change(*gone) == [False, False]
    assert (held("p"), held("o")["opModMaxLimW"]) == ({}, "50 %")


def test_one_audit_line_tells_of_each_call(grouped: JudgingClient) -> None:
    ensure(grouped, program(), control())
    end(grouped, {"mRID": mrid("c")})
    told = rows_of(grouped.get("audit", limit=2), "entries")
    assert {one["action"] for one in told} == {"ensure resources", "cancel events"}
    assert all(one["body"] for one in told)


def test_files_of_resources_and_of_events_to_end(
    grouped: JudgingClient,
    op: Callable[..., int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "wanted.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in (program(), control())))
    assert op("resource", "ensure", str(path), "--dry-run") == 0
    assert "2 resources: 2 would be made, 0 are there, 0 refused" in capsys.readouterr().out
    assert op("resource", "ensure", str(path)) == 0
    assert "2 resources: 2 made, 0 were there, 0 refused" in capsys.readouterr().out
    path.write_text("\n".join(json.dumps(one) for one in (control("w", "nobody"), control())))
    assert op("resource", "ensure", str(path)) == 2
    assert "line 1: below: no DERProgram" in capsys.readouterr().err
    assert op("resource", "ensure", str(path), "--keep-going") == 1
    assert "line 1: below: no DERProgram" in capsys.readouterr().out
    path.write_text(json.dumps({"program": mrid("p"), "default": {"setGradW": 27}}))
    assert op("resource", "defaults", str(path)) == 0
    assert mrid("p") in capsys.readouterr().out
    path.write_text(json.dumps({"mRID": mrid("c")}))
    assert op("resource", "end", str(path)) == 0
    assert "cancelled" in capsys.readouterr().out
