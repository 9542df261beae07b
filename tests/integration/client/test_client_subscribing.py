"""What a client posts to a SubscriptionList that may hold its subscriptions. IEEE 2030.5-2018, 14."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from aiohttp import ClientSession, TCPConnector

from certs import client_context
from der_client import DERClient
from der_client.client_event import What
from der_client.protocol_settings import SubscriptionSettings
from der_client.spool import Spool
from lineside.demo.ports import free_port
from owner import SettingsError
from schemas import (
    DefaultDERControl,
    DERControlBase,
    EndDeviceList,
    Notification,
    Resource,
    Subscription,
    SubscriptionList,
    SubscriptionListLink,
)
from tests.integration.client.harness import CODEC, Lab, Site

TOLD = ("/a/programs", "/a/controls", "/a/default")


@pytest.fixture
def telling(site: Site) -> Site:
    """A site whose server tells of programs, controls and the default, and whose client listens."""
    offered = site.script.resources
    for path in TOLD:
        offered[path] = replace(offered[path], subscribable=1)  # type: ignore[call-arg]
    listed = offered["/a/devices"]
    assert isinstance(listed, EndDeviceList)
    link = SubscriptionListLink(href="/a/subs")
    devices = [replace(one, SubscriptionListLink_=link) for one in listed.EndDevice_]
    offered["/a/devices"] = replace(listed, EndDevice_=devices)
    offered["/a/subs"] = SubscriptionList(all=0, results=0)
    wish = SubscriptionSettings(host="127.0.0.1", bind="127.0.0.1", port=0, again_s=0.1, keep=True)
    site.settings = replace(site.settings, subscription=wish)
    return site


def posted(site: Site) -> list[Subscription]:
    return [one for _, one in site.script.posted if isinstance(one, Subscription)]


def targets(site: Site) -> Counter[str]:
    """How often each resource was subscribed to."""
    return Counter(one.subscribedResource for one in posted(site))


def show(site: Site, *subscriptions: Subscription) -> None:
    """Let the server have these subscriptions."""
    found = [replace(one, href=f"/a/subs/{number}") for number, one in enumerate(subscriptions)]
    site.script.resources["/a/subs"] = SubscriptionList(all=len(found), results=0, Subscription_=found)


async def tell(lab: Lab, site: Site, about: str, resource: Resource) -> int:
    """Post a Notification to the client, as its server does; the status of the answer."""
    own, uri = lab.server, posted(site)[0].notificationURI
    context = client_context(own.certificate_path, own.key_path, own.root_path)
    note = Notification(subscribedResource=about, Resource_=resource, status=0, subscriptionURI="/a/subs/1")
    headers = {"Content-Type": "application/sep+xml"}
    async with (
        ClientSession(connector=TCPConnector(ssl=context)) as session,
        session.post(uri, data=CODEC.encode(note), headers=headers) as answer,
    ):
        return answer.status


async def test_a_default_that_comes_late_takes_nothing_back(telling: Site, lab: Lab) -> None:
    """Its answer was lost, and it is told again behind the one that came after it; the server is asked."""

    def default(watts: int, version: int) -> DefaultDERControl:
        base = DERControlBase(opModMaxLimW=watts)
        return DefaultDERControl(
            href="/a/default", subscribable=1, mRID="DD", version=version, DERControlBase_=base
        )

    old, new = default(8_000, 1), default(6_000, 2)
    async with telling.client():
        await telling.script.until(
            lambda: targets(telling)["/a/default"] == 1 and telling.inverter.holds(90.0)
        )
        for one in (old, new):
            telling.script.resources["/a/default"] = one
            assert await tell(lab, telling, "/a/default", one) == 201
        await telling.script.until(lambda: telling.inverter.holds(60.0))
        reads, told = telling.script.asked.count("GET /a/default"), len(telling.inverter.applied)
        assert await tell(lab, telling, "/a/default", old) == 201
        await telling.script.until(lambda: telling.script.asked.count("GET /a/default") > reads)

    assert {setpoint.max_w_pct for setpoint, _ in telling.inverter.applied[told:]} <= {60.0}


async def outage(site: Site) -> None:
    """Let the server be away for a while."""
    heard = len(site.heard(What.SERVER_BACK))
    looks = site.script.asked.count("GET /a/subs")
    site.script.down = True
    await site.script.until(lambda: site.heard(What.SERVER_LOST))
    site.script.down = False
    await site.script.until(lambda: len(site.heard(What.SERVER_BACK)) > heard)
    await site.script.until(lambda: site.script.asked.count("GET /a/subs") > looks)


async def test_after_an_outage_only_what_the_server_has_lost_is_posted_again(telling: Site) -> None:
    async with telling.client():
        await telling.script.until(lambda: len(posted(telling)) >= 3)
        show(telling, *(one for one in posted(telling) if one.subscribedResource != "/a/default"))
        await outage(telling)
        await telling.script.until(lambda: targets(telling)["/a/default"] == 2)
        reads = telling.script.asked.count("GET /a/default")
        await telling.script.until(lambda: telling.script.asked.count("GET /a/default") > reads)

        assert targets(telling) == {"/a/programs": 1, "/a/controls": 1, "/a/default": 2}


async def test_a_report_in_vain_finds_the_server_lost_though_no_poll_is_due(telling: Site) -> None:
    offered = telling.script.resources
    offered["/a/programs"] = replace(offered["/a/programs"], pollRate=900)  # type: ignore[call-arg]
    async with telling.client():
        await telling.script.until(lambda: len(posted(telling)) >= 3)
        await telling.script.until(lambda: "".join(telling.script.asked).count("POST /a/mirror/") >= 3)
        telling.script.down = True

        await telling.script.until(lambda: telling.heard(What.SERVER_LOST))


async def test_doubles_that_the_server_made_are_ended(telling: Site) -> None:
    async with telling.client():
        await telling.script.until(lambda: len(posted(telling)) >= 3)
        show(telling, *posted(telling), *posted(telling))
        await outage(telling)
        ended = [f"DELETE /a/subs/{number}" for number in (3, 4, 5)]
        await telling.script.until(lambda: set(ended) <= set(telling.script.asked))

        assert set(targets(telling).values()) == {1}


async def test_where_the_list_cannot_be_read_all_are_posted_again(telling: Site) -> None:
    async with telling.client():
        await telling.script.until(lambda: len(posted(telling)) >= 3)
        telling.script.resources["/a/subs"] = telling.script.resources["/a/pin"]
        await outage(telling)
        await telling.script.until(lambda: set(targets(telling).values()) == {2})


async def test_the_listener_is_at_the_address_of_the_host_alone(telling: Site) -> None:
    port = free_port()
    wish = replace(telling.settings.subscription, port=port, bind="")
    telling.settings = replace(telling.settings, subscription=wish)
    async with telling.client():
        await telling.script.until(lambda: telling.heard(What.SUBSCRIBED))
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.2", port)


async def test_a_host_that_is_elsewhere_is_told_with_the_way_out(telling: Site) -> None:
    wish = replace(telling.settings.subscription, host="192.0.2.1", bind="")
    client = DERClient(replace(telling.settings, subscription=wish), [telling.inverter])
    with pytest.raises(ExceptionGroup) as told:
        await client.run()

    assert told.group_contains(
        SettingsError, match=r"cannot listen at 192\.0\.2\.1.*subscription\.bind names"
    )


@pytest.mark.parametrize(
    ("host", "bind", "expected"),
    [("box", "", "box"), ("[2001:db8::1]", "", "2001:db8::1"), ("box", "0.0.0.0", "0.0.0.0")],  # noqa: S104 - asked for
)
def test_where_to_listen_follows_the_host_unless_it_is_said(host: str, bind: str, expected: str) -> None:
    assert SubscriptionSettings(host=host, bind=bind).listen_at == expected


async def test_the_next_run_posts_nothing_that_is_there_and_not_due(telling: Site) -> None:
    wish = replace(telling.settings.subscription, port=free_port())
    telling.settings = replace(telling.settings, subscription=wish)
    async with telling.client():
        await telling.script.until(lambda: len(telling.heard(What.SUBSCRIBED)) >= 3)
        await telling.script.until(lambda: "renewals" in remembered(telling))
    show(telling, *posted(telling))
    async with telling.client():
        await telling.script.until(lambda: len(telling.heard(What.SUBSCRIBED)) >= 6)

    assert targets(telling) == {"/a/programs": 1, "/a/controls": 1, "/a/default": 1}


def remembered(site: Site) -> str:
    """What the client keeps of its subscriptions."""
    spool = Spool(site.settings.spool)
    try:
        return spool.recall("subscriptions") or ""
    finally:
        spool.close()
