"""Who sees what: the LFDI of the TLS certificate decides. IEEE 2030.5-2018, 6 (access control); CSIP 1.4."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from function_sets import Access, Route
from sep2_server.extra_routes import FILE_CONTENT, GROUP_LISTS
from sep2_server.feed import RIGHTS, last_of_rights
from sep2_server.profiles import ServerProfile
from sep2_server.reader import Reader
from sep2_server.rows import EVERYBODY, KIND_OF, Change, Client, Role, Row

NOBODY: Final = -1
"""Scope of a client that is not enrolled: it sees no item of any list."""
ADDRESSED: Final = frozenset({"File", FILE_CONTENT})
"""What a group has and yet only one of its members may see."""
OPEN_TO_UNKNOWN: Final = frozenset({"DeviceCapability", "EndDeviceList", "Time"})
"""What a client that is not enrolled may see in general."""

OPEN_TO_ENTERING: Final = OPEN_TO_UNKNOWN | {"MirrorUsagePointList"}
"""What one may see at most that may register itself. CSIP-AUS S-ALL-02."""


MOST_GRANTED: Final = 4096
"""So much of what an aggregator is assigned is remembered."""
OPEN_TO_DISABLED: Final = frozenset({"DeviceCapability", "EndDeviceList", "EndDevice", "Time"})
"""What is left to a client whose EndDevice has `enabled` false. IEEE 2030.5-2018, 10 (EndDevice)."""


@dataclass(frozen=True)
class Viewer:
    """A client as far as rights go: what it is enrolled as, and what it is assigned.

    `assigned` are programs by the lists of groups that show them (`GroupDERProgramList`), `lists` these.
    Both are empty for an aggregator, whose devices have as many as they are: it is asked of each.
    """

    lfdi: str
    client: Client | None
    assigned: Mapping[str, frozenset[int]] = field(default_factory=dict)
    lists: frozenset[int] = frozenset()
    is_disabled: bool = False
    granted: set[int] = field(default_factory=set, compare=False)
    """Programs and lists of an aggregator that were asked for and are assigned to it."""

    @cached_property
    def programs(self) -> frozenset[int]:
        """The programs of all kinds that it is assigned."""
        return frozenset().union(*self.assigned.values())

    @property
    def scope(self) -> int:
        """Scope of the items that it sees in lists which show each client its own."""
        return NOBODY if self.client is None else self.client.end_device_id

    @property
    def aggregator_id(self) -> int | None:
        """EndDevice of the aggregator in whose lists the client's own items stand; None for its own lists."""
        return None if self.client is None else self.client.aggregator_id

    @property
    def is_aggregator(self) -> bool:
        """True for a client that speaks for other EndDevices."""
        return self.client is not None and self.client.role == Role.AGGREGATOR


def open_to_unknown(rules: ServerProfile, *, has_certificate: bool, in_band: bool) -> frozenset[str]:
    """Ids of what a client may read that is not enrolled, or shows no certificate. CSIP 1.5."""
    if has_certificate and in_band and rules.open_mirror_list:
        return OPEN_TO_ENTERING
    if has_certificate and (in_band or rules.unknown_client == "empty_list"):
        return OPEN_TO_UNKNOWN
    if rules.open_capability or (has_certificate and rules.unknown_client == "capability"):
        return frozenset({"DeviceCapability"})
    return frozenset()


def scope_of(client: Client) -> int:
    """EndDevice of the client in whose lists the items of this one stand: its aggregator's, or its own."""
    return client.end_device_id if client.aggregator_id is None else client.aggregator_id


def speaks_for(reader: Reader, viewer: Viewer, end_device_id: int) -> bool:
    """Whether a client is an EndDevice, or the aggregator of one that is enabled."""
    if viewer.scope == end_device_id:
        return True
    return _is_aggregator_of(reader, viewer, end_device_id) and not reader.is_disabled(end_device_id)


def _is_aggregator_of(reader: Reader, viewer: Viewer, end_device_id: int) -> bool:
    other = reader.client_of(end_device_id) if viewer.is_aggregator else None
    return other is not None and other.aggregator_id == viewer.scope


def may_see(reader: Reader, viewer: Viewer, route: Route, owner_id: int | None, row: Row | None) -> bool:
    """Whether a client may know that a resource is there. IEEE 2030.5-2018, 6 (access control)."""
    if route.access is Access.OWNER and viewer.client is not None:
        return owner_id is not None and _may_see_of(reader, viewer, route, owner_id)
    return _may_see_shared(reader, viewer, route, owner_id, row) and is_addressed(reader, viewer, row)


def _may_see_shared(
    reader: Reader | None, viewer: Viewer, route: Route, owner_id: int | None, row: Row | None
) -> bool:
    if route.access is Access.OPERATOR or viewer.client is None:
        return False
    if viewer.is_disabled and route.id not in OPEN_TO_DISABLED:
        return False
    if route.access is Access.ASSIGNED:
        return _is_assigned(reader, viewer, route, owner_id, row)
    return True


def _may_see_of(reader: Reader, viewer: Viewer, route: Route, end_device_id: int) -> bool:
    """Whether a client may see what belongs to an EndDevice: of one that is disabled, the entry alone."""
    if viewer.is_disabled and route.id not in OPEN_TO_DISABLED:
        return False
    if route.id in OPEN_TO_DISABLED and _is_aggregator_of(reader, viewer, end_device_id):
        return True
    return speaks_for(reader, viewer, end_device_id)


