"""Notifications as a client takes them: what must be so of each, and what it tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urljoin, urlsplit

from conformance_tests.aus.server_client import Seen
from conformance_tests.aus.server_deeds import Found
from conformance_tests.aus.server_walk import ITEMS
from conformance_tests.case import Level
from conformance_tests.server.judged import check_valid
from conformance_tests.server.notice_laws import flaws_of
from schemas import MEDIA_TYPE, Codec, Malformed, Notification, wire_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance_tests.aus.server_client import Client, Subscribed
    from conformance_tests.trial import Trial

ACCEPTED: Final = frozenset(
    {
        *("DefaultDERControl", "DERAvailability", "DERCapability", "DERControlList", "DERProgramList"),
        *("DERSettings", "DERStatus", "EndDeviceList", "FunctionSetAssignmentsList", "ReadingList"),
    }
)
"""What a Notification may carry."""
TYPED: Final = re.compile(rb"<(?:\w+:)?Resource\b[^>]*\s\w+:type\s*=")
CHANGED: Final = 0
"""Notification.status: the default. IEEE 2030.5-2018, B.2.3.7."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request that came at the address of a subscription."""

    method: str
    content_type: str
    body: bytes


class Inbox(Protocol):
    """Where a server may notify the runner; an address for each subscription, by its name."""

    def uri_of(self, tag: str) -> str:
        """The notificationURI of a subscription."""
        ...

    def arrived(self, tag: str) -> Sequence[Arrival]:
        """All that came for a subscription and was taken, in its order."""
        ...

    def take(self, tag: str, *, taken: bool) -> None:
        """Answer with a 2xx from now on, or with a 5xx."""
        ...


def take(client: Client, held: Subscribed, arrived: Sequence[Arrival], trial: Trial) -> None:
    """Look at the Notifications that came since the last time; what they tell is found from then on."""
    codec = Codec(client.viewer.profile)
    news, held.looked_at = arrived[held.looked_at :], len(arrived)
    for one in news:
        _judge_request(one, trial)
        check_valid(trial, client.judge.judge(one.body), "a Notification", only_flaws=True)
        try:
            notification = codec.decode(one.body, Notification)
        except Malformed as flaw:
            trial.require(False, "the body of a Notification parses", seen=flaw)
            return
        _judge(notification, one, held, trial)
        if notification.status == CHANGED and notification.Resource_ is not None:
            _keep(client, held, notification.Resource_)


def _judge_request(one: Arrival, trial: Trial) -> None:
    _should(trial, one.method == "POST", "a Notification is a POST", one.method)
    _should(trial, one.content_type == MEDIA_TYPE, f"a Notification is {MEDIA_TYPE}", one.content_type)


def _judge(notification: Notification, one: Arrival, held: Subscribed, trial: Trial) -> None:
    found = "; ".join(flaws_of(notification))
    _should(trial, not found, "status, counts and URIs of a Notification are right", found)
    path = urlsplit(notification.subscribedResource).path
    same = path == urlsplit(held.resource).path
    _should(trial, same, "a Notification names the subscribedResource", notification.subscribedResource)
    resource = notification.Resource_
    if notification.status != CHANGED:
        _should(trial, resource is None, "a Notification of an end has no Resource", notification.status)
        return
    trial.require(resource is not None, "a Notification has a Resource", seen="none")
    trial.require(TYPED.search(one.body), "the Resource of a Notification has xsi:type", seen="none")
    name = wire_name(type(resource))
    trial.require(name in ACCEPTED, "a Notification carries what can be subscribed to", seen=name)


def _keep(client: Client, held: Subscribed, resource: object) -> None:
    """The resource, and the items of a list, are found."""
    kind = next((one for one in Found if one == wire_name(type(resource))), None)
    if kind is None:
        return
    href = urljoin(client.viewer.uri(held.resource), str(getattr(resource, "href", None) or ""))
    whole = Seen(kind, resource, href, _parent(client, kind, href))
    _add(client, held, whole)
    for item, of in ITEMS.items():
        if of is kind:
            for value in getattr(resource, f"{item}_"):
                at = urljoin(href, str(getattr(value, "href", None) or ""))
                _add(client, held, Seen(item, value, at, whole))


def _add(client: Client, held: Subscribed, seen: Seen) -> None:
    held.told.append(seen)
    rows = client.found.setdefault(seen.kind, [])
    rows[:] = [one for one in rows if one.href != seen.href]
    rows.append(seen)


def _parent(client: Client, kind: Found, href: str) -> Seen | None:
    return next((one.parent for one in client.seen(kind) if one.href == href), None)


def _should(trial: Trial, held: object, what: str, seen: object) -> None:
    if not held:
        trial.check(held, what, seen=seen, level=Level.SHOULD)
