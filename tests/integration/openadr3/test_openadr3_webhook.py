"""Notifications by webhook: at once, whoever sends them, however often, and with a slow poll behind."""

import io

import aiohttp
import pytest

from openadr_ven.events import ChangeKind
from openadr_ven.v3.client import MOST_WAITING
from openadr_ven.v3.objects import Notification
from openadr_ven.v3.version import ObjectType, Operation, Version
from tests.integration.openadr3.vtn_bench import BOTH, Bench, Json, play


async def subscribed(bench: Bench) -> None:
    """One program, and the VTN tells of it."""
    await bench.program()
    await bench.until(lambda: bench.ven.kept.ven_id)
    await bench.until(lambda: bench.ven.kept.subscriptions)
    await bench.pass_by(2)


def hook(bench: Bench) -> str:
    return f"http://127.0.0.1:{bench.ven.webhook_port}/hook"


def notification(bench: Bench, operation: str, found: Json) -> Json:
    return {"objectType": "EVENT", "operation": operation, "object": found}


@pytest.mark.parametrize("version", BOTH)
def test_event_is_told_changed_and_deleted_without_a_poll(version: Version) -> None:
    async def scenario(bench: Bench) -> None:
        await subscribed(bench)
        asked = bench.asked("/events")
        event = await bench.event()
        await bench.pass_by(0.5)
        assert len(bench.plans()) == 1
        await bench.vtn.change(ObjectType.EVENT, str(event["id"]), priority=1)
        await bench.pass_by(0.5)
        assert bench.plans()[0].event.priority == 1
        await bench.vtn.delete(ObjectType.EVENT, str(event["id"]))
        await bench.pass_by(0.5)
        assert bench.plans() == ()
        assert bench.asked("/events") == asked
        assert bench.vtn.undelivered == 0

    play(version, scenario, with_webhook=True)


@pytest.mark.parametrize("version", BOTH)
def test_list_is_polled_more_slowly_once_the_vtn_tells(version: Version) -> None:
    async def scenario(bench: Bench) -> None:
        await subscribed(bench)
        asked = bench.asked("/events")
        await bench.pass_by(2000)
        assert bench.asked("/events") - asked == 2

    play(version, scenario, with_webhook=True)


def test_slow_poll_finds_what_no_notification_told() -> None:
    async def scenario(bench: Bench) -> None:
        await subscribed(bench)
        bench.vtn.store.objects[ObjectType.SUBSCRIPTION].clear()
        await bench.event(start_s=9000)
        await bench.until(bench.plans)
        await bench.until(lambda: bench.vtn.of(ObjectType.SUBSCRIPTION))

    play(Version.V310, scenario, with_webhook=True)


@pytest.mark.parametrize("token", ["", "wrong", "ü"])
def test_notification_without_our_token_is_not_heard(token: str) -> None:
    async def scenario(bench: Bench) -> None:
        await subscribed(bench)
        event = await bench.event()
        await bench.pass_by(1)
        status = await bench.vtn.notify(
            hook(bench), token, notification(bench, "DELETE", {"id": event["id"], "objectType": "EVENT"})
        )
        await bench.pass_by(1)
        assert status == 401
        assert len(bench.plans()) == 1

    play(Version.V310, scenario, with_webhook=True)


def test_notifications_that_come_again_change_nothing() -> None:
    async def scenario(bench: Bench) -> None:
        await subscribed(bench)
        first = await bench.event()
        await bench.pass_by(1)
        second = await bench.vtn.change(ObjectType.EVENT, str(first["id"]), priority=1)
        await bench.pass_by(1)
        token = bench.ven.kept.token
        count = len(bench.changes)
        for operation, found in (("CREATE", first), ("UPDATE", second), ("CREATE", first)):
            assert await bench.vtn.notify(hook(bench), token, notification(bench, operation, found)) == 200
        await bench.pass_by(1)
        assert (len(bench.changes), bench.plans()[0].event.priority) == (count, 1)
        await bench.vtn.delete(ObjectType.EVENT, str(first["id"]))
        await bench.pass_by(1)
        count = len(bench.changes)
        for operation in ("DELETE", "UPDATE", "CREATE"):
            assert await bench.vtn.notify(hook(bench), token, notification(bench, operation, second)) == 200
        await bench.pass_by(1)
        assert (len(bench.changes), bench.plans()) == (count, ())

    play(Version.V310, scenario, with_webhook=True)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'{"objectType":"EVENT","operation":"BURN","object":{}}', 400),
        (b"[" * 100_000, 400),
        (b" " * 2_000_000, 413),
        (b'{"objectType":"EVENT","operation":"UPDATE","object":7}', 200),
        (b'{"objectType":"EVENT","operation":"UPDATE","object":{"objectType":"EVENT"}}', 200),
    ],
    ids=["end", "list", "operation", "deep", "large", "number", "without id"],
)
def test_broken_notification_changes_nothing(body: bytes, status: int) -> None:
    async def scenario(bench: Bench) -> None:
        await subscribed(bench)
        await bench.event()
        await bench.pass_by(1)
        headers = {"Authorization": f"Bearer {bench.ven.kept.token}"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(hook(bench), data=io.BytesIO(body), headers=headers) as response,
        ):
            assert response.status == status
        await bench.pass_by(5)
        assert len(bench.plans()) == 1

    play(Version.V310, scenario, with_webhook=True)


