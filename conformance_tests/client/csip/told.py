"""CORE-018, CORE-019 and ERR-002: subscriptions, their notifications and their end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance_tests.case import Level
from conformance_tests.client.csip.row import Row
from conformance_tests.client.csip.site import (
    Site,
    by_notification,
    is_aggregator,
    levels_of,
    settled,
    site_of,
)
from conformance_tests.client.tolerances import LATE_S, SETTLE_S
from schemas import EndDevice, Resource, Subscription
from schemas.codes import NotificationStatus

if TYPE_CHECKING:
    from conformance_tests.client.bench import ClientBench
    from conformance_tests.client.notifier import Notified
    from conformance_tests.client.seen import Seen
    from conformance_tests.client.staged import StagedDevice

TAKEN: Final = frozenset({201, 204})
GONE_S: Final = 30.0
BAD_REQUEST: Final = 400


async def subscribed(bench: ClientBench, href: str, what: str) -> Seen:
    """The client's Subscription to a resource; of a DER client that has none the case does not apply."""
    found = await bench.first(lambda one: is_subscription(one, href), SETTLE_S)
    if found is None and not is_aggregator(bench):
        bench.trial.skip("the client does not subscribe: a DER client need not")
    bench.trial.require(
        found is not None, f"the client subscribes to {what}", seen=f"not within {SETTLE_S:.0f} s"
    )
    assert found is not None  # noqa: S101  required above
    bench.trial.check(
        found.status == 201 and not found.flaws,
        f"the Subscription to {what} is valid and taken with 201",
        seen="; ".join(found.flaws) or found.status,
        exchange=bench.proof(found),
    )
    return found


def is_subscription(seen: Seen, href: str) -> bool:
    """True for a Subscription to a resource that was posted."""
    one = seen.resource
    return isinstance(one, Subscription) and seen.method == "POST" and one.subscribedResource.endswith(href)


async def heard(bench: ClientBench, href: str, what: str, since: int) -> Notified | None:
    """Check that the notification of a change was sent and taken; `since` is how many there were before."""

    def found() -> Notified | None:
        later = bench.notified[since:]
        return next((one for one in later if one.subscribed.endswith(href) and one.answer is not None), None)

    await bench.waits(found, LATE_S)
    one = found()
    bench.trial.check(
        one is not None and one.answer in TAKEN,
        f"the Notification of {what} is answered 201 (204 is taken too)",
        seen="no answer" if one is None else one.answer,
    )
    return one


async def basic(bench: ClientBench) -> None:
    """CORE-018: a subscription to the FunctionSetAssignmentsList, a change of it, its Notification."""
    by_notification(bench)
    site = levels_of(site_of(bench), ("SY",))
    await settled(site)
    await _all_subscribed(site)
    await _changed_assignments(site)


async def advanced(bench: ClientBench) -> None:
    """CORE-019: a subscription to the EndDevice too; then both are ended by the server."""
    by_notification(bench)
    site = levels_of(site_of(bench), ("SY",))
    await settled(site)
    device = await _all_subscribed(site)
    await subscribed(bench, device.href, "the EndDevice")
    await _changed_assignments(site)
    since = len(bench.notified)
    bench.stage.change(device.href, changedTime=bench.stage.now())
    await heard(bench, device.href, "the changed EndDevice", since)
    await _ended_by_server(bench, device.assignments)


async def lasting(bench: ClientBench) -> None:
    """ERR-002: subscriptions outlive a power cycle, end by status 1; an invalid Notification is refused."""
    by_notification(bench)
    site = levels_of(site_of(bench), ("SY",))
    await settled(site)
    device = await _all_subscribed(site)
    await bench.power_cycle(GONE_S)
    await _changed_assignments(site, "SP")
    await _ended_by_server(bench, device.assignments)
    since = len(bench.requests)
    again = await bench.first(lambda one: is_subscription(one, device.assignments), bench.patience_s, since)
    if again is None:
        bench.trial.note("the client did not subscribe again: the invalid Notification goes to another one")
    await _invalid(bench)


async def _all_subscribed(site: Site) -> StagedDevice:
    """Wait for the subscriptions to the assignments of every device; the first device."""
    for name, device in site.devices.items():
        await subscribed(site.bench, device.assignments, f"the FunctionSetAssignmentsList of {name}")
    await site.bench.pause(LATE_S)
    return next(iter(site.devices.values()))


async def _changed_assignments(site: Site, name: str = "TF") -> None:
    """Change the assignments of every device; the notification is taken, and what is new is read."""
    bench = site.bench
    since, at = len(bench.notified), len(bench.requests)
    known = [device for device, one in site.devices.items() if is_known(bench, one.assignments)]
    site.group(name, 5)
    for device, one in site.devices.items():
        if device in known:
            await heard(bench, one.assignments, f"the changed FunctionSetAssignmentsList of {device}", since)
    wanted = {one.programs for (_, group), one in site.assignments.items() if group == name}
    read = await bench.waits(lambda: all(bench.reads(href, at) for href in wanted), SETTLE_S)
    bench.trial.check(read, "the client reads the programs of the assignment that it was told of")


def is_known(bench: ClientBench, href: str) -> bool:
    """True while a subscription to a resource is held."""
    return bool(bench.notifier.subscriptions(href))


async def _ended_by_server(bench: ClientBench, href: str) -> None:
    """End the subscriptions to a resource with status 1; the client takes that in."""
    for one in list(bench.notifier.subscriptions(href)):
        answer = await bench.notifier.cancel(one)
        bench.trial.check(
            answer in TAKEN, "the Notification that ends a subscription (status 1) is taken", seen=answer
        )


async def _invalid(bench: ClientBench) -> None:
    """Send an EndDevice where something else is due: 400, and the server drops the subscription."""
    held = {
        href: one
        for href, one in bench.notifier.subscriptions().items()
        if not isinstance(_resource(bench, one.subscribedResource), EndDevice)
    }
    bench.trial.require(held, "a subscription is left to send an invalid Notification to")
    href, subscription = next(iter(held.items()))
    wrong = EndDevice(changedTime=bench.stage.now(), sFDI=0)
    answer = await bench.notifier.send(
        href, subscription, status=int(NotificationStatus.DEFAULT), resource=wrong
    )
    bench.trial.check(
        answer == BAD_REQUEST,
        "a Notification with an EndDevice in the place of what was subscribed to is answered 400",
        seen=answer,
    )
    bench.stage.tree.drop(href)


def _resource(bench: ClientBench, href: str) -> Resource | None:
    held = bench.stage.tree.held.get(href)
    return None if held is None else held.resource


ROWS: Final = (
    Row(
        name="CORE-018",
        title="Basic subscription and notification",
        requirement="The client subscribes to its assignments, takes the Notification and acts on it",
        procedure=basic,
        lasts_s=300,
        client=Level.SHOULD,
    ),
    Row(
        name="CORE-019",
        title="Advanced subscription and notification",
        requirement="The client subscribes to its EndDevice too, and copes with the end of a subscription",
        procedure=advanced,
        lasts_s=300,
        client=Level.SHOULD,
    ),
    Row(
        name="ERR-002",
        title="Lasting subscriptions, invalid notification",
        requirement="Subscriptions outlive a power cycle; an invalid Notification is answered 400",
        procedure=lasting,
        lasts_s=900,
        client=None,
    ),
)
CASES: Final = tuple(case for row in ROWS for case in row.cases())
