"""What every operation works with: the store at one moment, the environment, the names in calls."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from function_sets import make_mrid
from schemas import DERControl, DERProgram, IdentifiedObject, SubscribableIdentifiedObject
from schemas.codes import EventState
from sep2_server.environment import Environment
from sep2_server.extra_routes import GROUP_LIST
from sep2_server.operator.auth import Role
from sep2_server.operator.errors import BadRequest, Conflict, NotFound
from sep2_server.operator.gathered import Gathered
from sep2_server.operator.shape import Length
from sep2_server.reader import Reader
from sep2_server.rows import Client, Group, Row
from sep2_server.transaction import Transaction

T = TypeVar("T")
LFDI_DIGITS = 40
HEX = frozenset("0123456789abcdefABCDEF")
OPEN_STATES = frozenset({EventState.SCHEDULED, EventState.ACTIVE})
ALL = 2**31
"""More items than a list has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What the operators' side has beside the store: the folder of tokens and audit log, and who calls.

    `random_bits(n)` draws n bits; `role` is that of the token `who`.
    """

    folder: Path
    audit: Path
    who: str
    role: Role
    random_bits: Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Desk:
    """The store (a Transaction where something changes), the environment, server time in s since 1970.

    `random_below(n)` draws a whole number from 0 to n - 1.
    """

    reader: Reader
    environment: Environment
    now: int
    random_below: Callable[[int], int]
    beside_store: Office | None = None
    gathered: Gathered | None = None
    """Where a call changes many events; None where each is looked at as it is written."""

    @property
    def office(self) -> Office:
        """Tokens, audit log and who calls."""
        if self.beside_store is None:
            raise TypeError("only a request to the operator API has an office")
        return self.beside_store

    @property
    def may_only_read(self) -> bool:
        """Whether who calls is a viewer."""
        return self.beside_store is not None and self.beside_store.role is Role.VIEWER

    @property
    def may_rule(self) -> bool:
        """Whether who calls is an admin, or the server itself."""
        return self.beside_store is None or self.beside_store.role is Role.ADMIN

    @property
    def transaction(self) -> Transaction:
        """The store for writing."""
        if not isinstance(self.reader, Transaction):
            raise TypeError("an operation that only reads has no transaction")
        return self.reader

    def settle(self) -> None:
        """Bring up to date what events do to each other that were written and not looked at yet."""
        if self.gathered is not None:
            self.gathered.settle(self.transaction, self.environment, self.now)

    def settled(self, row: Row) -> Row:
        """A row that was read or written before all was settled, as it is now."""
        is_as_read = self.gathered is None or row.list_id not in self.gathered.touched
        return row if is_as_read else self.reader.by_id(row.id) or row

    def resource(self, row: Row, cls: type[T]) -> T:
        """The resource that a row holds."""
        return self.environment.codec.decode_fragment(row.body, cls)

    def beside(self, row: Row, kind: str) -> Row | None:
        """The resource of another kind below the same EndDevice, DER or program; None where there is none."""
        place = self.environment.uris.find(row.href)
        return None if place is None else self.reader.by_href(self.environment.uris.beside(place, kind))

    def listed(self, row: Row, kind: str) -> Row:
        """The list of a kind below a resource. Conflict where it has none."""
        found = self.beside(row, kind)
        if found is None:
            raise Conflict(f"{row.href} has no {kind}", "choose another: lineside op group list")
        return found

    def items(self, row: Row, kind: str, limit: int = ALL) -> list[Row]:
        """The first items of a list below a resource, in the list's order; none where there is no list."""
        listed = self.beside(row, kind)
        return [] if listed is None else self.reader.items(listed.id, limit=limit)

    def open_controls(self, row: Row) -> list[Row]:
        """The scheduled and active controls of the program that a resource is, or is below."""
        return [item for item in self.items(row, "DERControlList") if item.status in OPEN_STATES]

    def count_open_controls(self, row: Row) -> int:
        """How many they are."""
        listed = self.beside(row, "DERControlList")
        return 0 if listed is None else self.reader.count_open(listed.id)

    def client(self, name: str) -> Client:
        """The client with an LFDI, or a name. NotFound where there is none.

        The LFDI goes first: a name that another device has may look like it.
        """
        found = self.reader.client(name.upper()) if has_form_of_lfdi(name) else None
        found = found or self.reader.client_named(name)
        if found is None:
            raise NotFound(f"no device is named {name[:80]!r}", "list the devices: lineside op devices")
        return found

    def has_client(self, name: str) -> bool:
        """Whether there is a client with this name or LFDI."""
        is_lfdi = has_form_of_lfdi(name) and self.reader.client(name.upper()) is not None
        return is_lfdi or self.reader.client_named(name) is not None

    def end_device(self, client: Client) -> Row:
        """The EndDevice of a client."""
        return self._row(self.reader.by_id(client.end_device_id), client.name)

    def group(self, name: str) -> Group:
        """The group with a name. NotFound where there is none."""
        found = self.reader.group_named(name)
        if found is None:
            raise NotFound(f"no group is named {name[:80]!r}", "list the groups: lineside op group list")
        return found

    def programs(self, group: Group) -> list[Row]:
        """The DERPrograms of a group, the best primacy first."""
        return self.programs_of(group, GROUP_LIST)

    def programs_of(self, group: Group, kind: str) -> list[Row]:
        """The programs of a group in one of its lists (`GroupTariffProfileList`), in the list's order."""
        list_id = self.reader.group_lists(group.id).get(kind)
        return [] if list_id is None else self.reader.members(list_id, limit=ALL)

    def new_mrid(self) -> str:
        """An mRID for something that this server makes."""
        return make_mrid(self.random_below, self.environment.settings.pen)

    def program(self, group: Group, selector: str | None) -> Row:
        """The one program of a group, or the one with this mRID or description.

        NotFound where there is none; BadRequest where a group of several needs to be told which.
        """
        programs = self.programs(group)
        told = [(row, self.resource(row, DERProgram)) for row in programs]
        chosen = [row for row, program in told if selector is None or is_called(program, selector)]
        if len(chosen) == 1:
            return chosen[0]
        names = ", ".join(
            f"{program.mRID} ({program.description or 'no description'})" for _, program in told
        )
        if chosen:
            raise BadRequest(f"program: group {group.name} has several", f"allowed: {names}")
        raise NotFound(
            f"group {group.name} has no program {selector or ''}".rstrip(), f"there are: {names or 'none'}"
        )

    def control(self, mrid: str) -> Row:
        """The DERControl with an mRID. NotFound where there is none."""
        return self.of_mrid(mrid, "DERControl", "lineside op controls")

    def of_mrid(self, mrid: str, kind: str, command: str) -> Row:
        """The resource of a kind with an mRID; `command` lists those there are. NotFound without."""
        found = self.reader.by_mrid(mrid, kind=kind) if is_mrid(mrid) else None
        if found is not None and self._is_left(found):
            found = next((row for row in self.all_by_mrid(mrid) if row.kind == kind), None)
        if found is None:
            raise NotFound(f"no {kind} has the mRID {mrid[:40]!r}", f"list them: {command}")
        return found

    def all_by_mrid(self, mrid: str) -> list[Row]:
        """All resources with an mRID, without what is only left of something that is gone."""
        return [row for row in self.reader.all_by_mrid(mrid) if not self._is_left(row)]

    def _is_left(self, row: Row) -> bool:
        return any(above is not None and self.reader.is_gone(above) for above in (row.list_id, row.owner_id))

    def control_of(self, row: Row) -> DERControl:
        """The DERControl that a row holds."""
        return self.resource(row, DERControl)

    def _row(self, row: Row | None, name: str) -> Row:
        if row is None:
            raise NotFound(f"{name} has lost its resource", "it is being removed; try again")
        return row


