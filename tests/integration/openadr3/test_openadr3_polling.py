"""A VEN of 3.x polls its VTN: who it is there, what it is to do, and whatever the VTN does wrong."""

import logging

import pytest

from openadr_ven.events import ChangeKind
from openadr_ven.events.planning import in_force
from openadr_ven.v3.version import ObjectType, Version
from tests.integration.openadr3.vtn_bench import BOTH, HOUR, SECRET, Bench, Json, play
from tests.virtual_time import VirtualTime


def kinds(bench: Bench) -> list[ChangeKind]:
    return [change.kind for change in bench.changes]


@pytest.mark.parametrize("version", BOTH)
def test_event_is_found_started_and_completed(version: Version) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.event()
        await bench.until(lambda: ChangeKind.COMPLETED in kinds(bench))
        assert kinds(bench) == [ChangeKind.RECEIVED, ChangeKind.STARTED, ChangeKind.COMPLETED]

    play(version, scenario)


@pytest.mark.parametrize("version", BOTH)
def test_ven_and_resources_are_made_once_and_found_again(version: Version) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.until(lambda: bench.ven.kept.ven_id)
        await bench.stop_ven()
        bench.memory.text = None
        await bench.start_ven()
        await bench.until(lambda: bench.ven.kept.ven_id)
        (ven,) = bench.vtn.of(ObjectType.VEN)
        (resource,) = bench.vtn.of(ObjectType.RESOURCE)
        assert (ven["venName"], resource["resourceName"]) == ("site one", "battery")
        assert resource["venID"] == ven["id"] == bench.ven.kept.ven_id

    play(version, scenario)


@pytest.mark.parametrize("version", BOTH)
def test_ven_that_the_vtn_lost_is_made_again(version: Version) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.until(lambda: bench.ven.kept.ven_id)
        first = bench.ven.kept.ven_id
        bench.vtn.store.objects[ObjectType.VEN].clear()
        bench.vtn.store.objects[ObjectType.RESOURCE].clear()
        await bench.until(lambda: bench.ven.kept.ven_id != first)
        assert len(bench.vtn.of(ObjectType.VEN)) == 1

    play(version, scenario)


@pytest.mark.parametrize("version", BOTH)
def test_event_that_is_missing_from_a_complete_round_is_deleted(version: Version) -> None:
    async def scenario(bench: Bench) -> None:
        event = await bench.event(start_s=0)
        await bench.until(bench.plans)
        await bench.vtn.delete(ObjectType.EVENT, str(event["id"]))
        await bench.until(lambda: not bench.plans())
        assert ChangeKind.CANCELLED in kinds(bench)

    play(version, scenario)


@pytest.mark.parametrize("count", [1, 49, 50, 51, 99, 120])
def test_all_pages_are_walked(count: int) -> None:
    async def scenario(bench: Bench) -> None:
        for number in range(count):
            await bench.event(f"{number:03}")
        await bench.until(lambda: len(bench.plans()) == count)
        assert bench.planned() == [f"{number:03}" for number in range(count)]

    play(Version.V310, scenario)


FAULTY_PAGES: dict[str, Json] = {
    "a page is lost": {"lost_page": 1},
    "a page comes twice": {"repeated_page": True},
    "an object cannot be told": {"stranger": True},
    "answers end in the middle": {"broken_json": True, "only": "/events"},
    "a list is an object": {"wrong_type": True, "only": "/events"},
    "500": {"status": 500, "only": "/events"},
    "403": {"status": 403, "only": "/events"},
    "404": {"status": 404, "only": "/events"},
    "429": {"status": 429, "only": "/events", "retry_after": "100"},
    "300": {"status": 300, "only": "/events"},
    "hang": {"hang": True, "only": "/events"},
}


