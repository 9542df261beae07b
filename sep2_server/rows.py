"""What the store holds, as values."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from operator import attrgetter
from typing import Any, Final, NamedTuple

EVERYBODY: Final = 0
"""Scope of items that everybody with access to the list sees."""
MEMBERS: Final = -2
"""Scope under which the tally of a group counts its devices."""
ANSWERED: Final = -3
"""Scope of the tally of what the server has granted a device since it last looked for grants to forget."""
DELETED: Final = 0
"""Version in the change feed of what is no longer there."""
ACCESS: Final = "access"
"""Kind of a change of what a client may see; its `resource_id` is the EndDevice, or 0 for all clients."""
BLOCKED: Final = "blocked"
"""Kind of a change of the certificates that are refused."""
OPTION: Final = "option"
"""Kind of a change of a value that is set at run time."""
LONGEST_LEASE_MS: Final = 60_000
"""Nobody takes a lease for longer."""
OVER: Final = 5
"""`Row.status` of an event whose end has passed; EventStatus itself has no such code in 2018."""
LATEST: Final = 2**63 - 1
"""The last second that a TimeType has."""
FOR_GOOD: Final = 1 << 60
"""How long after its end, in s, what is over for good and stays in its list is looked at: never, but for the
order of `next_at`, by which what a clock that was ahead has ended is found."""

Place = tuple[bytes, int]
"""Sort key and row id of an item of a list: the order of the list is theirs."""
HIGHEST: Final = b"\xff" * 64
"""Behind every sort key."""


class Role(StrEnum):
    """How a client takes part."""

    DEVICE = "device"
    AGGREGATOR = "aggregator"


class Row(NamedTuple):
    """One stored resource. A list is a row with an empty `body`; see `tables.resource` for the fields."""

    id: int
    href: str
    kind: str
    list_id: int | None = None
    scope: int = EVERYBODY
    sort_key: bytes = b""
    owner_id: int | None = None
    mrid: str | None = None
    version: int = 1
    status: int | None = None
    starts: int | None = None
    ends: int | None = None
    next_at: int | None = None
    body: bytes = b""


row_of: Final[Callable[[Iterable[Any]], Row]] = partial(tuple.__new__, Row)
"""A row of as many values as it has fields, in their order: `Row._make`, which counts them, for the many."""


class Change(NamedTuple):
    """One write as the change feed tells it; `version` 0 means that the resource was deleted."""

    seq: int
    resource_id: int
    kind: str
    list_id: int | None
    scope: int
    owner_id: int | None
    version: int


change_of: Final[Callable[[Iterable[Any]], Change]] = partial(tuple.__new__, Change)
"""As `row_of`."""
KIND_OF: Final = attrgetter("kind")
"""The kind of a change, to look through many."""


class Client(NamedTuple):
    """One enrolled client. `aggregator_id` is the EndDevice of the aggregator that speaks for it."""

    lfdi: str
    sfdi: int
    name: str
    role: str
    end_device_id: int
    aggregator_id: int | None
    certificate: str | None
    enrolled_at: int


class Group(NamedTuple):
    """One group of devices: what its members are assigned together."""

    id: int
    name: str


class Assignment(NamedTuple):
    """Membership of a device in a group, and the FunctionSetAssignments that tells the device of it."""

    group_id: int
    end_device_id: int
    assignments_id: int


class Blocked(NamedTuple):
    """One certificate that is refused whatever it asks; `since` in s since 1970 UTC."""

    lfdi: str
    reason: str
    since: int


class Node(NamedTuple):
    """One node of the network: `id` is that of its group, `parent_id` of the node above, 0 at the top."""

    id: int
    level: str
    name: str
    parent_id: int


class StoredReading(NamedTuple):
    """One value of a ReadingSet or MeterReading; `time` in s since 1970 UTC, `duration` in s."""

    reading_set_id: int
    sort_key: bytes
    position: int
    time: int | None
    duration: int | None
    value: int | None
    quality: str | None
    body: bytes
    day: int | None = None


class Lease(NamedTuple):
    """Who does a task that one process at a time does; `until` in ms since 1970 UTC by the database."""

    name: str
    holder: str
    until: int

    def is_free_for(self, holder: str, now_ms: int) -> bool:
        """Whether somebody may take it: who holds it, or anybody once it is over.

        One for longer than anybody takes a lease is from a clock that was ahead, and over too.
        """
        return self.holder == holder or not now_ms < self.until <= now_ms + LONGEST_LEASE_MS


class Linking(NamedTuple):
    """A group whose members behind an EndDevice have yet to be given its links."""

    group_id: int
    after_id: int


class Report(NamedTuple):
    """One Response of a device to an event, as numbers; times in s since 1970 UTC."""

    response_id: int
    subject: str
    end_device_id: int
    status: int | None
    created: int | None
    received: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Part of a list in its order: `scope`, and sort keys from `low` on to before `high`."""

    list_id: int
    scope: int = EVERYBODY
    low: bytes = b""
    high: bytes = HIGHEST

    @property
    def is_whole(self) -> bool:
        """True where no sort key bounds it."""
        return not self.low and self.high is HIGHEST


def full_mrid(mrid: str) -> str:
    """An mRID as the store compares them: 32 upper-case hex digits. IEEE 2030.5-2018, annex B (mRIDType)."""
    return mrid.upper().rjust(32, "0")


class Answered(NamedTuple):
    """What an operator was answered to a request with a key; see `tables.answered` for the fields."""

    who: str
    key: str
    fingerprint: bytes
    answer: bytes
    at: int
