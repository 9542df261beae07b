"""What changes reaches an aggregator by Notifications; polling is far too slow for these tests.

CSIP UTIL-003, AGG, MAINT and ERR-002; IEEE 2030.5-2018, 14.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import pytest

from der_client import SubscriptionSettings, What
from lineside.demo.ports import free_port
from schemas import EndDevice, Subscription, SubscriptionList
from sep2_server.notifications.ending import end
from sep2_server.operator import programs
from tests.integration.aggregator.harness import INVERTERS, Fleet

MRID = "0123456789ABCDEF0123456700000001"
ALL = ["1", "2", "3"]


async def subscriptions(fleet: Fleet) -> list[Subscription]:
    """The SubscriptionList of the aggregator, as the server has it."""
    client = await fleet.bench.client("aggregator")
    entry = await client.read(fleet.manager.href, EndDevice)
    assert entry.SubscriptionListLink_ is not None
    page = await client.read(f"{entry.SubscriptionListLink_.href}?l=255", SubscriptionList)
    return page.Subscription_


async def subscribed(fleet: Fleet, *hrefs: str) -> None:
    """Wait until the client has subscribed to resources whose hrefs end so."""

    def told() -> Iterable[bool]:
        found = fleet.news.heard(What.SUBSCRIBED)
        return (any(text.endswith(href) for text in found) for href in hrefs)

    await fleet.news.until(lambda: all(told()))


async def test_an_aggregator_subscribes_to_all_that_the_server_tells_of(told_fleet: Fleet) -> None:
    """UTIL-003: FSAList of each inverter, each DERProgramList, DERControlList and DefaultDERControl."""
    _, tfa = await told_fleet.bench.group("TFA", "EDA1", "EDA2")
    await told_fleet.set_default("TFA", 9_000)
    async with told_fleet.client():
        await told_fleet.until_registered()
        await subscribed(told_fleet, "/fsa", "/derc", "/derp", "/dderc", "/edev")
        rows = told_fleet.rows.values()
        await subscribed(told_fleet, *(row.href for row in rows))
        found = {one.subscribedResource for one in await subscriptions(told_fleet)}
        assert {f"{row.href}/fsa" for row in rows} <= found
        assert {row.href for row in rows} <= found
        assert {f"{tfa.href}/derc", f"{tfa.href}/dderc"} <= found

    assert await subscriptions(told_fleet) == []


async def test_a_control_that_is_published_is_heard_of_and_executed(told_fleet: Fleet) -> None:
    """UTIL-004, AGG-003."""
    _, tfa = await told_fleet.bench.group("TFA", "EDA1", "EDA2")
    async with told_fleet.client():
        await told_fleet.until_registered()
        await subscribed(told_fleet, "/derc")
        await told_fleet.put_out(tfa, MRID, 1, 3, 5_000)
        await told_fleet.until_responses(MRID, {"EDA1": ALL, "EDA2": ALL})


async def test_a_default_that_is_changed_holds_at_once(told_fleet: Fleet) -> None:
    """CSIP G6, G7."""
    await told_fleet.bench.group("TFA", "EDA1")
    await told_fleet.set_default("TFA", 9_000)
    async with told_fleet.client():
        await told_fleet.news.until(lambda: told_fleet.inverters["EDA1"].holds(90.0))
        await subscribed(told_fleet, "/dderc")
        await told_fleet.set_default("TFA", 7_000)
        await told_fleet.news.until(lambda: told_fleet.inverters["EDA1"].holds(70.0))


async def test_an_inverter_that_is_moved_to_another_group_leaves_and_joins(told_fleet: Fleet) -> None:
    """MAINT-003: the FSAList changes; the new lists are subscribed to, those that are left are not."""
    group, old = await told_fleet.bench.group("SPB1", "EDB1")
    other, new = await told_fleet.bench.group("SPA1", "EDA1")
    async with told_fleet.client():
        await told_fleet.until_registered()
        await subscribed(told_fleet, f"{old.href}/derc", f"{new.href}/derc")
        await told_fleet.put_out(old, MRID, 0, 60, 5_000)
        await told_fleet.news.until(lambda: told_fleet.inverters["EDB1"].holds(50.0))
        lfdi = told_fleet.lfdi("EDB1")
        await told_fleet.bench.do(lambda desk: programs.unassign(desk, group, desk.client(lfdi)))
        await told_fleet.bench.do(lambda desk: programs.assign(desk, other, desk.client(lfdi)))
        await told_fleet.news.until(lambda: told_fleet.inverters["EDB1"].holds(None))
        await told_fleet.put_out(new, MRID[:-1] + "2", 0, 60, 3_000)
        await told_fleet.news.until(lambda: told_fleet.inverters["EDB1"].holds(30.0))


async def test_an_inverter_that_is_added_is_heard_of(told_fleet: Fleet) -> None:
    """AGG-001."""
    async with told_fleet.client(told_fleet.plants([*INVERTERS, "EDA1X"])):
        await subscribed(told_fleet, "/edev")
        await told_fleet.news.until(lambda: len(told_fleet.registered()) >= 4)
        await told_fleet.enrol("EDA1X")
        lfdi = told_fleet.lfdi("EDA1X")
        await told_fleet.news.until(lambda: lfdi in told_fleet.registered())


@pytest.mark.parametrize("status", [1, 3])
async def test_a_subscription_that_the_server_ends_is_made_again(told_fleet: Fleet, status: int) -> None:
    """CORE-019, ERR-002: cancelled, or its definition has changed."""
    _, tfa = await told_fleet.bench.group("TFA", "EDA1")
    async with told_fleet.client():
        await told_fleet.until_registered()
        await subscribed(told_fleet, f"{tfa.href}/derc")
        count = len(told_fleet.news.heard(What.SUBSCRIBED))
        await end_all(told_fleet, status)
        await told_fleet.news.until(lambda: len(told_fleet.news.heard(What.SUBSCRIBED)) > count)
        await subscribed(told_fleet, f"{tfa.href}/derc")
        await told_fleet.put_out(tfa, MRID, 1, 3, 5_000)
        await told_fleet.until_responses(MRID, {"EDA1": ALL})


async def end_all(fleet: Fleet, status: int) -> None:
    """End every subscription of the aggregator as the server does."""
    ledger, now_ms = fleet.bench.store.reader.ledger, 1000 * fleet.bench.clock.now()
    held = [ledger.subscription(int(str(one.href).rpartition("/")[2])) for one in await subscriptions(fleet)]
    for one in held:
        assert one is not None
        await fleet.bench.store.do(partial(end, subscribed=one, status=status, now_ms=now_ms))


async def test_a_subscription_that_the_server_has_lost_is_noticed_by_a_poll(fleet: Fleet) -> None:
    """A server may forget without a word, as after a 400: polling is the safety net."""
    wish = SubscriptionSettings(host="127.0.0.1", bind="127.0.0.1", port=0, again_s=0.2, safety_poll_s=1.0)
    fleet.settings = replace(fleet.settings, subscription=wish)
    _, tfa = await fleet.bench.group("TFA", "EDA1")
    async with fleet.client():
        await fleet.until_registered()
        await subscribed(fleet, f"{tfa.href}/derc")
        client = await fleet.bench.client("aggregator")
        for one in await subscriptions(fleet):
            await client.send("DELETE", str(one.href))
        fleet.news.events.clear()
        await fleet.put_out(tfa, MRID, 1, 60, 5_000)
        await fleet.news.until(lambda: fleet.inverters["EDA1"].holds(50.0))
        await subscribed(fleet, f"{tfa.href}/derc")


async def test_subscriptions_that_are_kept_are_taken_up_by_the_next_run(told_fleet: Fleet) -> None:
    port = free_port()
    wish = replace(told_fleet.settings.subscription, port=port)
    told_fleet.settings = replace(told_fleet.settings, subscription=wish)
    _, tfa = await told_fleet.bench.group("TFA", "EDA1")
    async with told_fleet.client():
        await told_fleet.until_registered()
        await subscribed(told_fleet, f"{tfa.href}/derc")
    before = {one.href for one in await subscriptions(told_fleet)}
    told_fleet.news.events.clear()
    async with told_fleet.client():
        await subscribed(told_fleet, f"{tfa.href}/derc")
        await told_fleet.put_out(tfa, MRID, 1, 3, 5_000)
        await told_fleet.until_responses(MRID, {"EDA1": ALL})
        after = {one.href for one in await subscriptions(told_fleet)}

    assert before
    assert before <= after
