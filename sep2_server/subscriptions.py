"""Subscriptions: no resource of this server is subscribable. IEEE 2030.5-2018, 14 (subscribable = 0)."""

from sep2_server.action import Action
from sep2_server.errors import BadRequest
from sep2_server.messages import Answer


def post_subscription(action: Action) -> Answer:
    """Refuse: a subscription that is never notified would keep a client from polling."""
    raise BadRequest(f"{action.value.subscribedResource[:120]} is not subscribable")
