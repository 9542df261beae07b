"""The links of an EndDevice to what is served: those that its stored form has not are put in at read.

So a database of an older program, or of other settings, shows the right links without a walk through it.
"""

import re
from typing import Any, Final

from schemas import EndDevice, Link
from sep2_server.access import Viewer
from sep2_server.below import below
from sep2_server.environment import Environment
from sep2_server.extra_routes import CONNECTION_POINT

START: Final = b"<EndDevice "
SUBSCRIPTIONS: Final = b"<SubscriptionListLink "
_SUBSCRIPTION_LINK: Final = re.compile(rb"<SubscriptionListLink [^>]*/>")
_CONNECTION_POINT: Final = b"ConnectionPointLink "


class DeviceLinks:
    """Completes EndDevices as one server offers them. IEEE 2030.5-2018, 10 (EndDevice)."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        offered = environment.offered_kinds
        self._wanted = {
            b"<%sLink " % one.name.encode(): one
            for one in below("EndDevice")
            if one.is_linked and one.kind in offered
        }
        self._names = [*self._wanted]
        if CONNECTION_POINT in environment.codec.profile.additions:
            self._names.append(_CONNECTION_POINT)

    def completed(self, fragment: bytes, viewer: Viewer) -> bytes:
        """The fragment of an EndDevice with the links that it should have, for a client that may see it.

        One that came under an aggregator has no SubscriptionList of its own any more.
        """
        missing = [name for name in self._names if name not in fragment]
        has_subscriptions = SUBSCRIPTIONS in fragment
        if (has_subscriptions or SUBSCRIPTIONS in missing) and not self._subscribes(fragment, viewer):
            if has_subscriptions:
                fragment = _SUBSCRIPTION_LINK.sub(b"", fragment)
            else:
                missing.remove(SUBSCRIPTIONS)
        return self._with(fragment, missing) if missing else fragment

    def _with(self, fragment: bytes, missing: list[bytes]) -> bytes:
        environment = self._environment
        cls = environment.codec.profile.resolve(EndDevice)
        value: Any = environment.codec.decode_fragment(fragment, cls)
        place = environment.uris.find(str(value.href))
        if place is None:
            return fragment
        for name in missing:
            one = self._wanted.get(name)
            if one is None:
                value.ConnectionPointLink = Link(href=environment.uris.of(CONNECTION_POINT, place.parts))
            else:
                setattr(value, one.attr, one.link(href=environment.uris.of(one.kind, place.parts)))
        return environment.codec.fragment(value)

    def _subscribes(self, fragment: bytes, viewer: Viewer) -> bool:
        """Whether an EndDevice has a SubscriptionList: one that an aggregator speaks for only by setting."""
        if self._environment.settings.managed_subscription_lists:
            return True
        if viewer.aggregator_id is not None:
            return False
        own = self._environment.uris.of("EndDevice", (viewer.scope,))
        return b' href="%s"' % own.encode() in fragment.partition(b">")[0]
