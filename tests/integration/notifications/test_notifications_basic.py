"""Subscribe, change, be told what a GET shows. IEEE 2030.5-2018, 14; CSIP CORE-018, AGG and MAINT."""

from pathlib import Path
from typing import Any

import pytest

from certs import Pki
from schemas import (
    DefaultDERControl,
    DERControlList,
    DERList,
    DERProgramList,
    DERStatus,
    EndDeviceList,
    FunctionSetAssignmentsList,
    LogEventList,
    Subscription,
    SubscriptionList,
)
from sep2_server import transaction
from sep2_server.end_devices import remove_end_device
from sep2_server.operator import programs, rates, resources
from sep2_server.operator.defaults import change
from sep2_server.operator.desk import Desk
from sep2_server.operator.router import Call
from sep2_server.rows import Role
from tests.integration.notifications.conftest import Subscriber
from tests.integration.notifications.listening import listening, settled, subscribe, wish
from tests.integration.sep2_harness import START, Bench, make_control, running

MRID = "A1"
STORED = pytest.mark.usefixtures("each_database")
"""Of tests that lean on the store: on SQLite and on PostgreSQL."""


def set_default(desk: Desk, rate: int) -> str:
    """Set setGradW of the default of the program of the group `feeder`; where the default is."""
    call = Call(names={"group": "feeder"}, body={"setGradW": rate}, now=START)
    change(desk, call)
    found = desk.beside(desk.programs(desk.group("feeder"))[0], "DefaultDERControl")
    assert found is not None
    return found.href


async def test_a_subscription_is_made_listed_and_read_back(subscriber: Subscriber) -> None:
    row, client, listener = subscriber.row, subscriber.client, subscriber.listener
    assert (await client.read(f"{row.href}/sub", SubscriptionList)).all == 0
    reply = await subscribe(client, row, f"{row.href}/fsa", listener.uri)
    stored = await client.read(reply.location, Subscription)
    assert (stored.subscribedResource, stored.notificationURI) == (f"{row.href}/fsa", listener.uri)
    assert (await client.read(f"{row.href}/sub", SubscriptionList)).all == 1
    assert (await client.read(f"{row.href}/fsa", FunctionSetAssignmentsList)).subscribable == 1


@STORED
async def test_a_new_group_is_told_as_a_get_of_the_fsa_list_shows_it(
    told: Bench, subscriber: Subscriber
) -> None:
    row, client, listener = subscriber.row, subscriber.client, subscriber.listener
    made = await subscribe(client, row, f"{row.href}/fsa", listener.uri)
    await told.group("feeder", "one")
    note = await listener.next()
    read = await client.read(f"{row.href}/fsa?l=100", FunctionSetAssignmentsList)
    assert (note.Resource_, note.status) == (read, 0)
    assert note.subscribedResource == f"{row.href}/fsa"
    assert note.subscriptionURI == f"https://127.0.0.1:{told.server.port}{made.location}"
    posted = listener.posted[0]
    assert (posted.method, posted.path) == ("POST", "/ntfy")
    assert posted.headers["Content-Type"] == "application/sep+xml"
    listener.judge.judge(posted.body)
    assert (listener.judge.count, listener.judge.flaws) == (1, [])


async def test_a_control_is_told_to_who_subscribed_to_its_list(told: Bench, subscriber: Subscriber) -> None:
    _, program = await told.group("feeder", "one")
    await subscribe(subscriber.client, subscriber.row, f"{program.href}/derc", subscriber.listener.uri)
    await told.control(program, make_control(MRID, START + 60, 60))
    note = await subscriber.listener.next()
    assert isinstance(note.Resource_, DERControlList)
    assert [control.mRID for control in note.Resource_.DERControl_] == [MRID]


@STORED
async def test_time_alone_changes_an_event_and_is_told(told: Bench, subscriber: Subscriber) -> None:
    _, program = await told.group("feeder", "one")
    await told.control(program, make_control(MRID, START + 60, 60))
    await settled(told)
    await subscribe(subscriber.client, subscriber.row, f"{program.href}/actderc", subscriber.listener.uri)
    told.clock.advance(60)
    await subscriber.client.get(f"{program.href}/derc")
    note = await subscriber.listener.next()
    assert isinstance(note.Resource_, DERControlList)
    assert [c.EventStatus_.currentStatus for c in note.Resource_.DERControl_] == [1]


