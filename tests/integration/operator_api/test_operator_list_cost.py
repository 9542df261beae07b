"""What a control costs among many of its program that it does not overlap with, and a list of requests."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas import (
    ActivePower,
    DateTimeInterval,
    DERControl,
    EventStatus,
    FlowReservationRequest,
    FlowReservationResponse,
    RequestStatus,
    SignedRealEnergy,
)
from sep2_server.operator import controls, flows
from sep2_server.operator.desk import Desk
from sep2_server.operator.router import Call
from sep2_server.rows import Client, Role, Row
from sep2_server.transaction import Transaction
from tests.integration.operator_api.test_operator_curve_cost import NOW, Base, House

LIMIT: Base = {"opModMaxLimW": "50%"}
STEPS = 50
"""How many steps of SQLite's machine are one of those that are counted."""
NORTH = Client("A" * 40, 1, "north", Role.DEVICE, 77, None, None, NOW)
MORE = 1.25
"""How much more a control may cost in a list that is twenty times as long: indexes are deeper."""


@pytest.fixture(params=["first", "middle", "last"])
def place(request: pytest.FixtureRequest) -> float:
    """Where in the time of the others the control is."""
    return {"first": 0.0, "middle": 0.5, "last": 0.9}[request.param]


def steps_of(house: House, job: Callable[[Transaction], object]) -> int:
    """Steps of the database that a job takes, and is undone then."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    def counted(tx: Transaction) -> None:
        driver = tx.unit.below._driver  # type: ignore[attr-defined]
        assert isinstance(driver, sqlite3.Connection)
        driver.set_progress_handler(step, STEPS)
        try:
            job(tx)
            tx.unit.flush()
        finally:
            driver.set_progress_handler(None, 0)

    house.store.write(counted)
    return count


def cost(path: Path, number: int, place: float) -> int:
    """Steps to cancel one of so many controls of a program, of a minute each, one after the other."""
    house = House(path)
    house.publish("far", [LIMIT] * number)
    rows = house.store.reader.of_kind("DERControl", limit=number)
    control = rows[int(number * place)].mrid or ""
    call = Call(names={"control": control}, now=NOW)
    count = steps_of(house, lambda tx: controls.cancel(house.desk(tx), call))
    house.store.close()
    return count


def test_a_control_costs_the_same_however_many_there_are_beside_it(tmp_path: Path, place: float) -> None:
    few, many = (cost(tmp_path / f"{number}.db", number, place) for number in (50, 1000))
    assert 0 < many <= few * MORE


def test_what_starts_after_the_last_reads_the_last_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where one may be later at random: its own end counts."""
    house = House(tmp_path / "many.db")
    house.publish("far", [LIMIT] * 100)
    house.publish("far", [LIMIT], start=NOW + 5000, duration=900, randomize_duration_s=300)
    read: list[Row] = []
    plain = Desk.control_of

    def control_of(self: Desk, row: Row) -> DERControl:
        read.append(row)
        return plain(self, row)

    with monkeypatch.context() as patch:
        patch.setattr(Desk, "control_of", control_of)
        house.publish("far", [LIMIT], start="after-last")
    last = max(house.store.reader.of_kind("DERControl", limit=200), key=lambda row: row.id)
    assert last.starts == NOW + 100 * 60
    assert len(read) <= 3
    house.store.close()


def fill(house: House, device: int, number: int) -> None:
    """So many requests of a device, each answered by an event that is over and has left its list."""
    of, fragment = house.environment.uris.of, house.environment.codec.fragment
    wish = DateTimeInterval(start=NOW - 100, duration=60)
    energy, power = SignedRealEnergy(multiplier=0, value=1), ActivePower(multiplier=0, value=1)

    def job(tx: Transaction) -> None:
        for _ in range(number):
            one, other = tx.next_id(), tx.next_id()
            asked = FlowReservationRequest(
                mRID=f"{one:08X}",
                creationTime=NOW,
                energyRequested=energy,
                intervalRequested=wish,
                powerRequested=power,
                RequestStatus_=RequestStatus(dateTime=NOW, requestStatus=0),
            )
            granted = FlowReservationResponse(
                mRID=f"{other:08X}",
                creationTime=NOW,
                EventStatus_=EventStatus(currentStatus=1, dateTime=NOW, potentiallySuperseded=False),
                interval=wish,
                energyAvailable=energy,
                powerAvailable=power,
                subject=asked.mRID,
            )
            for row_id, value in ((one, asked), (other, granted)):
                kind = type(value).__name__
                row = Row(row_id, of(kind, (device, row_id)), kind, owner_id=device, mrid=value.mRID)
                tx.insert(row._replace(body=fragment(value)))

    house.store.write(job)


def listing(house: House, **query: str) -> tuple[int, int]:
    """Steps of the database to list requests, and how many are listed."""
    found: list[object] = []

    def job(tx: Transaction) -> None:
        answer = flows.list_flows(house.desk(tx), Call(query={"limit": "1000", **query}, now=NOW))
        assert isinstance(answer["requests"], list)
        found.extend(answer["requests"])

    return steps_of(house, job), len(found)


@pytest.mark.parametrize("query", [{}, {"open": "true"}, {"device": "north"}])
def test_requests_are_listed_with_one_look_at_what_their_device_was_granted(
    tmp_path: Path, query: dict[str, str]
) -> None:
    costs = []
    for number in (30, 150):
        house = House(tmp_path / f"{number}.db")
        house.store.write(lambda tx: tx.put_client(NORTH))
        fill(house, NORTH.end_device_id, number)
        steps, listed = listing(house, **query)
        assert listed == (0 if "open" in query else number)
        costs.append(steps)
        house.store.close()
    assert 0 < costs[1] <= costs[0] * 5 * MORE


def test_the_requests_of_a_device_cost_nothing_for_those_of_others(tmp_path: Path) -> None:
    house = House(tmp_path / "others.db")
    house.store.write(lambda tx: tx.put_client(NORTH))
    fill(house, NORTH.end_device_id, 30)
    before = listing(house, device="north")
    for other in range(100, 120):
        fill(house, other, 30)
    after = listing(house, device="north")
    assert after[1] == before[1] == 30
    assert after[0] <= before[0] * MORE
    house.store.close()
