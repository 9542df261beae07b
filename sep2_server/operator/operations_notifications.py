"""What the operator API does about subscriptions and notifications."""

from typing import Final

from sep2_server.operator import answers_notifications as a
from sep2_server.operator import notifications
from sep2_server.operator import requests as r
from sep2_server.operator.auth import Role
from sep2_server.operator.router import Operation

_ONE_DEVICE: Final = ("device", "after", "limit")
NOTIFICATIONS: Final = (
    Operation(
        "GET",
        "/devices/{device}/notifications",
        "show notification hosts",
        notifications.hosts,
        answer=a.NotificationHosts,
    ),
    Operation(
        "POST",
        "/devices/{device}/notifications",
        "allow notification host",
        notifications.allow,
        body=r.AllowHost,
        answer=a.NotificationHosts,
        role=Role.ADMIN,
    ),
    Operation(
        "DELETE",
        "/devices/{device}/notifications",
        "disallow notification host",
        notifications.disallow,
        body=r.AllowHost,
        answer=a.NotificationHosts,
        role=Role.ADMIN,
    ),
    Operation(
        "GET",
        "/subscriptions",
        "list subscriptions",
        notifications.subscriptions,
        query=_ONE_DEVICE,
        answer=a.Subscriptions,
    ),
    Operation(
        "POST",
        "/subscriptions/{subscription}/cancel",
        "cancel subscription",
        notifications.cancel,
        body=r.CancelSubscription,
        answer=a.ShownSubscription,
    ),
    Operation(
        "GET",
        "/deadletters",
        "list dead letters",
        notifications.dead_letters,
        query=_ONE_DEVICE,
        answer=a.DeadLetters,
    ),
    Operation(
        "GET",
        "/deadletters/{letter}",
        "show dead letter",
        notifications.dead_letter,
        answer=a.DeadLetter,
    ),
    Operation(
        "POST",
        "/deadletters/{letter}/retry",
        "retry dead letter",
        notifications.retry,
        answer=a.DeadLetter,
    ),
    Operation("DELETE", "/deadletters/{letter}", "drop dead letter", notifications.drop, answer=a.DeadLetter),
)
