"""What operations work with: names that lead nowhere are refused with what to do."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from sep2_server import Environment, Store, settings_of
from sep2_server.bootstrap import prepare
from sep2_server.operator import programs
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import Conflict, NotFound
from sep2_server.rows import Client, Row

NOW = 1_700_000_000


@pytest.fixture
def environment() -> Environment:
    return Environment.of(settings_of({"pen": 1}))


@pytest.fixture
def store(tmp_path: Path, environment: Environment) -> Iterator[Store]:
    opened = Store(tmp_path / "lineside.db")
    opened.write(lambda tx: prepare(tx, environment))
    yield opened
    opened.close()


@pytest.fixture
def desk(store: Store, environment: Environment) -> Desk:
    return Desk(store.reader, environment, NOW, secrets.randbelow)


def test_an_operation_that_reads_cannot_write(desk: Desk) -> None:
    with pytest.raises(TypeError, match="an operation that only reads has no transaction"):
        assert desk.transaction


def test_a_list_that_is_not_there_is_named(desk: Desk) -> None:
    row = Row(7, "/edev/7", "EndDevice")
    with pytest.raises(Conflict, match="/edev/7 has no DERControlList"):
        desk.listed(row, "DERControlList")
    assert desk.items(row, "DERControlList") == []


def test_a_client_that_has_lost_its_end_device_is_named(desk: Desk) -> None:
    client = Client("AB" * 20, 1, "north", "device", 99, None, None, NOW)
    with pytest.raises(NotFound, match="north has lost its resource"):
        desk.end_device(client)


def test_a_group_without_programs_says_so(store: Store, environment: Environment) -> None:
    def empty(desk: Desk) -> None:
        desk.program(programs.add_group(desk, "g"), None)

    with pytest.raises(NotFound, match="group g has no program") as caught:
        store.write(lambda tx: empty(Desk(tx, environment, NOW, secrets.randbelow)))
    assert caught.value.hint == "there are: none"