def is_mrid(text: str) -> bool:
    """True for 1 to 32 hex digits."""
    return 0 < len(text) <= 32 and HEX.issuperset(text)


def has_form_of_lfdi(text: str) -> bool:
    """True for 40 hex digits. IEEE 2030.5-2018, 6.3.4."""
    return len(text) == LFDI_DIGITS and HEX.issuperset(text)


def require_name(name: str, lfdi: str) -> None:
    """Raise BadRequest for a name that has the form of an LFDI, which leads to the device with that one."""
    if has_form_of_lfdi(name) and name.upper() != lfdi:
        raise BadRequest(
            "name: it has the form of an LFDI, and is not that of the device",
            f"choose another name, or {lfdi}",
        )


def require_bounds(name: str, bounds: Length, place: str) -> None:
    """Raise BadRequest for a name of a path under which something is made, as for one in a body."""
    if flaw := bounds.flaw(name):
        raise BadRequest(f"{place}: {flaw}", f"allowed: {bounds}")


def is_called(thing: IdentifiedObject | SubscribableIdentifiedObject, name: str) -> bool:
    """Whether an object has this mRID (compared as a number) or this description."""
    same_number = is_mrid(name) and int(thing.mRID or "0", 16) == int(name, 16)
    return same_number or thing.description == name
