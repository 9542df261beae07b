"""What is kept over SIGKILL comes back as it was; a damaged value is said to be one."""

import asyncio
import json
from pathlib import Path

import pytest

from openadr_ven.events import Enrolment, Ports, Resource, Snapshot, State, Target, receive, uniform
from openadr_ven.memory import FileMemory, InMemory, KeptError
from openadr_ven.v3.kept import MOST_OWED, Asked, Kept, Owed, kept_of, value_of
from openadr_ven.v3.objects import ReportDescriptor, ReportIntervals
from openadr_ven.v3.owing import owing
from openadr_ven.v3.pace import Backoff, spread
from tests.unit.openadr_ven.v3_builder import T0, event_json, read

DESCRIPTOR = ReportDescriptor(
    payloadType="USAGE",
    targets=(Target(kind="", value="east"),),
    numIntervals=2,
    reportIntervals=ReportIntervals.SUB_INTERVALS,
)


def full() -> Kept:
    ven = Enrolment(ven_id="ven-1", resources=(Resource(name="battery"),))
    ports = Ports(enrolment=ven, draw=uniform(lambda: 0.5))
    step = receive(State(), Snapshot(events=(read(event_json()).event,), is_full=True), T0, ports)
    return Kept(
        ven_id="ven-1",
        subscriptions={"": "subscription-1"},
        token="t",
        state=step.state,
        asked={"event-1": Asked(descriptors=(DESCRIPTOR,), done=(3,), since=T0)},
        owed=(Owed(reportName="r", eventID="event-1", body={"eventID": "event-1"}, tries=2),),
        told={"event-1": {"battery": "NORMAL"}},
        away={"event-1": ("battery",)},
    )


@pytest.mark.parametrize("kept", [Kept(), full()])
def test_what_is_kept_comes_back(kept: Kept) -> None:
    assert kept_of(json.loads(json.dumps(value_of(kept)))) == kept


@pytest.mark.parametrize(
    "change",
    [
        {"version": 3},
        {"state": "{"},
        {"asked": {"a": {}}},
        {"owed": [{}]},
        {"asked": 7},
        {"asked": {"a": {"descriptors": [{"payloadType": "x"}], "done": [0], "since": 0}}},
    ],
)
def test_damaged_value_is_an_error(change: dict[str, object]) -> None:
    found = value_of(full())
    assert isinstance(found, dict)

    with pytest.raises(KeptError):
        kept_of(found | change)


def test_nothing_kept_is_a_beginning() -> None:
    assert kept_of(None) == Kept()
    with pytest.raises(KeptError):
        kept_of([])


def test_token_is_in_no_text() -> None:
    assert "hush" not in repr(Kept(token="hush"))


def test_file_keeps_the_last_value_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "ven.json"

    async def scenario() -> object:
        assert await FileMemory(path).load() is None
        await FileMemory(path).save({"a": 1})
        await FileMemory(path).save({"a": 2})
        return await FileMemory(path).load()

    assert asyncio.run(scenario()) == {"a": 2}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["ven.json"]


def test_damaged_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "ven.json"
    path.write_text("{")

    with pytest.raises(KeptError):
        asyncio.run(FileMemory(path).load())
    with pytest.raises(KeptError):
        asyncio.run(InMemory("{").load())


def test_pauses_double_up_to_the_longest_and_begin_anew() -> None:
    backoff = Backoff(60.0)

    pauses = [backoff.failed(0.5) for _ in range(9)]
    backoff.worked()

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert backoff.failed(0.5) == 1


def test_pauses_differ_by_chance_and_are_no_shorter_than_asked_for() -> None:
    assert (spread(10, 0.0), spread(10, 0.5)) == (9, 10)
    assert spread(10, 0.999) < 11
    assert Backoff(60.0).failed(0.5, 100.0) == 100
    assert Backoff(60.0, failures=10**6).failed(0.5) == 60


def test_reports_that_wait_are_bounded_and_the_oldest_go_first() -> None:
    many = [Owed(reportName=f"{number}", eventID="event-1", body={}) for number in range(MOST_OWED + 2)]

    kept = owing(Kept(), *many)

    assert (len(kept.owed), kept.owed[0].reportName) == (MOST_OWED, "2")