def may_see_again(
    viewer: Viewer, route: Route, owner_id: int | None, row: Row | None, speaker: int | None
) -> bool:
    """As `may_see`, for what was seen before by its owner, or by the aggregator `speaker` of its owner.

    False too where the store has to be asked.
    """
    if viewer.client is None or route.access is not Access.OWNER:
        is_theirs = not _is_for_one(row) or (row is not None and row.scope == viewer.scope)
        return is_theirs and _may_see_shared(None, viewer, route, owner_id, row)
    is_open = not viewer.is_disabled or route.id in OPEN_TO_DISABLED
    return is_open and owner_id is not None and viewer.scope in {owner_id, speaker}


def _is_assigned(
    reader: Reader | None, viewer: Viewer, route: Route, owner_id: int | None, row: Row | None
) -> bool:
    if route.id in GROUP_LISTS:
        has_list = row is not None and row.id in viewer.lists
        return has_list or (row is not None and _is_granted(reader, viewer, row.id, Reader.has_list))
    if owner_id is None or owner_id in viewer.programs:
        return True
    return _is_granted(reader, viewer, owner_id, Reader.has_program)


def _is_granted(
    reader: Reader | None, viewer: Viewer, number: int, ask: Callable[[Reader, int, int], bool]
) -> bool:
    """Whether an aggregator is assigned a program, or a list; what was granted is remembered.

    What is remembered goes with the Viewer once its rights change.
    """
    if number in viewer.granted:
        return True
    if reader is None or not viewer.is_aggregator or not ask(reader, viewer.scope, number):
        return False
    if len(viewer.granted) >= MOST_GRANTED:
        viewer.granted.clear()
    viewer.granted.add(number)
    return True


def assigned_to(reader: Reader, viewer: Viewer, kind: str) -> Collection[int]:
    """The programs in the group lists of a kind that a client is assigned."""
    if viewer.is_aggregator:
        return reader.programs_in_order(viewer.scope, kind)
    return viewer.assigned.get(kind, frozenset())


def is_addressed(reader: Reader, viewer: Viewer, row: Row | None) -> bool:
    """Whether a file is for this client: some are for one EndDevice alone, which is then their scope."""
    return not _is_for_one(row) or (row is not None and speaks_for(reader, viewer, row.scope))


def _is_for_one(row: Row | None) -> bool:
    return row is not None and row.kind in ADDRESSED and row.scope != EVERYBODY


class Viewers:
    """The rights of the clients seen last, read again after a change to them. Bounded, not the fleet.

    Any thread may use it. `as_of` is the place in the change feed of the last change of rights that it knows.
    """

    def __init__(self, most: int) -> None:
        self.as_of = 0
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Viewer] = OrderedDict()
        self._lfdis: dict[int, str] = {}

    def known(self, lfdi: str) -> Viewer | None:
        """The rights of a client, None where they have to be read."""
        return self._known.get(lfdi)

    def of(self, reader: Reader, lfdi: str) -> Viewer:
        """The rights of the client with an LFDI."""
        known = self._known.get(lfdi)
        return self._read(reader, lfdi) if known is None else known

    def forget(self, changes: Sequence[Change]) -> None:
        """Read again what a commit may have changed.

        Nobody keeps what was read before the commit: neither before it is forgotten nor after that.
        """
        if RIGHTS.isdisjoint(map(KIND_OF, changes)):
            return
        with self._lock:
            for change in changes:
                if change.kind in RIGHTS:
                    self._forget(change.resource_id)
            self.as_of = last_of_rights(changes, self.as_of)

    def start_at(self, rights: int) -> None:
        """Know nothing yet, as of a change of rights."""
        with self._lock:
            self._forget(EVERYBODY)
            self.as_of = rights

    def _read(self, reader: Reader, lfdi: str) -> Viewer:
        """Read the rights; they are not kept where some have changed meanwhile."""
        before = self.as_of
        viewer = viewer_of(reader, lfdi)
        if viewer.client is None:
            return viewer
        with self._lock:
            if self.as_of == before:
                self._keep(lfdi, viewer)
        return viewer

    def _keep(self, lfdi: str, viewer: Viewer) -> None:
        self._known[lfdi] = viewer
        self._lfdis[viewer.scope] = lfdi
        if len(self._known) > self._most:
            _, oldest = self._known.popitem(last=False)
            self._lfdis.pop(oldest.scope, None)

    def _forget(self, end_device_id: int) -> None:
        if end_device_id == EVERYBODY:
            self._known.clear()
            self._lfdis.clear()
        lfdi = self._lfdis.pop(end_device_id, None)
        if lfdi is not None:
            self._known.pop(lfdi, None)


def viewer_of(reader: Reader, lfdi: str) -> Viewer:
    """The rights of a client as they are in the store now."""
    client = reader.client(lfdi)
    if client is None:
        return Viewer(lfdi, None)
    end_device = client.end_device_id
    if client.role == Role.AGGREGATOR:
        return Viewer(lfdi, client, is_disabled=reader.is_disabled(end_device))
    return Viewer(
        lfdi,
        client,
        reader.programs_of_viewer(end_device),
        reader.lists_of_viewer(end_device),
        reader.is_disabled(end_device),
    )
