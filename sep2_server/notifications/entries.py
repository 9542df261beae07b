"""What the store holds of subscriptions and notifications, as values."""

from typing import Final, NamedTuple

CONSUMER: Final = "notifications"
"""Name of the matcher's place in the change feed; it has one while there are subscriptions."""
RESOURCE: Final = -1
"""`Watch.scope` of a resource itself."""
RIGHTS: Final = -2
"""`Watch.scope` of what an EndDevice is assigned."""


class Subscribed(NamedTuple):
    """One subscription; see `tables.subscription` for the fields."""

    id: int
    list_id: int
    client_id: int
    owner_id: int
    uri: str
    resource: str
    path: str
    notification_uri: str
    most: int
    level: str
    encoding: int
    low: int | None
    high: int | None
    seen: str | None
    renewed_at: int
    mount: str = ""
    status: int = 0
    moved_to: str | None = None


class Watch(NamedTuple):
    """One thing that a subscription waits for a change of."""

    subject_id: int
    scope: int
    subscription_id: int
    owner_id: int | None
    since: int


class Match(NamedTuple):
    """A subscription that changes have touched; `is_gone`: its resource was deleted."""

    subscription_id: int
    is_gone: bool = False


class Owed(NamedTuple):
    """One notification of the outbox; times in ms since 1970 UTC."""

    subscription_id: int
    due: int
    first_at: int
    attempts: int
    revision: int
    claim: str | None
    claimed_until: int
    error: str | None


class Lane(NamedTuple):
    """A subscriber at one of its listeners, and which notifier alone delivers there until when.

    Without a claim nobody does: a notification waits for another attempt. `until` in ms since 1970 UTC.
    """

    name: str
    claim: str | None
    until: int


class DeadLetter(NamedTuple):
    """One notification that was given up; times in s since 1970 UTC."""

    id: int
    subscription_id: int
    client_id: int
    resource: str
    notification_uri: str
    status: int
    attempts: int
    error: str
    first_at: int
    given_up_at: int
