"""What it costs to have programs and controls there: statements for what is named, not for the fleet."""

import secrets
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sep2_server import Environment, Store, settings_of
from sep2_server.bootstrap import prepare
from sep2_server.operator import programs
from sep2_server.operator.desk import Desk
from sep2_server.operator.ensuring import end_many, ensure_many
from sep2_server.operator.router import Answer, Call
from sep2_server.sqlite import SqliteConnection

NOW = 1_700_000_000
PEN = "00000001"


def mrid(kind: str, number: int) -> str:
    return f"{kind}{number:023d}{PEN}"


def program(number: int) -> dict[str, Any]:
    held = {"mRID": mrid("A", number), "primacy": 5}
    return {"kind": "DERProgram", "group": f"g{number}", "resource": held}


def control(number: int) -> dict[str, Any]:
    held = {
        "mRID": mrid("B", number),
        "interval": {"start": NOW + 60, "duration": 60},
        "DERControlBase": {"opModMaxLimW": 5000},
    }
    return {"kind": "DERControl", "below": mrid("A", number), "resource": held}


def costs(folder: Path, fleet: int, named: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Statements of each operation, for so many of a fleet."""
    environment = Environment.of(settings_of({"pen": 1}))
    store = Store(folder / f"{fleet}-{named}.db")
    counts: Counter[str] = Counter()
    now = ""

    def counting(name: str) -> Any:  # noqa: ANN401 - a method
        plain = getattr(SqliteConnection, name)

        def method(self: SqliteConnection, *args: Any, **more: Any) -> Any:  # noqa: ANN401
            counts[now] += 1
            return plain(self, *args, **more)

        return method

    def acts(operation: str, run: Any, body: list[dict[str, Any]]) -> None:  # noqa: ANN401
        nonlocal now
        now = operation

        def job(tx: Any) -> Answer:  # noqa: ANN401
            answer: Answer = run(Desk(tx, environment, NOW, secrets.randbelow), Call(body=body, now=NOW))
            return answer

        told: Any = store.write(job)
        assert (len(told["items"]), told["problems"]) == (named, [])

    store.write(lambda tx: prepare(tx, environment))
    store.write(lambda tx: grouped(Desk(tx, environment, NOW, secrets.randbelow), fleet))
    numbers = range(fleet - named, fleet)
    with monkeypatch.context() as patch:
        for name in ("run", "run_many", "insert_many"):
            patch.setattr(SqliteConnection, name, counting(name))
        acts("programs", ensure_many, [program(number) for number in numbers])
        acts("controls", ensure_many, [control(number) for number in numbers])
        acts("again", ensure_many, [control(number) for number in numbers])
        acts("end", end_many, [{"mRID": mrid("B", number)} for number in numbers])
    store.close()
    return dict(counts)


def grouped(desk: Desk, count: int) -> None:
    """So many groups, the first half of which have a program."""
    for number in range(count):
        group = programs.add_group(desk, f"g{number}")
        if number < count // 2:
            programs.add_program(desk, group, primacy=89, description=None)


def test_statements_are_as_many_as_what_is_named_whatever_the_fleet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = (costs(tmp_path, fleet, 8, monkeypatch) for fleet in (20, 400))
    assert small == large
    more = costs(tmp_path, 40, 16, monkeypatch)
    assert small.keys() == {"programs", "controls", "again", "end"}
    for operation, count in small.items():
        assert more[operation] <= 2 * count, operation
    assert small["again"] <= 8