def test_event_of_a_program_that_is_new_is_read_with_its_units() -> None:
    async def scenario(bench: Bench) -> None:
        await subscribed(bench)
        new = await bench.program(programName="new")
        await bench.event(programID=new["id"])
        await bench.pass_by(10)
        assert [float(one.values[0]) for one in bench.plans()[0].dispatches] == [-2000.0]  # type: ignore[arg-type]

    play(Version.V310, scenario, with_webhook=True)


def test_new_program_of_301_gets_a_subscription_of_its_own() -> None:
    async def scenario(bench: Bench) -> None:
        await subscribed(bench)
        await bench.program(programName="new")
        await bench.until(lambda: len(bench.vtn.of(ObjectType.SUBSCRIPTION)) == 2)

    play(Version.V301, scenario, with_webhook=True)


@pytest.mark.parametrize("status", [403, 500])
def test_vtn_that_takes_no_subscription_is_polled(status: int) -> None:
    async def scenario(bench: Bench) -> None:
        bench.vtn.faults.status, bench.vtn.faults.only = status, "/subscriptions"
        await bench.event(start_s=300)
        await bench.until(lambda: ChangeKind.STARTED in [change.kind for change in bench.changes])
        assert bench.ven.kept.subscriptions == {}

    play(Version.V310, scenario, with_webhook=True)


@pytest.mark.parametrize("status", [403, 500])
def test_vtn_that_fails_at_subscriptions_later_is_polled_until_it_takes_them_again(status: int) -> None:
    async def scenario(bench: Bench) -> None:
        await subscribed(bench)
        made = await bench.event(start_s=0, intervalPeriod={"start": bench.text(0), "duration": "P9999Y"})
        await bench.until(bench.plans)
        bench.vtn.faults.status, bench.vtn.faults.only = status, "/subscriptions"
        await bench.until(lambda: bench.ven.kept.subscriptions == {})
        bench.vtn.store.objects[ObjectType.EVENT].pop(str(made["id"]))
        await bench.until(lambda: not bench.plans())
        bench.vtn.faults.clear()
        await bench.until(lambda: bench.ven.kept.subscriptions)

    play(Version.V310, scenario, with_webhook=True)


def test_subscriptions_survive_a_kill_and_are_not_doubled() -> None:
    async def scenario(bench: Bench) -> None:
        await subscribed(bench)
        token = bench.ven.kept.token
        await bench.stop_ven()
        await bench.start_ven()
        await bench.until(lambda: bench.asked("/subscriptions/"))
        await bench.pass_by(5)
        assert len(bench.vtn.of(ObjectType.SUBSCRIPTION)) == 1
        assert bench.ven.kept.token == token

    play(Version.V310, scenario, with_webhook=True)


def test_what_is_told_while_the_list_is_read_is_not_taken_for_deleted() -> None:
    """The page was made before the event was, and comes after the notification."""

    async def scenario(bench: Bench) -> None:
        await subscribed(bench)
        pages = bench.ven._wire.get
        looks: list[int] = []

        async def slow(path: str, query: object = ()) -> object:
            found = await pages(path, query)  # type: ignore[arg-type]
            if path == "/events" and not bench.vtn.of(ObjectType.EVENT):
                await bench.event()
                await bench.pass_by(1)
                assert len(bench.plans()) == 1
                looks.append(bench.asked("/events"))
            return found

        bench.ven._wire.get = slow  # type: ignore[method-assign]
        await bench.until(bench.plans)
        await bench.pass_by(30)
        assert bench.asked("/events") > looks[0] + 1
        assert len(bench.plans()) == 1
        assert ChangeKind.CANCELLED not in [change.kind for change in bench.changes]

    play(Version.V310, scenario, with_webhook=True)


def test_flood_of_notifications_is_bounded_and_nothing_is_lost() -> None:
    async def scenario(bench: Bench) -> None:
        await subscribed(bench)
        token = bench.ven.kept.token
        one = await bench.event()
        await bench.pass_by(1)
        taken = [bench.ven._notified(_notice(one)) for _ in range(MOST_WAITING + 50)]
        assert taken.count(False) == 50
        asked = bench.asked("/events")
        await bench.pass_by(5)
        assert bench.asked("/events") > asked
        bench.vtn.store.objects[ObjectType.SUBSCRIPTION].clear()
        await bench.event("later")
        await bench.until(lambda: len(bench.plans()) == 2)
        assert token == bench.ven.kept.token

    play(Version.V310, scenario, with_webhook=True)


def _notice(found: Json) -> Notification:
    return Notification(objectType=ObjectType.EVENT, operation=Operation.UPDATE, found=found)


@pytest.mark.parametrize(("query", "status"), [("?echo=abc", 200), ("", 400), ("?echo=" + "a" * 2000, 400)])
def test_echo_is_said(query: str, status: int) -> None:
    async def scenario(bench: Bench) -> None:
        await subscribed(bench)
        async with aiohttp.ClientSession() as session, session.get(hook(bench) + query) as response:
            assert response.status == status
            assert (await response.text() == "abc") is (status == 200)

    play(Version.V310, scenario, with_webhook=True)
