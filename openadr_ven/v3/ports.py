"""What the client of 3.x needs of others: a VEN's settings, data for reports, and who is told of steps."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from certs import TlsContext
from openadr_ven.events import Enrolment, Judge, Step, Unit, Value
from openadr_ven.events.receiving import takes_all
from openadr_ven.v3.report import DataQuality
from openadr_ven.v3.tokens import Credentials
from openadr_ven.v3.version import Version
from openadr_ven.v3.write import Attributes, name_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Our listener: `url` is what the VTN calls, `host` and `port` where we listen.

    `tls` None is for a proxy of ours on this machine that speaks TLS before us.
    """

    url: str
    host: str = "127.0.0.1"
    port: int = 0
    tls: TlsContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One VEN at one VTN. `url` is what stands before /programs.

    `poll_s` is the pace without notifications, `fallback_s` with them, `enlist_s` how often programs, targets
    and subscriptions are looked at. `enrolment` names our resources; its VEN id and the targets that the VTN
    grants are filled in. `is_running_out` says OPERATING_STATE RUNNING_OPTED_OUT in place of IDLE_OPTED_OUT.
    `is_mqtt` takes
    notifications of 3.1.0 by MQTT too. Raises WriteError for a name that no VTN takes.
    """

    url: str
    version: Version
    venName: str
    enrolment: Enrolment
    credentials: Credentials | None = None
    tls: TlsContext | None = None
    webhook: Webhook | None = None
    is_mqtt: bool = False
    ven_attributes: Attributes = field(default_factory=dict)
    resource_attributes: dict[str, Attributes] = field(default_factory=dict)
    poll_s: float = 60.0
    fallback_s: float = 900.0
    enlist_s: float = 900.0
    timeout_s: float = 30.0
    is_running_out: bool = True

    def __post_init__(self) -> None:
        names = (self.venName, *(one.name for one in self.enrolment.resources))
        for name in names:
            name_text("name of the VEN or a resource", name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a report wants to know of some resources: of one, or of all of them together.

    `start` and `end` are s since 1970, the same for a point in time; with readingType FORECAST the period may
    lie ahead. `unit` is the plain one in which the value is to be, None for a value without.
    """

    payloadType: str
    readingType: str | None
    resources: tuple[str, ...]
    start: int
    end: int
    unit: Unit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A value, load-positive and in the plain unit."""

    value: Value
    quality: DataQuality = DataQuality.OK


class Meter(Protocol):
    """Where the data of reports comes from."""

    async def measured(self, ask: Ask) -> Measured | None:
        """The value; None where there is none."""
        ...


class NoMeter:
    """Knows nothing: reports say MISSING."""

    async def measured(self, ask: Ask) -> Measured | None:
        """Nothing."""
        return None


async def nobody(_: Step) -> None:
    """A listener that does nothing."""


async def wait(event: asyncio.Event, seconds: float | None) -> None:
    """Return when the event is set, or after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Ports of a client. `time` is s since 1970 UTC, `random` gives [0, 1), `wait` sleeps on the loop."""

    listener: Callable[[Step], Awaitable[None]] = nobody
    judge: Judge = takes_all
    meter: Meter = field(default_factory=NoMeter)
    time: Callable[[], float] = time.time
    random: Callable[[], float] = random.random  # noqa: S311 - spreads load, keeps no secret
    wait: Callable[[asyncio.Event, float | None], Awaitable[None]] = wait
