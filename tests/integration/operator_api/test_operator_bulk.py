"""Many devices, members and controls with one call, and the files of the commands."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from certs import Credentials, Pki
from lineside.fleet import issue, write_csv
from sep2_server.operator import ApiError, OperatorClient
from sep2_server.operator.client import Got, Sent
from sep2_server.operator.commands import rows_of

Op = Callable[..., int]
LIMIT = {"DERControlBase": {"opModMaxLimW": "50%"}, "duration": 60}


def lfdi(number: int) -> str:
    return f"{number:040X}"


def device(number: int, **more: object) -> dict[str, object]:
    return {"name": f"d{number}", "lFDI": lfdi(number), **more}


def names(api: OperatorClient) -> list[object]:
    return [row["name"] for row in rows_of(api.get("devices"), "devices")]


@pytest.fixture
def grouped(api: OperatorClient) -> OperatorClient:
    for name in ("g", "h"):
        api.call("POST", ("groups",), {"name": name, "primacy": 1})
    return api


def test_many_devices_are_enrolled_at_once(grouped: OperatorClient) -> None:
    items = [device(1, groups=["g", "h"]), device(2, pIN=111_115, DER=3), device(1, groups=["g", "h"])]
    answer = grouped.call("POST", ("devices", "bulk"), items)
    assert (answer["created"], answer["known"], answer["problems"]) == (2, 1, [])
    assert ["pIN" in row for row in rows_of(answer, "devices")] == [True, False, False]
    assert grouped.get("devices", "d1")["groups"] == ["g", "h"]


def test_all_or_none_are_enrolled_and_each_problem_is_told(grouped: OperatorClient) -> None:
    items = [device(1), device(2, pIN=123_456), device(3, groups=["x"]), 7]
    with pytest.raises(ApiError, match="3 of 4 cannot be enrolled; none was") as caught:
        grouped.call("POST", ("devices", "bulk"), items)
    assert [(p["item"], str(p["detail"])[:12]) for p in caught.value.problems] == [
        (2, "pIN: the che"),
        (3, "no group is "),
        (4, "body: not a "),
    ]
    assert names(grouped) == []


def test_the_lfdi_of_another_device_is_a_problem_of_its_item(grouped: OperatorClient) -> None:
    items = [device(1), {**device(2), "name": lfdi(1)}, {**device(3), "name": lfdi(3)}]
    told = grouped.call("POST", ("devices", "bulk"), items, query={"dry_run": "true"})
    [problem] = rows_of(told, "problems")
    assert (problem["item"], str(problem["detail"])[:21]) == (2, "name: it has the form")


def test_those_that_are_right_are_enrolled_where_it_is_to_go_on(grouped: OperatorClient) -> None:
    items = [device(1), device(2, groups=["g", "x"]), device(3)]
    answer = grouped.call("POST", ("devices", "bulk"), items, query={"keep_going": "true"})
    assert (answer["created"], len(rows_of(answer, "problems")), names(grouped)) == (2, 1, ["d1", "d3"])
    assert rows_of(grouped.get("groups"), "groups")[0]["devices"] == 0


def test_a_trial_stores_nothing(grouped: OperatorClient) -> None:
    items = [device(1), device(2, pIN=1)]
    answer = grouped.call("POST", ("devices", "bulk"), items, query={"dry_run": "true"})
    assert (answer["created"], answer["devices"], len(rows_of(answer, "problems"))) == (1, [], 1)
    assert names(grouped) == []


@pytest.mark.parametrize("count", [0, 1001])
def test_a_call_takes_1_to_1000_items(api: OperatorClient, count: int) -> None:
    with pytest.raises(ApiError, match="not a list of 1 to 1000"):
        api.call("POST", ("devices", "bulk"), [device(n) for n in range(count)] or [])


def test_members_are_changed_with_one_call(grouped: OperatorClient) -> None:
    grouped.call("POST", ("devices", "bulk"), [device(n) for n in range(1, 4)])
    first = grouped.call("POST", ("groups", "g", "devices"), {"add": ["d1", "d2"]})
    second = grouped.call("POST", ("groups", "g", "devices"), {"add": ["d2", "d3"], "remove": ["d1", "d3"]})
    assert (first["added"], second["added"], second["removed"]) == (["d1", "d2"], ["d3"], ["d1"])
    with pytest.raises(ApiError, match="no device is named 'x'"):
        grouped.call("POST", ("groups", "g", "devices"), {"add": ["d1", "x"]})
    assert grouped.get("groups", "g")["devices"] == 2


def test_controls_are_published_in_many_groups_all_or_none(grouped: OperatorClient) -> None:
    answer = grouped.call("POST", ("controls", "bulk"), [{**LIMIT, "groups": ["g", "h"]}])
    assert [row["group"] for row in rows_of(answer, "controls")] == ["g", "h"]
    with pytest.raises(ApiError, match="1 of 2 cannot be published; none was"):
        grouped.call("POST", ("controls", "bulk"), [{**LIMIT, "groups": ["g"]}, {**LIMIT, "groups": ["x"]}])
    assert len(rows_of(grouped.get("controls"), "controls")) == 2


def test_an_item_names_each_group_once(grouped: OperatorClient) -> None:
    items = [{**LIMIT, "groups": ["g", "h"]}, {**LIMIT, "groups": ["g", "h", "g"]}]
    with pytest.raises(ApiError, match="1 of 2 cannot be published; none was") as caught:
        grouped.call("POST", ("controls", "bulk"), items)
    assert caught.value.problems == [
        {"item": 2, "detail": "groups: 'g' is named twice", "hint": "name each group once in an item"}
    ]
    assert rows_of(grouped.get("controls"), "controls") == []
    answer = grouped.call("POST", ("controls", "bulk"), items, query={"keep_going": "true"})
    assert ([row["group"] for row in rows_of(answer, "controls")]) == ["g", "h"]


def test_a_call_publishes_1000_controls_at_most_over_all_groups_of_its_items(grouped: OperatorClient) -> None:
    items = [{**LIMIT, "groups": [f"x{n}" for n in range(501)]}, {**LIMIT, "groups": ["g"] * 500}]
    with pytest.raises(ApiError) as caught:
        grouped.call("POST", ("controls", "bulk"), items, query={"keep_going": "true"})
    assert (caught.value.status, caught.value.detail, caught.value.hint) == (
        400,
        "groups: more than 1000 in all items",
        "send several requests for more",
    )
    items[0]["groups"] = ["x"] * 500
    with pytest.raises(ApiError, match="2 of 2 cannot be published"):
        grouped.call("POST", ("controls", "bulk"), items)


def test_every_mrid_that_is_made_ends_with_the_pen(grouped: OperatorClient) -> None:
    grouped.call("POST", ("devices", "bulk"), [device(1, groups=["g"])])
    curve = {"curveType": "opModVoltVar", "yRefType": "SET_MAX_VAR", "points": [[92, 44], [108, -44]]}
    grouped.call("PUT", ("devices", "d1", "place"), {"path": "GRID/ST1"})
    grouped.call("PUT", ("devices", "d1", "groups", "n"), {"primacy": 1})
    control = grouped.call("POST", ("groups", "g", "controls"), LIMIT)["mRID"]
    made = [
        control,
        grouped.call("PATCH", ("controls", str(control)), {"duration": 70})["mRID"],
        grouped.call("POST", ("groups", "g", "curves"), curve)["mRID"],
        grouped.call("POST", ("groups", "h", "programs"), {"primacy": 4})["mRID"],
        grouped.call("PATCH", ("groups", "g", "default"), {"setGradW": 27})["mRID"],
        rows_of(grouped.call("POST", ("controls", "bulk"), [{**LIMIT, "groups": ["g"]}]), "controls")[0][
            "mRID"
        ],
        *(program["mRID"] for program in rows_of(grouped.get("programs"), "programs")),
    ]
    pen = f"{40732:08X}"
    assert [m for m in made if len(str(m)) != 32 or str(m)[24:] != pen or str(m) != str(m).upper()] == []
    assert len(made) == 12


def write(path: Path, *lines: str) -> str:
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_devices_come_from_a_csv_file(
    grouped: OperatorClient,
    op: Op,
    tmp_path: Path,
    device_credentials: Credentials,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "x.pem").write_text(device_credentials.certificate_path.read_text())
    file = write(
        tmp_path / "devices.csv",
        "name,lfdi,certificate,pin,role,aggregator,groups,ders",
        f"agg,{lfdi(1)},,111115,aggregator,,,",
        f"a1,{lfdi(2)},,,device,agg,g;h,2",
        "a2,,x.pem,111115,,,,",
    )
    assert op("enrol", "--csv", file, "--dry-run") == 0
    assert names(grouped) == []
    assert op("enrol", "--csv", file) == 0
    told = capsys.readouterr().out
    assert "3 devices: 3 enrolled, 0 were there, 0 refused" in told
    assert "\na1," in told.partition("note the pINs now")[2]
    shown = grouped.get("devices", "a1")
    assert (shown["aggregator"], shown["groups"], len(rows_of(shown, "DER"))) == ("agg", ["g", "h"], 2)
    assert op("enrol", "--csv", file) == 0
    assert "0 enrolled, 3 were there" in capsys.readouterr().out


BAD = (
    "name,lfdi,pin,groups",
    f"d1,{lfdi(1)},111115,",
    f"d2,{lfdi(2)},x,",
    f"d1,{lfdi(3)},111115,",
    f"d4,{lfdi(1).lower()},111115,",
    f"d5,{lfdi(5)},123456,",
    f"d6,{lfdi(6)},111115,nowhere",
    f"d7,{lfdi(7)},111115,,,",
    f"d8,{lfdi(8)},{'9' * 5000},",
)
REASONS = {
    3: "pin: 'x' is no number",
    4: "name: line 2 has it already",
    5: "lFDI: line 2 has it already",
    6: "pIN: the check digit is wrong",
    7: "no group is named 'nowhere'",
    8: "more cells than columns",
    9: "pin: '9999999999999999999999999999999999999999' is no number",
}


def test_each_bad_line_of_a_file_is_told_and_nothing_is_stored(
    api: OperatorClient, op: Op, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert op("enrol", "--csv", write(tmp_path / "bad.csv", *BAD), "--dry-run") == 1
    told = capsys.readouterr().out
    lines = {
        int(line.partition("line ")[2].partition(":")[0]): line
        for line in told.splitlines()
        if "line " in line
    }
    assert [n for n, reason in REASONS.items() if reason not in lines[n]] == []
    assert op("enrol", "--csv", str(tmp_path / "bad.csv")) == 1
    assert "nothing was stored" in capsys.readouterr().out
    assert names(api) == []


def test_the_good_lines_of_a_file_are_enrolled_where_it_is_to_go_on(
    api: OperatorClient, op: Op, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert op("enrol", "--csv", write(tmp_path / "bad.csv", *BAD), "--keep-going", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert ([p["line"] for p in told["problems"]], names(api)) == ([3, 4, 5, 6, 7, 8, 9], ["d1"])


def test_a_long_file_goes_in_parts_with_its_progress(
    api: OperatorClient, op: Op, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f"d{n},{lfdi(n)},111115" for n in range(1, 302)]
    assert op("enrol", "--csv", write(tmp_path / "many.csv", "name,lfdi,pin", *lines)) == 0
    assert "\r301 of 301 enrolled\n" in capsys.readouterr().err
    assert api.get("status")["devices"] == 301
    assert op("devices", "--csv") == 0
    exported = capsys.readouterr().out.splitlines()
    assert (exported[0], len(exported)) == ("name,lfdi,role,aggregator,groups", 302)
    assert op("enrol", "--csv", write(tmp_path / "again.csv", *exported)) == 0


def managed(first: int, count: int) -> list[str]:
    """Lines of devices for which the aggregator speaks that is named agg."""
    return [f"d{n},{lfdi(n)},111115,,agg" for n in range(first, first + count)]


DEEP = '{"modes":' + "[" * 64 + "]" * 64 + "}"
AGGREGATED = "name,lfdi,pin,role,aggregator"
AGG = f"agg,{lfdi(9999)},111115,aggregator,"


@pytest.mark.parametrize("place", [0, 50, 250])
def test_an_aggregator_of_a_file_is_known_to_all_its_devices(
    api: OperatorClient, op: Op, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: int
) -> None:
    lines = managed(1, 250)
    lines.insert(place, AGG)
    file = write(tmp_path / "many.csv", AGGREGATED, *lines)
    assert op("enrol", "--csv", file, "--dry-run") == 0
    assert "0 refused" in capsys.readouterr().out
    assert op("enrol", "--csv", file) == 0
    assert "251 devices: 251 enrolled, 0 were there, 0 refused" in capsys.readouterr().out
    assert [api.get("devices", name)["aggregator"] for name in ("d1", "d250")] == ["agg", "agg"]


def test_a_problem_of_an_aggregator_is_told_once_and_those_of_others_with_their_lines(
    op: Op, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [*managed(1, 150), AGG.replace("111115", "123456"), f"alone,{lfdi(777)},123456,,"]
    assert op("enrol", "--csv", write(tmp_path / "bad.csv", AGGREGATED, *lines), "--dry-run", "--json") == 1
    told = json.loads(capsys.readouterr().out)["problems"]
    wrong = [problem["line"] for problem in told if "the check digit is wrong" in problem["detail"]]
    orphans = [problem["line"] for problem in told if "no device is named 'agg'" in problem["detail"]]
    assert (wrong, orphans, len(told)) == ([152, 153], list(range(2, 152)), 152)


@pytest.fixture
def failing_once(monkeypatch: pytest.MonkeyPatch) -> Callable[[Got | None], None]:
    """Lets the second batch have an answer which the server does not give; None: Ctrl-C before it comes."""

    def fail(answer: Got | None) -> None:
        exchange = OperatorClient._exchange
        sent_before: list[Sent] = []

        def exchanged(self: OperatorClient, sent: Sent) -> Got:
            if sent.place == "/devices/bulk":
                sent_before.append(sent)
                if len(sent_before) == 2 and answer is not None:
                    return answer
                if len(sent_before) == 2:
                    exchange(self, sent)
                    raise KeyboardInterrupt
            return exchange(self, sent)

        monkeypatch.setattr(OperatorClient, "_exchange", exchanged)

    return fail


FULL = Got(status=503, data=b'{"error": "audit", "detail": "No space left", "hint": "free disk space"}')
CLASH = Got(
    status=400,
    data=b'{"error": "bad-request", "detail": "1 of 50 cannot be enrolled", "hint": "correct them",'
    b'"problems": [{"item": 7, "detail": "name: taken", "hint": "choose"}]}',
)


def told_pins(text: str) -> dict[str, str]:
    lines = text.partition("note the pINs now: they are not shown again\n")[2].splitlines()
    return dict(line.split(",") for line in lines)


def test_the_pins_of_what_is_enrolled_are_told_where_the_rest_fails(
    op: Op, tmp_path: Path, capsys: pytest.CaptureFixture[str], failing_once: Callable[[Got | None], None]
) -> None:
    file = write(tmp_path / "many.csv", "name,lfdi", *(f"d{n},{lfdi(n)}" for n in range(1, 151)))
    failing_once(FULL)
    assert op("enrol", "--csv", file) == 1
    out, err = capsys.readouterr()
    first = told_pins(out)
    assert list(first) == [f"d{n}" for n in range(1, 101)]
    assert "\nerror: No space left; 100 of 150 devices are enrolled, the next is that of line 102" in err
    assert "what to do: free disk space; then repeat the command with --key " in err
    key = err.rpartition("--key ")[2].split()[0].rstrip(",;:")
    assert op("enrol", "--csv", file, "--key", key) == 0
    again = told_pins(capsys.readouterr().out)
    assert len(again) == 150, "also those that were made before"
    assert {name: again[name] for name in first} == first


def test_the_pins_of_what_is_enrolled_are_told_where_somebody_ends_it(
    op: Op, tmp_path: Path, capsys: pytest.CaptureFixture[str], failing_once: Callable[[Got | None], None]
) -> None:
    """Also those of the call that was under way, of which nobody heard whether it was done."""
    file = write(tmp_path / "many.csv", "name,lfdi", *(f"d{n},{lfdi(n)}" for n in range(1, 151)))
    failing_once(None)
    assert op("enrol", "--csv", file) == 130
    out, err = capsys.readouterr()
    assert len(told_pins(out)) == 100
    assert "\nerror: interrupted; 100 of 150 devices are enrolled, the next is that of line 102" in err
    key = err.rpartition("what to do: repeat the command with --key ")[2].split()[0].rstrip(",")
    assert op("enrol", "--csv", file, "--key", key) == 0
    assert len(told_pins(capsys.readouterr().out)) == 150


def test_a_batch_that_is_refused_tells_the_lines_of_the_file(
    op: Op, tmp_path: Path, capsys: pytest.CaptureFixture[str], failing_once: Callable[[Got | None], None]
) -> None:
    file = write(tmp_path / "many.csv", "name,lfdi", *(f"d{n},{lfdi(n)}" for n in range(1, 151)))
    failing_once(CLASH)
    assert op("enrol", "--csv", file, "--json") == 2
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told["created"], len(told["devices"])) == (100, 100)
    assert told["problems"] == [{"line": 108, "detail": "name: taken (choose)"}]
    assert "1 of 50 cannot be enrolled; 100 of 150 devices are enrolled" in err


def test_nothing_is_said_to_be_stored_or_not_where_the_answer_is_lost(
    op: Op, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "two.csv", "name,lfdi,pin", f"d1,{lfdi(1)},", f"d2,{lfdi(2)},x")
    exchange = OperatorClient._exchange

    def lost(self: OperatorClient, sent: Sent) -> Got:
        got = exchange(self, sent)
        if sent.place == "/devices/bulk":
            raise ConnectionResetError("gone")
        return got

    monkeypatch.setattr(OperatorClient, "_exchange", lost)
    assert op("enrol", "--csv", file, "--keep-going") == 1
    out, err = capsys.readouterr()
    assert ("it may have been done all the same" in err, "nothing was stored" in out) == (True, False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name,pin,pin\nx,1,2\n", "the columns are not those of devices (pin twice)"),
        ("", "the columns are not those of devices (no name)"),
        ("name,colour\nx,red\n", "the columns are not those of devices (colour)"),
        ("name,lfdi\n", "nothing is in it"),
    ],
)
def test_a_file_that_is_none_is_wrong_usage(
    op: Op, tmp_path: Path, text: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.csv").write_text(text)
    assert op("enrol", "--csv", str(tmp_path / "x.csv")) == 2
    assert told in capsys.readouterr().err


@pytest.mark.usefixtures("grouped")
def test_the_list_of_a_fleet_enrols_it(op: Op, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Pki.create(tmp_path / "pki")
    write_csv(tmp_path / "fleet.csv", issue(tmp_path / "pki", 2))
    assert op("enrol", "--csv", str(tmp_path / "fleet.csv")) == 0
    assert "2 devices: 2 enrolled" in capsys.readouterr().out


@pytest.mark.usefixtures("grouped")
def test_controls_come_from_a_file_of_json_lines(
    op: Op, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = json.dumps({**LIMIT, "groups": ["g", "h"]})
    file = write(tmp_path / "good.jsonl", good, "", good)
    assert op("publish", "--file", file, "--dry-run") == 0
    assert "4 controls would be published" in capsys.readouterr().out
    assert op("publish", "--file", file) == 0
    assert "4 controls are published" in capsys.readouterr().out
    assert op("publish", "--file", write(tmp_path / "bad.jsonl", good, "{", "7", "[" * 100_000, DEEP)) == 2
    told = capsys.readouterr().err
    assert "line 4: no JSON" in told
    assert "line 5: nested more than 64 deep" in told
    assert "line 2: no JSON" in told
    assert "line 3: no JSON object" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("ensure", "north", "--lfdi", lfdi(9), "--pin", "111115", "--ders", "2"), "created"),
        (("modify", "d1", "--name", "one", "--disable"), "name, enabled"),
        (("assign", "d1", "new", "--primacy", "3"), "new"),
        (("place", "d1", "GRID/ST1"), "GRID, GRID/ST1"),
        (("place", "d1", "--sy", "GRID", "--sp", "X", "--primacy", "SP=1"), "GRID/X"),
        (("place", "d1", "--nowhere"), "joined"),
        (("tree",), "the network is empty"),
        (("device", "d1"), "what applies now"),
        (("forget", "d1", "--readings", "--log-events"), "0 resources of d1 are forgotten"),
        (("block", "--lfdi", lfdi(8), "--reason", "stolen"), "stolen"),
        (("unblock", lfdi(8)), "was not blocked"),
        (("blocked",), "no certificate is blocked"),
        (("settings",), "inBandRegistration"),
        (("settings", "--in-band", "on"), "yes"),
        (("settings", "--reset"), "no"),
        (("default", "g", "--clear"), "no default is set"),
        (("cancel", "--all"), "0 controls are cancelled"),
        (("cancel", "--device", "d1"), "0 controls are cancelled"),
        (("group", "primacy", "g", "9"), "primacy       9"),
        (("rates", "--post-all", "MirrorUsagePoint=60"), "60"),
        (("remove", "x", "--if-exists"), "x was not there"),
        (("remove", "d1", "--managed"), "d1 is removed"),
        (("token", "create", "wall", "--for", "1d"), "note the secret now"),
        (("token", "list"), "operator"),
        (("audit", "--action", "enrol"), "enrol devices"),
    ],
)
def test_each_command_says_what_it_did(
    grouped: OperatorClient, op: Op, words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    grouped.call("POST", ("devices", "bulk"), [device(1)])
    code = op(*words)
    out = capsys.readouterr().out
    assert (code, told in out) == (0, True), out
    assert max(map(len, out.splitlines())) <= 100
