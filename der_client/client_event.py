"""What happened, as a value: the timeline that demonstrations, logs and consoles are made of."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from der_client.device import WrittenPoint


class What(StrEnum):
    """Kinds of events of a client."""

    DISCOVERED = "discovered"
    SERVER_LOST = "server lost"
    SERVER_BACK = "server back"
    REDISCOVERY = "rediscovery"
    WRONG_PIN = "wrong PIN"
    CONTROL = "control"
    APPLIED = "applied"
    FAULT = "fault"
    RECOVERED = "recovered"
    DEVICE_FOUND = "device found"
    DEVICE_LOST = "device lost"
    DEVICE_BACK = "device back"
    INTERLOCK = "interlock"
    OVERRIDE = "override"
    RESPONSE = "response"
    REPORT = "report"
    READINGS = "readings"
    LOG_EVENT = "log event"
    REGISTERED = "registered in band"
    CONNECTION_POINT = "connection point"
    SUBSCRIBED = "subscribed"
    NOTIFICATION = "notification"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEvent:
    """One thing that happened. `time_s` is server time, s since 1970 UTC; `points` are registers written.

    Where the server's time is not known yet, `time_s` is that of the system. `lfdi` is the EndDevice that it
    is about; empty where it is about the client as a whole.
    """

    time_s: float
    what: What
    detail: str
    href: str | None = None
    mrid: str | None = None
    points: tuple[WrittenPoint, ...] = ()
    lfdi: str = ""


OnEvent = Callable[[ClientEvent], None]


class Tell(Protocol):
    """How the tasks of a client say what happened."""

    def __call__(
        self,
        what: What,
        detail: str,
        *,
        href: str | None = None,
        mrid: str | None = None,
        points: tuple[WrittenPoint, ...] = (),
    ) -> None:
        """Say it."""
        ...
