"""What the operations on subscriptions and notifications answer."""

from typing import TypedDict


class NotificationHosts(TypedDict):
    """Where notifications of a device may go: `forAll` by the settings, `hosts` by the operator."""

    name: str
    forAll: list[str]
    hosts: list[str]


class ShownSubscription(TypedDict):
    """A subscription and the notification that waits for it; times in s since 1970 UTC."""

    id: int
    device: str | None
    subscribedResource: str
    notificationURI: str
    limit: int
    renewed: int
    status: int
    attempts: int
    due: int | None
    error: str | None


class Subscriptions(TypedDict):
    """One page of subscriptions; `next` is what to give as `after` for more."""

    subscriptions: list[ShownSubscription]
    next: int | None


class DeadLetter(TypedDict):
    """A notification that was given up; times in s since 1970 UTC."""

    id: int
    device: str | None
    subscription: int
    subscribedResource: str
    notificationURI: str
    status: int
    attempts: int
    error: str
    first: int
    givenUp: int


class DeadLetters(TypedDict):
    """One page of dead letters; `next` is what to give as `after` for more, `dropped` how many are gone."""

    deadLetters: list[DeadLetter]
    next: int | None
    dropped: int
