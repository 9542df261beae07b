"""Subscriptions of one client: CORE-018, 019 and ERR-002."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from conformance_tests.case import Need
from conformance_tests.server.csip import steps
from conformance_tests.server.csip.rows import AGGREGATOR, NOTIFIED, row
from schemas import (
    EndDevice,
    FunctionSetAssignments,
    FunctionSetAssignmentsList,
    Subscription,
    SubscriptionList,
)
from schemas.codes import NotificationStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from conformance_tests.server.bench import ServerBench, Viewer
    from conformance_tests.server.listener import Listener
    from schemas import Notification

LIMIT: Final = 100
QUIET_S: Final = 60.0
"""How long nothing must come after a subscription is over, s."""


class Subscriber:
    """An identity with its listener and the place of its subscriptions."""

    def __init__(self, bench: ServerBench, viewer: Viewer, listener: Listener, place: str) -> None:
        self.bench = bench
        self.viewer = viewer
        self.listener = listener
        self.place = place

    async def held(self) -> Sequence[Subscription]:
        """The subscriptions that the server holds."""
        return await self.viewer.items(self.place, SubscriptionList, Subscription)

    async def subscribe(self, resource: str) -> str:
        """Subscribe to a resource; the Location of the Subscription."""
        wish = Subscription(
            subscribedResource=resource,
            encoding=0,
            level="+S1",
            limit=LIMIT,
            notificationURI=self.listener.uri,
        )
        exchange = await self.viewer.post(self.place, wish)
        return await steps.created(self.bench, exchange, f"a Subscription to {resource}")

    async def told(self, resource: str, status: int = NotificationStatus.DEFAULT) -> Notification:
        """The next notification of a resource, which must have this status."""
        found = await self.listener.about(resource)
        what = f"the Notification of {resource} has status {int(status)}"
        self.bench.trial.check(found.status == status, what, seen=found.status)
        return found

    async def clear(self) -> None:
        """Take back all subscriptions."""
        for one in await self.held():
            if one.href:
                await self.viewer.delete(one.href)


@asynccontextmanager
async def subscriber(bench: ServerBench, viewer: Viewer, device: EndDevice) -> AsyncIterator[Subscriber]:
    """A subscriber without subscriptions; those that it makes are taken back."""
    place = steps.linked(bench, device, "SubscriptionListLink")
    async with bench.listening(viewer) as listener:
        found = Subscriber(bench, viewer, listener, place)
        await found.clear()
        try:
            yield found
        finally:
            await found.clear()


async def _assignments_place(bench: ServerBench, device: EndDevice) -> str:
    place = steps.linked(bench, device, "FunctionSetAssignmentsListLink")
    page = await bench.device.read(place, FunctionSetAssignmentsList, s=0, l=1)
    what = "the FunctionSetAssignmentsList is subscribable (1 or 3)"
    bench.trial.check(page.subscribable in {1, 3}, what, seen=page.subscribable)
    return place


async def _same_as_read(bench: ServerBench, told: Notification, place: str) -> None:
    """A notification holds the list as a GET of it shows it now."""
    what = "the Notification holds the FunctionSetAssignmentsList"
    held = told.Resource_
    if not bench.trial.check(
        isinstance(held, FunctionSetAssignmentsList), what, seen=type(held).__name__
    ) or not isinstance(held, FunctionSetAssignmentsList):
        return
    read = await bench.device.items(place, FunctionSetAssignmentsList, FunctionSetAssignments)
    got = [one.mRID for one in held.FunctionSetAssignments_]
    what = "the Notification holds the same as a GET"
    due = [one.mRID for one in read]
    bench.trial.check(got == due and held.all == len(due), what, seen=f"{got}, read {due}")


async def basic(bench: ServerBench) -> None:
    """CORE-018: a subscription to the FunctionSetAssignmentsList, and a change of it."""
    device = await steps.own(bench)
    place = await _assignments_place(bench, device)
    async with subscriber(bench, bench.device, device) as subscribed:
        held = await subscribed.held()
        bench.trial.check(not held, "the SubscriptionList is empty at first", seen=len(held))
        location = await subscribed.subscribe(place)
        held = await subscribed.held()
        bench.trial.check(len(held) == 1, "the SubscriptionList has one item", seen=len(held))
        read = await bench.device.read(location, Subscription)
        same = urlsplit(read.subscribedResource).path == urlsplit(place).path
        what = "the Subscription at its Location is the one that was posted"
        bench.trial.check(same, what, seen=read.subscribedResource)
        await bench.operator.assign(bench.device.lfdi, "SP", primacy=4)
        told = await subscribed.told(place)
        await _same_as_read(bench, told, place)
        what = "subscriptionURI is an absolute URI of the Subscription"
        uri = urlsplit(told.subscriptionURI)
        good = uri.scheme in {"https", "http"} and uri.path == urlsplit(location).path
        bench.trial.check(good, what, seen=told.subscriptionURI)


async def advanced(bench: ServerBench) -> None:
    """CORE-019: two subscriptions, changes of both, and the end of one by the server."""
    device = await steps.own(bench)
    place, own = await _assignments_place(bench, device), device.href or ""
    async with subscriber(bench, bench.device, device) as subscribed:
        await subscribed.subscribe(place)
        await subscribed.subscribe(own)
        await bench.operator.set_rates(bench.device.lfdi, {"EndDevice": 444})
        told = await subscribed.told(own)
        rate = told.Resource_.postRate if isinstance(told.Resource_, EndDevice) else None
        bench.trial.check(rate == 444, "the Notification holds the changed EndDevice", seen=rate)
        await bench.operator.assign(bench.device.lfdi, "SP", primacy=4)
        await _same_as_read(bench, await subscribed.told(place), place)
        subscribed.listener.forget()
        await bench.operator.cancel_subscription(bench.device.lfdi, place)
        await subscribed.told(place, NotificationStatus.CANCELED)
        held = [urlsplit(one.subscribedResource).path for one in await subscribed.held()]
        what = "a subscription that the server ended is gone from the list"
        bench.trial.check(urlsplit(place).path not in held, what, seen=held)
        await subscribed.subscribe(place)


async def persistent(bench: ServerBench) -> None:
    """ERR-002: subscriptions outlive a restart; the server ends one; a 400 of the client ends one."""
    device = await steps.own(bench)
    place = await _assignments_place(bench, device)
    async with subscriber(bench, bench.device, device) as subscribed:
        await subscribed.subscribe(place)
        await bench.restart()
        await bench.operator.assign(bench.device.lfdi, "SP", primacy=4)
        await subscribed.told(place)
        subscribed.listener.forget()
        await bench.operator.cancel_subscription(bench.device.lfdi, place)
        await subscribed.told(place, NotificationStatus.CANCELED)
        await subscribed.subscribe(place)
        subscribed.listener.status = 400
        await bench.operator.assign(bench.device.lfdi, "TF", primacy=5)
        await subscribed.told(place)
        subscribed.listener.forget()
        await bench.operator.assign(bench.device.lfdi, "SG", primacy=6)
        what = "a Notification that the client refused with 400 is the last of its Subscription"
        is_silent = await subscribed.listener.silent(QUIET_S)
        bench.trial.check(is_silent, what, seen="another one came" if not is_silent else "none came")
        held = await subscribed.held()
        what = "the Subscription is gone after the client answered 400"
        bench.trial.check(not held, what, seen=[one.subscribedResource for one in held])


_NEEDS: Final = (NOTIFIED - AGGREGATOR) | frozenset({Need.OPERATOR})
CASES: Final = (
    row(
        "CORE-018",
        "Basic subscription and notification",
        "A Subscription is answered with 201 and Location and listed; a change is told as a GET shows it.",
    ).case(basic, needs=_NEEDS, lasts_s=30),
    row(
        "CORE-019",
        "Advanced subscription and notification",
        "Changes of list and EndDevice are told; a subscription that the server ends is told with status 1.",
    ).case(advanced, needs=_NEEDS, lasts_s=30),
    row(
        "ERR-002",
        "Subscription persistence and invalid notification",
        "Subscriptions outlive a restart; status 1 tells the end of one, a 400 of the client ends one.",
    ).case(persistent, needs=_NEEDS | {Need.RESTART}, lasts_s=180),
)