@pytest.mark.parametrize(("limit", "items"), [(0, 0), (1, 1), (100, 2)])
async def test_limit_bounds_the_items_of_a_list(
    told: Bench, subscriber: Subscriber, limit: int, items: int
) -> None:
    _, program = await told.group("feeder", "one")
    await told.control(program, make_control("B1", START + 60, 60))
    await subscribe(
        subscriber.client, subscriber.row, f"{program.href}/derc", subscriber.listener.uri, limit=limit
    )
    await told.control(program, make_control("B2", START + 180, 60))
    note = await subscriber.listener.next()
    assert isinstance(note.Resource_, DERControlList)
    assert (note.Resource_.all, note.Resource_.results, len(note.Resource_.DERControl_)) == (2, items, items)


@STORED
async def test_an_aggregator_is_told_of_a_device_added_and_removed(told: Bench) -> None:
    boss = await told.enrol("boss", role=Role.AGGREGATOR)
    client = await told.client("boss")
    async with listening(told.credentials("boss")) as listener:
        await subscribe(client, boss, "/edev", listener.uri)
        added = await told.enrol("eda1x", aggregator=boss)
        note = await listener.next()
        assert isinstance(note.Resource_, EndDeviceList)
        assert {device.href for device in note.Resource_.EndDevice_} == {boss.href, added.href}
        await settled(told)
        await told.do(lambda desk: remove_end_device(desk.transaction, added))
        note = await listener.next()
        assert isinstance(note.Resource_, EndDeviceList)
        assert [device.href for device in note.Resource_.EndDevice_] == [boss.href]


@STORED
async def test_a_program_added_to_a_group_is_told_to_who_subscribed_to_its_list(
    told: Bench, subscriber: Subscriber
) -> None:
    group, _ = await told.group("feeder", "one")
    href = f"/fsa/{group.id}/derp"
    fsa = await subscriber.client.read(f"{subscriber.row.href}/fsa", FunctionSetAssignmentsList)
    link = fsa.FunctionSetAssignments_[0].DERProgramListLink_
    assert link is not None
    await subscribe(subscriber.client, subscriber.row, link.href, subscriber.listener.uri)
    await told.do(lambda desk: programs.add_program(desk, group, primacy=3, description="second"))
    note = await subscriber.listener.next()
    assert isinstance(note.Resource_, DERProgramList), href
    assert [program.primacy for program in note.Resource_.DERProgram_] == [3, 5]


async def test_the_list_of_all_programs_of_a_client_tells_of_its_own_alone(
    told: Bench, subscriber: Subscriber
) -> None:
    await told.group("mine", "one")
    await subscribe(subscriber.client, subscriber.row, "/derp", subscriber.listener.uri)
    other, _ = await told.group("other")
    await told.do(lambda desk: programs.add_program(desk, other, primacy=3, description="second"))
    await settled(told)
    assert subscriber.listener.posted == []
    empty = await told.do(lambda desk: programs.add_group(desk, "empty"))
    await told.do(lambda desk: programs.assign(desk, empty, desk.client("one")))
    await settled(told)
    assert subscriber.listener.posted == [], "its rights have changed, and nothing that the list shows"
    await told.do(lambda desk: programs.assign(desk, other, desk.client("one")))
    note = await subscriber.listener.next()
    assert isinstance(note.Resource_, DERProgramList)
    assert note.Resource_.all == 3


