"""What it costs to know who follows a curve: rows of those who do, whatever else there is."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sep2_server import Environment, Store, settings_of
from sep2_server.bootstrap import prepare
from sep2_server.connection import Connection
from sep2_server.operator import curves, defaults, programs
from sep2_server.operator.controls import publish_one
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import Conflict
from sep2_server.operator.requests import PublishControl
from sep2_server.operator.router import Call
from sep2_server.operator.shape import read
from sep2_server.transaction import Transaction

NOW = 1_700_000_000
CURVE = {"curveType": "opModVoltVar", "yRefType": "SET_MAX_VAR", "points": [[92, 44], [108, -44]]}
Base = dict[str, object]


class House:
    """A store with the groups near and far, whose curves and controls a test adds to."""

    def __init__(self, path: Path) -> None:
        self.environment = Environment.of(settings_of({"pen": 1}))
        self.store = Store(path)
        self.store.write(lambda tx: prepare(tx, self.environment))
        self.store.write(self._grouped)

    def desk(self, tx: Transaction) -> Desk:
        return Desk(tx, self.environment, NOW, secrets.randbelow)

    def _grouped(self, tx: Transaction) -> None:
        for name in ("near", "far"):
            group = programs.add_group(self.desk(tx), name)
            programs.add_program(self.desk(tx), group, primacy=5, description=None)

    def curve(self, name: str) -> str:
        """The mRID of a new curve of the group near."""

        def job(tx: Transaction) -> str:
            call = Call(names={"group": "near"}, body={**CURVE, "description": name}, now=NOW)
            return str(curves.add(self.desk(tx), call)["mRID"])

        return self.store.write(job)

    def href(self, curve: str) -> str:
        found = self.store.reader.by_mrid(curve, kind="DERCurve")
        assert found is not None
        return found.href

    def publish(
        self,
        group: str,
        bases: Sequence[Base],
        *,
        start: int | str | None = None,
        duration: int = 60,
        randomize_duration_s: int | None = None,
    ) -> None:
        """Controls of a group with these modes, one after the other unless `start` is said."""

        def job(tx: Transaction) -> None:
            desk = self.desk(tx)
            row = desk.program(desk.group(group), None)
            for number, base in enumerate(bases):
                begins = NOW + 60 * number if start is None else start
                body: dict[str, object] = {"DERControlBase": base, "start": begins, "duration": duration}
                body |= {"randomizeDuration": randomize_duration_s} if randomize_duration_s else {}
                publish_one(desk, row, read(PublishControl, body))

        self.store.write(job)

    def remove(self, curve: str) -> None:
        call = Call(names={"curve": curve}, now=NOW)
        self.store.write(lambda tx: curves.remove(self.desk(tx), call))

    def clear_default(self, group: str) -> None:
        call = Call(names={"group": group}, now=NOW)
        self.store.write(lambda tx: defaults.clear(self.desk(tx), call))


def rows_read(house: House, curve: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many rows the removal of a curve reads, be it refused."""
    count = 0
    plain = Connection.all

    def counting(self: Connection, *args: Any, **more: Any) -> list[Any]:  # noqa: ANN401
        nonlocal count
        found = plain(self, *args, **more)
        count += len(found)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "all", counting)
        try:
            house.remove(curve)
        except Conflict:
            return -count
    return count


def removal(path: Path, controls: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Rows that the removal of a curve reads that nobody follows, in a house with so many controls."""
    house = House(path)
    idle, busy = house.curve("idle"), house.curve("busy")
    follow: Base = {"opModVoltVar": house.href(busy)}
    house.publish("far", [follow if number % 2 else {"opModMaxLimW": "50%"} for number in range(controls)])
    count = rows_read(house, idle, monkeypatch)
    house.store.close()
    return count


def test_a_curve_is_removed_at_the_same_cost_however_many_controls_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = (removal(tmp_path / f"{count}.db", count, monkeypatch) for count in (4, 200))
    assert few == many >= 0


def test_a_refusal_reads_a_part_of_those_who_follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path / "busy.db")
    busy = house.curve("busy")
    follow: Base = {"opModVoltVar": house.href(busy)}
    house.publish("far", [follow] * 3 * curves.BATCH)
    assert -curves.BATCH <= rows_read(house, busy, monkeypatch) < 0
    house.store.close()
