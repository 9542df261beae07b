"""Subscriptions to the programs that are associated with a DER. IEEE 2030.5-2018, 10.10 and 14."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from certs import Pki
from schemas import DERList, DERProgramList
from schemas.codes import NotificationStatus
from sep2_server import Store, tables, transaction
from sep2_server.end_devices import remove_der
from sep2_server.migrations import FORMAT_OPTION, MIGRATIONS
from sep2_server.notifications.entries import RESOURCE, RIGHTS, Watch
from sep2_server.operator import programs
from sep2_server.operator.desk import Desk
from sep2_server.rows import EVERYBODY, Role, Row
from sep2_server.transaction import Transaction
from tests.integration.notifications.conftest import Subscriber
from tests.integration.notifications.listening import Listener, listening, settled, subscribe
from tests.integration.notifications.test_notifications_basic import set_default
from tests.integration.sep2_harness import Bench, Client, running

pytestmark = pytest.mark.usefixtures("each_database")
WATCHES = select(tables.watch.c.subject_id, tables.watch.c.scope)
SHOWN = next(n for n, step in enumerate(MIGRATIONS) if step.name.startswith("programs of a device"))


async def der_of(client: Client, device: Row) -> str:
    """URI of the first DER of a device."""
    return (await client.read(f"{device.href}/der", DERList)).DER_[0].href or ""


async def told_of(listener: Listener) -> list[str]:
    """Descriptions of the programs of the next notification."""
    note = await listener.next()
    assert isinstance(note.Resource_, DERProgramList)
    assert note.Resource_.all == note.Resource_.results == len(note.Resource_.DERProgram_)
    return [program.description or "" for program in note.Resource_.DERProgram_]


@pytest.mark.parametrize("few", [0, 100], ids=["many-members", "few-members"])
async def test_each_change_of_what_a_der_is_associated_with_is_told(
    told: Bench, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(transaction, "_FEW", few)
    listener, (feeder, first) = subscriber.listener, await told.group("feeder", "one")
    await told.enrol("two")
    other, second = await told.group("other", "two", primacy=3)
    place = await der_of(subscriber.client, subscriber.row)
    await subscribe(subscriber.client, subscriber.row, f"{place}/derp", listener.uri)

    def added(desk: Desk) -> Row:
        return programs.add_program(desk, feeder, primacy=7, description="added")

    third = await told.do(added)
    assert await told_of(listener) == ["feeder", "added"]
    await told.do(lambda desk: programs.assign(desk, other, desk.client("one")))
    assert await told_of(listener) == ["other", "feeder", "added"]
    await told.do(lambda desk: programs.hide(desk, feeder, third))
    assert await told_of(listener) == ["other", "feeder"]
    await told.do(lambda desk: set_default(desk, 50))
    assert await told_of(listener) == ["other", "feeder"]
    await told.do(lambda desk: programs.unassign(desk, other, desk.client("one")))
    assert await told_of(listener) == ["feeder"]
    await settled(told)
    before = len(listener.posted)
    await told.do(lambda desk: programs.add_program(desk, other, primacy=1, description="of another"))
    await settled(told)
    assert len(listener.posted) == before, "nothing that the list shows"
    assert {first.id, second.id} <= {row.id for row in told.store.reader.of_kind("DERProgram")}


async def test_who_subscribed_hears_when_the_der_is_gone(told: Bench, subscriber: Subscriber) -> None:
    await told.group("feeder", "one")
    place = await der_of(subscriber.client, subscriber.row)
    await subscribe(subscriber.client, subscriber.row, f"{place}/derp", subscriber.listener.uri)

    def remove(desk: Desk) -> None:
        row = desk.reader.by_href(place)
        assert row is not None
        remove_der(desk.transaction, desk.environment, row)

    await told.do(remove)
    assert (await subscriber.listener.next()).status == NotificationStatus.DELETED


async def test_an_aggregator_is_told_of_the_programs_of_its_device(told: Bench) -> None:
    boss = await told.enrol("boss", role=Role.AGGREGATOR)
    device = await told.enrol("one", aggregator=boss)
    client = await told.client("boss")
    group, _ = await told.group("feeder")
    async with listening(told.credentials("boss")) as listener:
        await subscribe(client, boss, f"{await der_of(client, device)}/derp", listener.uri)
        await told.do(lambda desk: programs.assign(desk, group, desk.client("one")))
        assert await told_of(listener) == ["feeder"]


def as_before(subscription_id: int, listed: Row, program: Row) -> Callable[[Transaction], None]:
    """The database as format 12 had it: the program is listed at the DER, and the list is waited for."""

    def job(tx: Transaction) -> None:
        tx.add_member(listed.id, program)
        held = tx.ledger.subscriptions_of([subscription_id])[subscription_id]
        place = tx.last_change()
        watches = [Watch(listed.id, scope, held.id, None, place) for scope in (RESOURCE, EVERYBODY)]
        tx.ledger.put(held._replace(seen=None), watches)
        tx._db.control("DROP TABLE linking")
        tx._db.control("DROP TABLE removal")
        tx._db.control("DROP INDEX resource_points")
        tx.put_option(FORMAT_OPTION, str(SHOWN))

    return job


async def test_who_subscribed_to_an_older_server_is_told_as_one_who_does_now(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    settings: dict[str, Any] = {"notification_gap_ms": 0, "notification_hosts": "127.0.0.1"}
    async with running(tmp_path, sep2_pki, **settings) as bench:
        device, client = await bench.device("one")
        group, program = await bench.group("feeder", "one")
        place = await der_of(client, device)
        async with listening(bench.credentials("one")) as listener:
            reply = await subscribe(client, device, f"{place}/derp", listener.uri)
            wanted = watches(bench.store)
            listed = bench.store.reader.by_href(f"{place}/derp")
            row = bench.store.reader.by_href(reply.location)
            assert listed is not None
            assert row is not None
    store = Store(bench.server.settings.database)
    store.write(as_before(row.id, listed, program))
    assert watches(store) != wanted
    store.close()
    async with (
        listening(bench.credentials("one"), port=listener.port) as listener,
        running(tmp_path, sep2_pki, **settings) as again,
    ):
        assert (
            watches(again.store)
            == wanted
            == {
                (program.id, RESOURCE),
                (listed.id, RESOURCE),
                (device.id, RIGHTS),
                (EVERYBODY, RIGHTS),
            }
        )
        assert again.store.reader.members(listed.id) == []
        client = await again.client("one")
        assert (await client.read(f"{place}/derp", DERProgramList)).all == 1
        await again.do(lambda desk: programs.add_program(desk, group, primacy=7, description="added"))
        assert await told_of(listener) == ["feeder", "added"]
        await again.do(lambda desk: programs.unassign(desk, group, desk.client("one")))
        assert await told_of(listener) == []


def watches(store: Store) -> set[tuple[int, int]]:
    """What all subscriptions wait for."""
    rows = store.reader._db.all(tuple, WATCHES)
    return {(int(subject), int(scope)) for subject, scope in rows}
