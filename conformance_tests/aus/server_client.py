"""A client of a procedure: who it is, what it found at the server, and what it made and sent there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from certs import parse_lfdi, sfdi_of
from conformance_tests.aus.server_deeds import Found
from conformance_tests.aus.server_words import Player
from conformance_tests.judge import Judge

if TYPE_CHECKING:
    from conformance_tests.aus.server_deeds import Reading
    from conformance_tests.server.bench import Viewer
    from schemas import MirrorUsagePoint

DEVICES: Final = "CSIP-AUS device of "
"""Before the LFDI of an aggregator: what the LFDI of its device is drawn from."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A resource as it was read, where it is, and the one that led there.

    `read_s` is when it was asked for and when it came, by the runner's clock, s since 1970; None where it was
    not read by itself.
    """

    kind: Found
    value: object
    href: str
    parent: Seen | None = None
    read_s: tuple[float, float] | None = None

    def above(self, kind: Found) -> Seen | None:
        """The resource of a kind on the way here."""
        at: Seen | None = self
        while at is not None and at.kind is not kind:
            at = at.parent
        return at


@dataclass(frozen=True, slots=True)
class Made:
    """A MirrorUsagePoint as it was sent, where it is, and the types of its readings by mRID."""

    sent: MirrorUsagePoint
    href: str
    readings: tuple[tuple[Reading, str], ...]


@dataclass(slots=True)
class Subscribed:
    """A subscription: what to, where it is, and how many Notifications of it were looked at."""

    resource: str
    href: str
    uri: str
    looked_at: int = 0
    told: list[Seen] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Client:
    """One client. `lfdi` is that of its EndDevice: its own, or of a device that it speaks for.

    `judge` judges what it is sent.
    """

    name: str
    viewer: Viewer
    lfdi: str
    aggregator: bool = False
    judge: Judge = field(default_factory=Judge)
    found: dict[Found, list[Seen]] = field(default_factory=dict)
    mirrors: dict[str, Made] = field(default_factory=dict)
    subscriptions: dict[str, Subscribed] = field(default_factory=dict)
    sent: list[tuple[str, int]] = field(default_factory=list)

    @property
    def sfdi(self) -> int:
        """SFDI of its EndDevice."""
        return sfdi_of(parse_lfdi(self.lfdi))

    def seen(self, kind: Found) -> list[Seen]:
        """What was found of a kind."""
        return self.found.get(kind, [])

    def own_device(self) -> Seen | None:
        """Its EndDevice among those that it found."""
        return next((one for one in self.seen(Found.EDEV) if _lfdi(one.value) == self.lfdi), None)


def _lfdi(value: object) -> str:
    return str(getattr(value, "lFDI", "") or "").upper()


def client_of(name: str, viewer: Viewer, player: Player, judge: Judge) -> Client:
    """A client: a device speaks for itself, an aggregator for a device of the same enterprise number.

    The last 8 digits of an LFDI are the private enterprise number of the aggregator (TS 5573).
    """
    if player is not Player.AGGREGATOR:
        return Client(name=name, viewer=viewer, lfdi=viewer.lfdi, judge=judge)
    drawn = hashlib.sha256((DEVICES + viewer.lfdi).encode()).hexdigest().upper()[:32]
    return Client(name=name, viewer=viewer, lfdi=drawn + viewer.lfdi[-8:], aggregator=True, judge=judge)
