"""Renewal and end of subscriptions, with every status that a client can be told. IEEE 2030.5-2018, 14."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from certs import Pki
from schemas import (
    Condition,
    DERProgramList,
    Error,
    FunctionSetAssignmentsList,
    Notification,
    Reading,
    Subscription,
    SubscriptionList,
)
from schemas.codes import ErrorReason
from sep2_server.errors import StoreError
from sep2_server.notifications import service
from sep2_server.notifications.matching import match
from sep2_server.operator import defaults
from sep2_server.operator import notifications as operations
from sep2_server.operator import tree as operator_tree
from sep2_server.operator.desk import Desk
from sep2_server.operator.router import Call
from tests.integration.notifications.conftest import Subscriber
from tests.integration.notifications.listening import listening, settled, subscribe, wish
from tests.integration.sep2_harness import START, Bench, Reply, running
from tests.integration.test_sep2_mirror import mirror, reading_of

STORED = pytest.mark.usefixtures("each_database")
"""Of tests that lean on the store: on SQLite and on PostgreSQL."""
DAY_S = 86_400
EXPIRING: dict[str, Any] = {
    "notification_gap_ms": 0,
    "notification_hosts": "127.0.0.1",
    "subscription_expiry_s": 2 * DAY_S,
}


class Gate:
    """A matcher that looks at no change while it is shut."""

    def __init__(self) -> None:
        self.is_shut = False

    def match(self, *args: Any, **named: Any) -> int:  # noqa: ANN401 - whatever `match` takes
        if self.is_shut:
            raise StoreError("the gate is shut")
        return match(*args, **named)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr(service, "match", gate.match)
    return gate


@pytest.fixture
async def expiring(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[tuple[Bench, Subscriber]]:
    """A server whose subscriptions live for two days, and a client of it."""
    async with running(tmp_path, sep2_pki, **EXPIRING) as bench:
        row, client = await bench.device("one")
        async with listening(bench.credentials("one")) as listener:
            yield bench, Subscriber(row, client, listener)


def number_of(made: Reply) -> int:
    return int(made.location.rpartition("/")[2])


async def hrefs(subscriber: Subscriber) -> list[str | None]:
    """The subscriptions of a client in their order."""
    page = await subscriber.client.read(f"{subscriber.row.href}/sub?l=255", SubscriptionList)
    return [one.href for one in page.Subscription_]


async def end_by_operator(bench: Bench, made: Reply, body: dict[str, Any]) -> None:
    def job(desk: Desk) -> None:
        operations.cancel(desk, Call(names={"subscription": str(number_of(made))}, body=body, now=START))

    await bench.do(job)


async def a_day_later(bench: Bench) -> None:
    bench.clock.advance(DAY_S)
    bench.server.notifications.wake()
    await settled(bench)


@STORED
async def test_a_renewed_subscription_keeps_its_place_and_lives_on(
    expiring: tuple[Bench, Subscriber],
) -> None:
    bench, one = expiring
    made = [
        await subscribe(one.client, one.row, path, one.listener.uri)
        for path in (f"{one.row.href}/fsa", one.row.href, "/edev")
    ]
    before = await hrefs(one)
    await a_day_later(bench)
    again = await one.client.post(f"{one.row.href}/sub", wish(one.row.href, one.listener.uri))
    assert (again.status, again.location) == (204, made[1].location)
    assert await hrefs(one) == before
    await a_day_later(bench)
    await one.client.put(made[1].location, wish(one.row.href, one.listener.uri))
    bench.clock.advance(1)
    await a_day_later(bench)
    notes = [await one.listener.next(), await one.listener.next()]
    told = {(note.status, note.subscriptionURI.partition("/edev")[2]) for note in notes}
    assert told == {(1, m.location.removeprefix("/edev")) for m in (made[0], made[2])}
    assert await hrefs(one) == [made[1].location]


@STORED
async def test_a_post_again_renews_and_says_anew_how_much_is_told(
    expiring: tuple[Bench, Subscriber],
) -> None:
    bench, one = expiring
    path = f"{one.row.href}/fsa"
    made = await subscribe(one.client, one.row, path, one.listener.uri)
    await a_day_later(bench)
    assert (await one.client.post(f"{one.row.href}/sub", wish(path, one.listener.uri, limit=1))).status == 204
    bench.clock.advance(1)
    await a_day_later(bench)
    assert await hrefs(one) == [made.location]
    await bench.group("feeder", "one")
    await one.listener.next()
    await bench.group("street", "one")
    note = await one.listener.next()
    assert isinstance(note.Resource_, FunctionSetAssignmentsList)
    assert (note.status, note.Resource_.all, note.Resource_.results) == (0, 2, 1)


@STORED
async def test_what_was_never_renewed_is_told_status_1_and_can_be_made_anew(
    expiring: tuple[Bench, Subscriber],
) -> None:
    bench, one = expiring
    made = await subscribe(one.client, one.row, f"{one.row.href}/fsa", one.listener.uri)
    await a_day_later(bench)
    bench.clock.advance(1)
    await a_day_later(bench)
    note = await one.listener.next()
    assert (note.status, note.Resource_, note.newResourceURI) == (1, None, None)
    assert note.subscribedResource == f"{one.row.href}/fsa"
    assert (await one.client.get(made.location)).status == 404
    fresh = await subscribe(one.client, one.row, f"{one.row.href}/fsa", one.listener.uri)
    assert fresh.location != made.location
    await bench.group("feeder", "one")
    assert (await one.listener.next()).status == 0


@STORED
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_renewal_loses_no_change_that_was_not_looked_at_yet(
    told: Bench, subscriber: Subscriber, gate: Gate, method: str
) -> None:
    row, uri = subscriber.row, subscriber.listener.uri
    made = await subscribe(subscriber.client, row, f"{row.href}/fsa", uri)
    gate.is_shut = True
    await told.group("feeder", "one")
    path = f"{row.href}/sub" if method == "POST" else made.location
    renewed = await (subscriber.client.post if method == "POST" else subscriber.client.put)(
        path, wish(f"{row.href}/fsa", uri, limit=7)
    )
    assert renewed.status == 204
    gate.is_shut = False
    await settled(told)
    (posted,) = subscriber.listener.posted
    held = posted.decoded().Resource_
    assert isinstance(held, FunctionSetAssignmentsList)
    assert held.all == 1


@STORED
async def test_a_renewal_loses_no_edge_that_a_value_has_crossed(
    told: Bench, subscriber: Subscriber, gate: Gate
) -> None:
    client, listener = subscriber.client, subscriber.listener
    mup = await client.post("/mup", mirror(told.credentials("one").lfdi, reading_of(5)))
    point = int(mup.location.rpartition("/")[2])
    found = await told.store.ask(lambda reader: reader.of_owner(subscriber.row.id))
    (latest,) = [one.href for one in found if one.kind == "LatestReading"]
    asked = wish(latest, listener.uri)
    asked.Condition_ = Condition(attributeIdentifier=0, lowerThreshold=0, upperThreshold=10)
    assert (await client.post(f"{subscriber.row.href}/sub", asked)).status == 201
    gate.is_shut = True
    await client.post(f"/mup/{point}", reading_of(11))
    asked.subscribedResource = latest
    assert (await client.post(f"{subscriber.row.href}/sub", asked)).status == 204
    gate.is_shut = False
    await settled(told)
    (posted,) = listener.posted
    held = posted.decoded().Resource_
    assert isinstance(held, Reading)
    assert held.value == 11


@STORED
async def test_what_is_owed_goes_to_the_new_notification_uri(told: Bench, subscriber: Subscriber) -> None:
    row, listener = subscriber.row, subscriber.listener
    made = await subscribe(subscriber.client, row, f"{row.href}/fsa", listener.uri)
    listener.answer = 503
    await told.group("feeder", "one")
    await listener.next()
    await settled(told)
    listener.answer = 201
    moved = wish(f"{row.href}/fsa", listener.uri + "/new")
    assert (await subscriber.client.put(made.location, moved)).status == 204
    told.clock.advance(10)
    told.server.notifications.wake()
    await listener.next()
    assert [posted.path for posted in listener.posted] == ["/ntfy", "/ntfy/new"]


@STORED
async def test_a_put_cannot_make_two_subscriptions_the_same(told: Bench, subscriber: Subscriber) -> None:
    row, client, uri = subscriber.row, subscriber.client, subscriber.listener.uri
    await subscribe(client, row, f"{row.href}/fsa", uri)
    other = await subscribe(client, row, row.href, uri)
    refused = await client.put(other.location, wish(f"{row.href}/fsa", uri))
    assert (refused.status, refused.decoded(Error).reasonCode) == (400, ErrorReason.INVALID_VALUES)
    assert (await client.read(other.location, Subscription)).subscribedResource == row.href
    await told.group("feeder", "one")
    await settled(told)
    told_of = [posted.decoded().subscribedResource for posted in subscriber.listener.posted]
    assert sorted(told_of) == [row.href, f"{row.href}/fsa"]


async def test_a_subscription_can_be_put_to_another_resource(told: Bench, subscriber: Subscriber) -> None:
    row, client, uri = subscriber.row, subscriber.client, subscriber.listener.uri
    made = await subscribe(client, row, row.href, uri)
    assert (await client.put(made.location, wish("/derp", uri))).status == 204
    await told.store.do(lambda tx: tx.replace(row, row))
    await settled(told)
    assert subscriber.listener.posted == []
    await told.group("feeder", "one")
    assert isinstance((await subscriber.listener.next()).Resource_, DERProgramList)


async def last_of(bench: Bench, subscriber: Subscriber) -> Notification:
    """The only notification of a subscription that is over; nothing follows it."""
    note = await subscriber.listener.next()
    await settled(bench)
    await bench.group("later", "one")
    await settled(bench)
    assert len(subscriber.listener.posted) == 1
    assert await hrefs(subscriber) == []
    subscriber.listener.judge.judge(subscriber.listener.posted[0].body)
    assert subscriber.listener.judge.flaws == []
    return note


async def test_status_0_comes_with_the_resource(told: Bench, subscriber: Subscriber) -> None:
    await subscribe(subscriber.client, subscriber.row, f"{subscriber.row.href}/fsa", subscriber.listener.uri)
    await told.group("feeder", "one")
    note = await subscriber.listener.next()
    assert note.status == 0
    assert isinstance(note.Resource_, FunctionSetAssignmentsList)


@STORED
async def test_status_1_tells_that_the_server_has_cancelled(told: Bench, subscriber: Subscriber) -> None:
    row = subscriber.row
    made = await subscribe(subscriber.client, row, f"{row.href}/fsa", subscriber.listener.uri)
    await end_by_operator(told, made, {})
    note = await last_of(told, subscriber)
    assert (note.status, note.Resource_, note.newResourceURI) == (1, None, None)


@STORED
async def test_status_2_tells_where_the_resource_has_gone(told: Bench, subscriber: Subscriber) -> None:
    row = subscriber.row
    made = await subscribe(subscriber.client, row, f"{row.href}/fsa", subscriber.listener.uri)
    there = "https://other.example:8443/edev/7/fsa"
    await end_by_operator(told, made, {"status": 2, "newResourceURI": there})
    note = await last_of(told, subscriber)
    assert (note.status, note.Resource_, note.newResourceURI) == (2, None, there)


@STORED
async def test_status_3_tells_that_the_definition_has_changed(told: Bench, subscriber: Subscriber) -> None:
    row = subscriber.row
    made = await subscribe(subscriber.client, row, f"{row.href}/fsa", subscriber.listener.uri)
    await end_by_operator(told, made, {"status": 3})
    note = await last_of(told, subscriber)
    assert (note.status, note.Resource_) == (3, None)


@STORED
async def test_status_4_tells_that_the_operator_has_removed_the_resource(
    told: Bench, subscriber: Subscriber
) -> None:
    _, program = await told.group("feeder", "one")
    await subscribe(subscriber.client, subscriber.row, program.href, subscriber.listener.uri)
    await subscribe(subscriber.client, subscriber.row, f"{program.href}/derc", subscriber.listener.uri)
    await told.do(lambda desk: operator_tree.remove(desk, program))
    notes = [await subscriber.listener.next(), await subscriber.listener.next()]
    assert {(note.status, note.Resource_, note.subscribedResource) for note in notes} == {
        (4, None, program.href),
        (4, None, f"{program.href}/derc"),
    }
    await settled(told)
    assert await hrefs(subscriber) == []


@STORED
async def test_status_4_tells_that_a_default_control_was_taken_away(
    told: Bench, subscriber: Subscriber
) -> None:
    _, program = await told.group("feeder", "one")
    place = {"group": "feeder"}
    await told.do(lambda desk: defaults.change(desk, Call(names=place, body={"setGradW": 30}, now=desk.now)))
    href = f"{program.href}/dderc"
    await subscribe(subscriber.client, subscriber.row, href, subscriber.listener.uri)
    await told.do(lambda desk: defaults.clear(desk, Call(names=place, now=desk.now)))
    note = await subscriber.listener.next()
    assert (note.status, note.Resource_, note.subscribedResource) == (4, None, href)
    await settled(told)
    assert await hrefs(subscriber) == []


@STORED
async def test_the_end_is_told_until_it_arrives(told: Bench, subscriber: Subscriber) -> None:
    row, listener = subscriber.row, subscriber.listener
    made = await subscribe(subscriber.client, row, f"{row.href}/fsa", listener.uri)
    listener.answer = 500
    await end_by_operator(told, made, {})
    await listener.next()
    await settled(told)
    listener.answer = 201
    told.clock.advance(10)
    told.server.notifications.wake()
    assert (await listener.next()).status == 1
    await settled(told)
    assert not told.store.reader.ledger.has_subscriptions()


async def test_a_client_has_no_more_subscriptions_than_the_settings_say(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(
        tmp_path, sep2_pki, subscriptions_per_client=1, notification_hosts="127.0.0.1"
    ) as bench:
        row, client = await bench.device("one")
        uri = "https://127.0.0.1:1/ntfy"
        made = await subscribe(client, row, row.href, uri)
        refused = await client.post(f"{row.href}/sub", wish(f"{row.href}/fsa", uri))
        assert (refused.status, refused.decoded(Error).reasonCode) == (400, 2)
        assert (await client.post(f"{row.href}/sub", wish(row.href, uri, limit=7))).status == 204
        await client.send("DELETE", made.location)
        await subscribe(client, row, f"{row.href}/fsa", uri)
