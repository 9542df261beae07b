"""What operators do to one thing costs what has to do with it: rows and statements that are counted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certs import LFDI
from sep2_server.connection import Connection
from sep2_server.end_devices import Enrolment, add_end_device
from sep2_server.operator import programs, rights
from sep2_server.operator.router import Call
from sep2_server.rows import Blocked, Group
from sep2_server.sqlite import SqliteConnection
from sep2_server.transaction import Transaction
from tests.integration.operator_api.test_operator_curve_cost import NOW, House

Job = Callable[[Transaction], object]


def lfdi(number: int) -> LFDI:
    return LFDI(f"{number:040X}")


def counted(house: House, job: Job, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Statements that a job takes, and rows that it reads in lists."""
    counts = {"run": 0, "all": 0}
    run, every = SqliteConnection.run, Connection.all

    def running(self: SqliteConnection, *args: Any, **more: Any) -> Any:  # noqa: ANN401
        counts["run"] += 1
        return run(self, *args, **more)

    def reading(self: Connection, *args: Any, **more: Any) -> list[Any]:  # noqa: ANN401
        found = every(self, *args, **more)
        counts["all"] += len(found)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(SqliteConnection, "run", running)
        patch.setattr(Connection, "all", reading)
        house.store.write(job)
    return counts["run"], counts["all"]


def block_cost(path: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """What it costs to block one certificate more than so many, and that one again."""
    house = House(path)

    def block_all(tx: Transaction) -> None:
        for one in range(number):
            tx.put_blocked(Blocked(lfdi(one), "stolen", NOW))

    def block(tx: Transaction) -> None:
        for _ in range(2):
            told = rights.block(house.desk(tx), Call(body={"lFDI": lfdi(7777), "reason": "lost"}, now=NOW))
            assert (told["lFDI"], told["reason"], told["since"]) == (lfdi(7777), "lost", NOW)

    house.store.write(block_all)
    count = counted(house, block, monkeypatch)
    house.store.close()
    return count


def test_a_certificate_is_blocked_at_the_same_cost_however_many_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = (block_cost(tmp_path / f"{number}.db", number, monkeypatch) for number in (2, 200))
    assert few == many


def program_cost(path: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Statements that it takes to give a further program to a group of so many devices."""
    house = House(path)
    group = house.store.reader.group_named("far")
    assert group is not None

    def enrol(tx: Transaction, group: Group = group) -> None:
        desk = house.desk(tx)
        for one in range(number):
            add_end_device(tx, house.environment, Enrolment(lfdi=lfdi(one), name=f"d{one}"), NOW)
            programs.assign(desk, group, desk.client(f"d{one}"))

    house.store.write(enrol)

    def add(tx: Transaction, group: Group = group) -> None:
        programs.add_program(house.desk(tx), group, primacy=9, description=None)

    statements, _ = counted(house, add, monkeypatch)
    house.store.close()
    return statements


def test_a_program_is_given_to_a_group_without_a_look_at_who_its_members_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more members than are told one by one of their rights."""
    few, many = (program_cost(tmp_path / f"{number}.db", number, monkeypatch) for number in (110, 130))
    assert few == many
