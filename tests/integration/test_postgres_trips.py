"""How many trips to PostgreSQL a write of a device takes: each costs more than what it does there."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from bench.documents import readings, status, usage_point
from schemas import DERList
from sep2_server.connection import Writes
from sep2_server.postgres import LoopConnection
from sep2_server.postgres_writes import FEW, parts_of
from sep2_server.tables import metadata
from tests.integration.sep2_harness import DATABASES, Bench
from tests.integration.test_sep2_responses import event_for, response
from tests.postgres import Postgres

BEGIN_AND_COMMIT = 2


@pytest.fixture(autouse=True)
def on_postgres(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with postgres.databases() as of:
        monkeypatch.setattr(DATABASES, "of", of)
        yield


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts the trips of the event loop's connection."""
    count = [0]
    plain: Any = LoopConnection._wait

    def counted(self: LoopConnection, awaited: Any) -> Any:  # noqa: ANN401
        count[0] += 1
        return plain(self, awaited)

    monkeypatch.setattr(LoopConnection, "_wait", counted)
    return count


async def taken(trips: list[int], write: Callable[[int], Awaitable[int]]) -> int:
    """Trips of a write, once all its statements are prepared."""
    for number in range(1, 4):
        assert await write(number) < 300
    trips[0] = 0
    assert await write(4) < 300
    return trips[0]


async def test_writes_of_a_device_take_few_trips(bench: Bench, trips: list[int]) -> None:
    device, client = await bench.device("trips")
    lfdi = bench.credentials("trips").lfdi
    mirror = (await client.send("POST", "/mup", usage_point(lfdi))).location
    listed = await client.read(f"{device.href}/der", DERList)
    answers = await event_for(bench, "trips")

    async def put(number: int) -> int:
        return (await client.send("PUT", f"{listed.DER_[0].href}/ders", status(number))).status

    async def post(number: int) -> int:
        return (await client.send("POST", mirror, readings(lfdi, number))).status

    async def respond(number: int) -> int:
        return (await client.post(answers, response(lfdi, number))).status

    assert await taken(trips, put) == BEGIN_AND_COMMIT + 2
    assert await taken(trips, post) == BEGIN_AND_COMMIT + 4
    assert await taken(trips, respond) == BEGIN_AND_COMMIT + 3


def writes(updates: int, reports: int) -> Writes:
    changed = [{"row_id": number, "new_body": b"x"} for number in range(updates)]
    gone = [{"end_device_id": 1, "subject": "A", "status": number} for number in range(reports)]
    row = metadata.tables["tally"], ("list_id", "scope", "amount"), [(1, 0, 1)]
    return Writes([row], {frozenset({"body"}): changed} if updates else {}, gone, [])


@pytest.mark.parametrize(("updates", "reports"), [(1, 0), (FEW, 0), (FEW - 1, 1), (0, FEW)])
def test_few_changes_go_into_one_statement(updates: int, reports: int) -> None:
    found = parts_of(writes(updates, reports))
    assert found is not None
    assert len(found[0]) == 1 + updates + reports


@pytest.mark.parametrize(("updates", "reports"), [(0, 0), (FEW, 1), (FEW + 1, 0), (0, FEW + 1)])
def test_one_part_alone_and_many_changes_do_not(updates: int, reports: int) -> None:
    assert parts_of(writes(updates, reports)) is None
