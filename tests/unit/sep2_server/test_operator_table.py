"""Tables for the terminal."""

import json
from argparse import Namespace
from pathlib import Path

import pytest

from schemas import Json
from sep2_server.operator.commands import Shown, complain, moment, running
from sep2_server.operator.table import fields, table


def test_columns_are_aligned_and_numbers_stand_right() -> None:
    shown = table(("name", "W", "on"), [("north", 5, True), ("s", -1250, False)])
    assert shown == "name       W  on\nnorth      5  yes\ns      -1250  no"


def test_the_widest_column_is_cut_until_a_line_fits() -> None:
    shown = table(("a", "b"), [("x" * 90, "y" * 30)], width=40)
    assert [len(line) for line in shown.splitlines()] == [22, 40]
    assert shown.splitlines()[1] == "x" * 18 + "…  " + "y" * 18 + "…"


def test_a_line_never_exceeds_100_columns() -> None:
    rows = [("n" * 64, "f" * 40, 16_726_121_1391, ["feeder-7", "all"], None)]
    assert max(map(len, table(("name", "lFDI", "sFDI", "groups", "x"), rows).splitlines())) == 100


def test_an_identity_is_cut_last() -> None:
    shown = table(("modes", "mRID"), [("m" * 90, "F" * 32)], width=50)
    assert shown.splitlines()[1] == "m" * 15 + "…  " + "F" * 32
    narrow = table(("modes", "mRID"), [("m" * 90, "F" * 32)], width=30)
    assert narrow.splitlines()[1] == "m" * 5 + "…  " + "F" * 21 + "…"


def test_what_a_device_sent_neither_steers_the_terminal_nor_begins_a_line() -> None:
    name = "a\x1b[2J\nb"
    assert table(("name",), [(name,), ([name, "é"],)]).split("\n")[1:] == [
        r"a\x1b[2J\nb",
        r"a\x1b[2J\nb, é",
    ]
    assert fields([("name", name)]) == r"name  a\x1b[2J\nb"


def test_fields_stand_below_each_other() -> None:
    assert fields([("name", "north"), ("groups", ["a", "b"]), ("note", None)]) == (
        "name    north\ngroups  a, b\nnote"
    )


def test_a_long_field_is_cut() -> None:
    assert fields([("a", "b" * 20)], width=10) == "a  bbbbbb…"


def test_no_fields_make_no_lines() -> None:
    assert not fields([])


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "1970-01-01 00:00:00Z"),
        (253_402_300_799, "9999-12-31 23:59:59Z"),
        (2**62, "4611686018427387904 s"),
        (-1, "-1 s"),
        (None, ""),
    ],
)
def test_a_time_is_shown_as_date_where_there_is_one(seconds: Json, shown: str) -> None:
    assert moment(seconds) == shown


@pytest.mark.parametrize("as_json", [False, True])
def test_an_answer_steers_no_terminal(
    as_json: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "x\x1b[2J\x9b é"
    run = running(lambda _, __: Shown(data={"name": name}, text=f"{name}\nend"))
    (tmp_path / "token").write_text("0" * 64)
    reach = {
        "config": None,
        "server": "http://127.0.0.1:9",
        "token_file": tmp_path / "token",
        "roots": None,
    }
    assert run(Namespace(**reach, key=None, json=as_json)) == 0
    told = capsys.readouterr().out
    assert all(line.isprintable() for line in told.split("\n"))
    assert json.loads(told)["name"] == name if as_json else told.endswith("\nend\n")


def test_an_error_keeps_to_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    complain("no device \x1b[2J\x9b", "see the list")
    assert capsys.readouterr().err == "error: no device \\x1b[2J\\x9b\n  what to do: see the list\n"
