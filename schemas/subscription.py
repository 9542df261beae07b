"""Subscriptions and the notifications that they lead to."""

from dataclasses import field
from typing import Annotated

from schemas import codes as c
from schemas.fields import Attr, Codes, resource
from schemas.resources import List, Resource
from schemas.types import AnyURI, Int48, PollRate, String16, UInt8, UInt32


@resource
class Condition:
    """Window of a value; a reading that leaves it or comes back causes a notification."""

    attributeIdentifier: UInt8
    lowerThreshold: Int48
    upperThreshold: Int48


@resource
class SubscriptionBase(Resource):
    """What Subscription and Notification share: which resource."""

    subscribedResource: AnyURI


@resource
class Subscription(SubscriptionBase):
    """Wish of a client to be told of changes of one resource."""

    Condition_: Condition | None = None
    encoding: Annotated[UInt8, Codes(c.Encoding)]
    level: String16
    limit: UInt32
    notificationURI: AnyURI


@resource
class SubscriptionList(List):
    """Page of the subscriptions of one device."""

    pollRate: Attr[PollRate] | None = None
    Subscription_: list[Subscription] = field(default_factory=list)


@resource
class Notification(SubscriptionBase):
    """Change of a subscribed resource, or the end of a subscription (`status` 1 to 4)."""

    newResourceURI: AnyURI | None = None
    Resource_: Resource | None = None
    status: Annotated[UInt8, Codes(c.NotificationStatus)]
    subscriptionURI: AnyURI


@resource
class NotificationList(List):
    """Page of notifications that wait at a client."""

    Notification_: list[Notification] = field(default_factory=list)