async def test_rights_that_have_changed_for_all_clients_are_told_to_each(
    told: Bench, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a group has more members than are told one by one."""
    monkeypatch.setattr(transaction, "_FEW", 0)
    group, _ = await told.group("mine", "one")
    await subscribe(subscriber.client, subscriber.row, "/derp", subscriber.listener.uri)
    await told.do(lambda desk: programs.add_program(desk, group, primacy=3, description="second"))
    note = await subscriber.listener.next()
    assert isinstance(note.Resource_, DERProgramList)
    assert note.Resource_.all == 2


async def test_a_managed_device_is_told_of_its_own_entry_alone(told: Bench) -> None:
    boss = await told.enrol("boss", role=Role.AGGREGATOR)
    own = await told.enrol("one", aggregator=boss)
    other = await told.enrol("two", aggregator=boss)
    await told.store.do(lambda tx: tx.ledger.allow(own.id, "127.0.0.1"))
    client = await told.client("one")
    async with listening(told.credentials("one")) as listener:
        await subscribe(client, own, "/edev", listener.uri)
        await told.store.do(lambda tx: tx.replace(other, other))
        await settled(told)
        assert listener.posted == []
        await told.store.do(lambda tx: tx.replace(own, own))
        note = await listener.next()
    assert isinstance(note.Resource_, EndDeviceList)
    assert [one.href for one in note.Resource_.EndDevice_] == [own.href]


async def test_uris_in_a_notification_begin_with_the_public_url(tmp_path: Path, sep2_pki: Pki) -> None:
    changes: dict[str, Any] = {
        "notification_hosts": "127.0.0.1",
        "public_url": "https://utility.example:8443/",
    }
    async with running(tmp_path, sep2_pki, notification_gap_ms=0, **changes) as bench:
        row, client = await bench.device("one")
        async with listening(bench.credentials("one")) as listener:
            made = await subscribe(client, row, f"{row.href}/fsa", listener.uri)
            await bench.group("feeder", "one")
            note = await listener.next()
    assert note.subscriptionURI == f"https://utility.example:8443{made.location}"


async def test_a_default_control_is_told(told: Bench, subscriber: Subscriber) -> None:
    await told.group("feeder", "one")
    default = await told.do(lambda desk: set_default(desk, 100))
    await subscribe(subscriber.client, subscriber.row, default, subscriber.listener.uri)
    await told.do(lambda desk: set_default(desk, 27))
    note = await subscriber.listener.next()
    assert isinstance(note.Resource_, DefaultDERControl)
    assert (note.Resource_.setGradW, note.Resource_.subscribable) == (27, 1)


async def test_what_is_removed_and_there_again_in_one_commit_is_told_as_it_is_now(
    told: Bench, subscriber: Subscriber
) -> None:
    await told.group("feeder", "one")
    default = await told.do(lambda desk: set_default(desk, 100))
    made = await subscribe(subscriber.client, subscriber.row, default, subscriber.listener.uri)

    def again(desk: Desk) -> None:
        resources.delete(desk, Call(query={"href": default}, now=START))
        set_default(desk, 27)

    await told.do(again)
    note = await subscriber.listener.next()
    assert isinstance(note.Resource_, DefaultDERControl)
    assert (note.status, note.Resource_.setGradW) == (0, 27)
    await told.do(lambda desk: set_default(desk, 28))
    note = await subscriber.listener.next()
    assert isinstance(note.Resource_, DefaultDERControl)
    assert note.Resource_.setGradW == 28
    assert (await subscriber.client.get(made.location)).status == 200


@STORED
async def test_a_second_subscription_to_the_same_resource_updates_the_first(subscriber: Subscriber) -> None:
    row, client = subscriber.row, subscriber.client
    first = await subscribe(client, row, f"{row.href}/fsa", subscriber.listener.uri)
    again = await client.post(f"{row.href}/sub", wish(f"{row.href}/fsa", subscriber.listener.uri, limit=7))
    assert (again.status, again.location) == (204, first.location)
    assert (await client.read(first.location, Subscription)).limit == 7
    assert (await client.read(f"{row.href}/sub", SubscriptionList)).all == 1


async def test_a_query_in_what_is_subscribed_to_is_ignored(told: Bench, subscriber: Subscriber) -> None:
    """The same resource with and without one is the same subscription, and is told without it. 14."""
    row, client = subscriber.row, subscriber.client
    path = f"{row.href}/fsa"
    made = await subscribe(client, row, f"{path}?s=1&l=1", subscriber.listener.uri)
    assert (await client.read(made.location, Subscription)).subscribedResource == path
    again = await client.post(f"{row.href}/sub", wish(path, subscriber.listener.uri))
    assert (again.status, again.location) == (204, made.location)
    await told.group("feeder", "one")
    note = await subscriber.listener.next()
    assert note.subscribedResource == path
    assert isinstance(note.Resource_, FunctionSetAssignmentsList)
    assert note.Resource_.results == 1


@STORED
async def test_a_deleted_subscription_is_told_nothing_more(told: Bench, subscriber: Subscriber) -> None:
    row, client = subscriber.row, subscriber.client
    made = await subscribe(client, row, f"{row.href}/fsa", subscriber.listener.uri)
    assert (await client.send("DELETE", made.location)).status == 204
    assert (await client.get(made.location)).status == 404
    assert (await client.send("DELETE", made.location)).status == 404
    await told.group("feeder", "one")
    await settled(told)
    assert subscriber.listener.posted == []
    await subscribe(client, row, f"{row.href}/fsa", subscriber.listener.uri)


async def test_what_a_device_has_not_put_yet_cannot_be_subscribed_to(subscriber: Subscriber) -> None:
    """Until it is there a GET finds nothing of which a change could be told; an empty list is there."""
    row, client = subscriber.row, subscriber.client
    der = (await client.read(f"{row.href}/der", DERList)).DER_[0]
    asked = wish(f"{der.href}/ders", subscriber.listener.uri)
    before = await client.post(f"{row.href}/sub", asked)
    assert (await client.put(f"{der.href}/ders", DERStatus(readingTime=START))).status == 204
    after = await client.post(f"{row.href}/sub", asked)
    assert (before.status, after.status) == (404, 201)
    assert (await client.read(f"{row.href}/lel", LogEventList)).all == 0
    await subscribe(client, row, f"{row.href}/lel", subscriber.listener.uri)


@pytest.mark.parametrize("below", ["", "/fsa", "/lel", "/der"])
async def test_nobody_subscribes_to_what_is_another_devices(
    told: Bench, subscriber: Subscriber, below: str
) -> None:
    other = await told.enrol("two")
    reply = await subscriber.client.post(
        f"{subscriber.row.href}/sub", wish(f"{other.href}{below}", subscriber.listener.uri)
    )
    assert reply.status == 404
    assert not told.store.reader.ledger.has_subscriptions()


@pytest.mark.parametrize("below", ["", "/derc", "/actderc"])
async def test_nobody_subscribes_to_a_program_without_being_assigned_to_it(
    told: Bench, subscriber: Subscriber, below: str
) -> None:
    _, program = await told.group("others")
    await told.control(program, make_control("0A", START + 10, 60))
    reply = await subscriber.client.post(
        f"{subscriber.row.href}/sub", wish(f"{program.href}{below}", subscriber.listener.uri)
    )
    assert reply.status == 404
    assert not told.store.reader.ledger.has_subscriptions()


async def test_another_poll_rate_of_the_programs_of_a_group_is_told(
    told: Bench, subscriber: Subscriber
) -> None:
    """The list of a group takes the rate of the list at the root; of that nobody was told."""
    group, _ = await told.group("feeder", "one")
    await settled(told)
    await subscribe(subscriber.client, subscriber.row, f"/fsa/{group.id}/derp", subscriber.listener.uri)

    async def put(**asked: int) -> None:
        call = Call(body={"pollRate": asked}, now=START)
        await told.do(lambda desk: rates.change(desk, call))

    await put(DERProgramList=123)
    note = await subscriber.listener.next()
    assert isinstance(note.Resource_, DERProgramList)
    assert (note.subscribedResource, note.Resource_.pollRate) == (f"/fsa/{group.id}/derp", 123)
    await put(GroupDERProgramList=77)
    note = await subscriber.listener.next()
    assert isinstance(note.Resource_, DERProgramList)
    assert note.Resource_.pollRate == 77
    await put(DERProgramList=124)
    await settled(told)
    assert len(subscriber.listener.posted) == 2, "it has a rate of its own"