@pytest.mark.parametrize("name", FAULTY_PAGES)
def test_nothing_counts_as_deleted_while_the_list_cannot_be_read(name: str) -> None:
    async def scenario(bench: Bench) -> None:
        for number in range(60):
            await bench.event(
                f"{number}", start_s=0, intervalPeriod={"start": bench.text(0), "duration": "P9999Y"}
            )
        await bench.until(lambda: len(bench.plans()) == 60)
        gone = bench.vtn.of(ObjectType.EVENT)[55]
        await bench.vtn.delete(ObjectType.EVENT, str(gone["id"]))
        for switch, value in FAULTY_PAGES[name].items():
            setattr(bench.vtn.faults, switch, value)
        asked = bench.asked("/events")
        await bench.pass_by(10 * 60)
        assert bench.asked("/events") > asked or name == "hang"
        assert len(bench.plans()) == 60
        bench.vtn.faults.clear()
        await bench.until(lambda: len(bench.plans()) == 59)

    play(Version.V310, scenario)


@pytest.mark.parametrize("switch", [{"page_cap": 7}, {"no_paging": True}])
def test_list_is_complete_though_its_pages_are_not_as_asked_for(switch: Json) -> None:
    async def scenario(bench: Bench) -> None:
        for name, value in switch.items():
            setattr(bench.vtn.faults, name, value)
        for number in range(60):
            await bench.event(f"{number}")
        await bench.until(lambda: len(bench.plans()) == 60)
        await bench.vtn.delete(ObjectType.EVENT, str(bench.vtn.of(ObjectType.EVENT)[30]["id"]))
        await bench.until(lambda: len(bench.plans()) == 59)

    play(Version.V310, scenario)


def test_flood_is_bounded_and_nothing_counts_as_deleted() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.event(start_s=0, intervalPeriod={"start": bench.text(0), "duration": "P9999Y"})
        await bench.until(bench.plans)
        bench.vtn.faults.no_paging = True
        bench.vtn.faults.flood = 6_000
        await bench.pass_by(100)
        assert bench.planned() == ["one"]
        assert len(bench.ven.kept.state.records) == 1

    play(Version.V310, scenario)


def test_stale_modification_is_ignored() -> None:
    async def scenario(bench: Bench) -> None:
        first = await bench.event(start_s=0)
        await bench.until(bench.plans)
        row = [{"id": 0, "payloads": [{"type": "DISPATCH_SETPOINT", "values": [-5]}]}]
        await bench.vtn.change(ObjectType.EVENT, str(first["id"]), intervals=row)
        await bench.until(lambda: ChangeKind.MODIFIED in kinds(bench))
        bench.vtn.faults.stale = {str(first["id"]): first}
        await bench.pass_by(300)
        assert [float(one.values[0]) for one in bench.plans()[0].dispatches] == [-5000.0]  # type: ignore[arg-type]

    play(Version.V310, scenario)


