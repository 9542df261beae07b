"""Tables for the terminal."""

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


def test_fields_stand_below_each_other() -> None:
    assert fields([("name", "north"), ("groups", ["a", "b"]), ("note", None)]) == (
        "name    north\ngroups  a, b\nnote"
    )


def test_a_long_field_is_cut() -> None:
    assert fields([("a", "b" * 20)], width=10) == "a  bbbbbb…"


def test_no_fields_make_no_lines() -> None:
    assert not fields([])
