"""Settings of how a client meets its server: profile, registration, subscriptions, discovery."""

import math
import re
from dataclasses import dataclass, field
from typing import Final

from owner import SettingsError

DAY_S: Final = 86_400.0
LOOPBACK: Final = "127.0.0.1"
MOST_LIMIT: Final = 1_000
LFDI: Final = re.compile(r"[0-9A-Fa-f]{40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionSettings:
    """Our listener for Notifications; without a `host` there is none, and the client polls.

    `host` is our name or address as the server reaches it, `port` where we listen (0: any). We listen at the
    addresses of `host` alone, unless `bind` names another one of this machine, or all of them (`0.0.0.0`,
    `::`); `outer_port` is the port that the server is told where it is another one. A subscription is posted
    anew every `renew_s`, and `again_s` after it ended. While a resource is subscribed to it is polled only
    every `safety_poll_s`. `limit` is the most items of a list in a Notification.
    With `keep` subscriptions outlive a stop. `notifiers` are LFDIs that may post beside the server's own.
    """

    host: str | None = None
    port: int = 8443
    bind: str = ""
    outer_port: int | None = None
    limit: int = 255
    renew_s: float = DAY_S / 2
    again_s: float = 60.0
    safety_poll_s: float = 900.0
    keep: bool = True
    notifiers: tuple[str, ...] = field(default=())

    @property
    def listen_at(self) -> str:
        """The name or address of this machine that is listened at."""
        return self.bind or (self.host or LOOPBACK).strip("[]")

    def __post_init__(self) -> None:
        if not 0 <= self.port < 65_536:
            raise SettingsError(f"subscription.port: {self.port} is no TCP port")
        if self.outer_port is not None and not 0 < self.outer_port < 65_536:
            raise SettingsError(f"subscription.outer_port: {self.outer_port} is no TCP port")
        if not all(LFDI.fullmatch(one) for one in self.notifiers):
            raise SettingsError("subscription.notifiers: LFDIs of 40 hex digits are wanted")
        if not 0 < self.renew_s <= DAY_S:
            raise SettingsError("subscription.renew_s: above 0 and up to a day is wanted")
        if not 0 <= self.limit <= MOST_LIMIT:
            raise SettingsError(f"subscription.limit: 0 to {MOST_LIMIT} is wanted")
        for name in ("again_s", "safety_poll_s"):
            if not 0 < getattr(self, name) < math.inf:
                raise SettingsError(f"subscription.{name}: more than 0 s is wanted")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationSettings:
    """With `in_band` an EndDevice that the server does not show is posted; servers may refuse that."""

    in_band: bool = False