@pytest.mark.parametrize("version", BOTH)
def test_change_that_the_vtn_does_not_tell_is_taken_and_logged_once(
    version: Version, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(bench: Bench) -> None:
        event = await bench.event()
        await bench.until(bench.plans)
        bench.vtn.store.objects[ObjectType.EVENT][str(event["id"])]["priority"] = 5
        await bench.until(lambda: bench.plans()[0].event.priority == 5)
        await bench.pass_by(300)
        assert kinds(bench).count(ChangeKind.MODIFIED) == 1

    play(version, scenario)
    assert caplog.text.count("changed without a newer modificationDateTime") == 1


def test_clock_of_the_vtn_that_lies_moves_no_event() -> None:
    async def scenario(bench: Bench) -> None:
        bench.vtn.faults.clock_offset_s = 30 * 86_400
        await bench.event(start_s=HOUR)
        start = int(bench.clock.time()) + HOUR
        await bench.until(lambda: ChangeKind.STARTED in kinds(bench))
        assert abs(bench.changes[-1].at - start) <= 2

    play(Version.V310, scenario)


def test_broken_event_is_refused_alone() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.event("broken", priority=-1)
        await bench.event("good")
        await bench.until(bench.plans)
        assert bench.planned() == ["good"]
        assert {change.code for change in bench.changes if change.kind is ChangeKind.REFUSED} == {454}

    play(Version.V310, scenario)


def test_vtn_that_is_down_at_start_is_found_when_it_comes() -> None:
    clock = VirtualTime()

    async def main() -> None:
        bench = Bench(Version.V310, clock)
        bench.reserve()
        async with bench.running(with_vtn=False):
            await bench.pass_by(600)
            await bench.start_vtn()
            await bench.event()
            await bench.until(bench.plans)

    clock.run(main())


def test_vtn_that_fails_is_asked_ever_more_slowly() -> None:
    async def scenario(bench: Bench) -> None:
        bench.vtn.faults.status = 503
        before = len(bench.vtn.exchanges)
        await bench.pass_by(HOUR)
        assert 50 <= len(bench.vtn.exchanges) - before <= 80

    play(Version.V310, scenario)


def test_retry_after_is_heeded() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.until(lambda: bench.asked("/events"))
        bench.vtn.faults.status, bench.vtn.faults.retry_after = 503, "1800"
        before = len(bench.vtn.exchanges)
        await bench.pass_by(HOUR)
        assert 1 <= len(bench.vtn.exchanges) - before <= 3

    play(Version.V310, scenario)


def test_event_starts_on_time_while_the_vtn_hangs() -> None:
    async def scenario(bench: Bench) -> None:
        start = int(bench.clock.time()) + HOUR
        await bench.event(start_s=HOUR)
        await bench.until(bench.plans)
        bench.vtn.faults.hang = True
        await bench.until(lambda: ChangeKind.STARTED in kinds(bench))
        assert bench.changes[-1].at <= start + 1

    play(Version.V310, scenario)


def test_events_survive_a_kill_while_the_vtn_is_away() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.event(start_s=HOUR)
        await bench.until(bench.plans)
        await bench.stop_ven()
        await bench.stop_vtn()
        await bench.start_ven()
        await bench.until(lambda: ChangeKind.STARTED in kinds(bench))
        assert len(bench.plans()) == 1

    play(Version.V310, scenario)


@pytest.mark.parametrize("version", BOTH)
def test_token_is_renewed_ahead_of_its_end(version: Version) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.pass_by(2 * HOUR)
        assert 12 <= bench.asked("/auth/token", "POST") <= 14
        assert [one for one in bench.vtn.exchanges if one.status == 401] == []
        assert bench.asked("/auth/server") == (
            0 if version is Version.V301 else bench.asked("/auth/token", "POST")
        )

    play(version, scenario, token_life_s=660)


@pytest.mark.parametrize("version", BOTH)
def test_token_that_is_refused_in_the_middle_is_renewed_at_once(version: Version) -> None:
    async def scenario(bench: Bench) -> None:
        for number in range(60):
            await bench.event(f"{number}")
        await bench.until(lambda: len(bench.plans()) == 60)
        bench.vtn.revoke()
        await bench.event("more")
        await bench.until(lambda: len(bench.plans()) == 61)
        assert bench.asked("/auth/token", "POST") == 2
        assert [one.status for one in bench.vtn.exchanges if one.status >= 400] == [401]

    play(version, scenario)


def test_token_that_is_always_refused_is_asked_for_at_the_pace_of_failures() -> None:
    async def scenario(bench: Bench) -> None:
        bench.vtn.faults.refuse_tokens = 10**9
        before = bench.asked("/auth/token", "POST")
        await bench.pass_by(HOUR)
        assert bench.asked("/auth/token", "POST") - before <= 160

    play(Version.V310, scenario)


def test_public_vtn_is_spoken_to_without_a_token() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.event()
        await bench.until(bench.plans)
        assert bench.asked("/auth") + bench.asked("/auth", "POST") == 0

    play(Version.V310, scenario, with_tokens=False)


def test_no_secret_and_no_token_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.event()
        await bench.until(bench.plans)
        bench.vtn.revoke()
        bench.vtn.faults.status, bench.vtn.faults.times = 500, 3
        await bench.pass_by(600)
        text = caplog.text + repr(bench.ven.kept)
        assert "a new one is asked for" in text
        tokens = [str(one.answer["access_token"]) for one in bench.vtn.exchanges if one.path == "/auth/token"]  # type: ignore[index]
        assert [word for word in (SECRET, bench.ven.kept.token, *tokens) if word in text] == []

    with caplog.at_level(logging.DEBUG):
        play(Version.V310, scenario)


def test_targeted_events_are_seen_by_the_targets_that_the_vtn_granted() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.event("for all")
        await bench.event("for east", targets=["east"])
        await bench.event("for west", targets=["west"])
        await bench.until(lambda: bench.planned() == ["for all"])
        (resource,) = bench.vtn.of(ObjectType.RESOURCE)
        await bench.vtn.change(ObjectType.RESOURCE, str(resource["id"]), targets=["east"])
        await bench.until(lambda: bench.planned() == ["for all", "for east"])
        await bench.vtn.change(ObjectType.RESOURCE, str(resource["id"]), targets=[])
        await bench.until(lambda: bench.planned() == ["for all"])

    play(Version.V310, scenario)


def test_event_whose_target_is_granted_again_is_planned_again() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.event("for east", start_s=6000, targets=["east"])
        await bench.until(lambda: bench.ven.kept.ven_id)
        (resource,) = bench.vtn.of(ObjectType.RESOURCE)
        for targets, planned in ((["east"], ["for east"]), ([], []), (["east"], ["for east"])):
            await bench.vtn.change(ObjectType.RESOURCE, str(resource["id"]), targets=targets)
            await bench.until(lambda planned=planned: bench.planned() == planned)  # type: ignore[misc]

    play(Version.V310, scenario)


def test_look_at_ourselves_that_is_refused_once_cancels_nothing() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.until(lambda: bench.ven.kept.ven_id)
        (ven,) = bench.vtn.of(ObjectType.VEN)
        await bench.vtn.change(ObjectType.VEN, str(ven["id"]), targets=["feeder-7"])
        await bench.event("for feeder", start_s=20_000, targets=["feeder-7"])
        await bench.until(lambda: bench.planned() == ["for feeder"])
        faults = bench.vtn.faults
        faults.status, faults.only, faults.times = 403, "/vens", 1
        await bench.until(lambda: not faults.times)
        await bench.pass_by(600)
        assert kinds(bench) == [ChangeKind.RECEIVED]

    play(Version.V310, scenario)


def test_targets_of_301_are_compared_here() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.event("for us", targets=[{"type": "VEN_NAME", "values": ["site one"]}])
        await bench.event("for others", targets=[{"type": "VEN_NAME", "values": ["site two"]}])
        await bench.event("for the battery", targets=[{"type": "RESOURCE_NAME", "values": ["battery"]}])
        await bench.until(lambda: len(bench.ven.kept.state.records) == 3)
        assert bench.planned() == ["for the battery", "for us"]

    play(Version.V301, scenario)


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("status", [403, 404, 409, 501])
def test_events_are_read_where_the_vtn_takes_no_ven(version: Version, status: int) -> None:
    async def scenario(bench: Bench) -> None:
        bench.vtn.faults.status, bench.vtn.faults.only = status, "/vens"
        await bench.event()
        await bench.until(lambda: ChangeKind.STARTED in kinds(bench))
        assert bench.ven.kept.ven_id is None

    play(version, scenario)


def test_event_that_began_long_ago_is_in_the_interval_of_now() -> None:
    async def scenario(bench: Bench) -> None:
        rows = [
            {"id": number, "payloads": [{"type": "DISPATCH_SETPOINT", "values": [number]}]}
            for number in range(10)
        ]
        period = {"start": bench.text(-4 * 3600 - 60), "duration": "PT1H"}
        await bench.event(intervals=rows, intervalPeriod=period)
        await bench.until(bench.plans)
        assert [one.uid for one in in_force(bench.plans(), int(bench.clock.time()))] == [4]

    play(Version.V310, scenario)


def test_vtn_of_310_that_tells_no_token_server_has_the_tokens_itself() -> None:
    async def scenario(bench: Bench) -> None:
        bench.vtn.faults.status, bench.vtn.faults.only = 404, "/auth/server"
        await bench.event()
        await bench.until(bench.plans)
        assert bench.asked("/auth/token", "POST") == 1

    play(Version.V310, scenario)
