"""What each role of Secure SunSpec Modbus may do with the registers of a device. Pure.

Every role reads everything; the table says what it writes. Whoever has none of these roles reads the marker
and the headers of the models, so that discovery works, and nothing else.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Final

from certs import ModbusRole
from der_client.sunspec.definitions import HEADER_SIZE
from der_client.sunspec.scan import END_ID, MARKER
from der_client.sunspec.simulator.bank import FIRST_ADDRESS, IllegalRequestError
from der_client.sunspec.simulator.pdu import ILLEGAL_FUNCTION, RegisterStore


class Area(Enum):
    """What a register is for."""

    OPERATION = "commands and autonomous functions"
    NETWORK = "how the device is reached"
    PROTECTION = "ratings, trip limits and islanding"


WRITES: Final[Mapping[ModbusRole, frozenset[Area]]] = {
    ModbusRole.READ_ONLY: frozenset(),
    ModbusRole.GRID_SERVICE: frozenset({Area.OPERATION}),
    ModbusRole.NETWORK_ADMINISTRATOR: frozenset({Area.NETWORK}),
    ModbusRole.SUPER_ADMINISTRATOR: frozenset(Area),
}
NETWORK_MODELS: Final = frozenset(range(2, 20))
RATINGS: Final = frozenset({120, 121, 702})
TRIPS: Final = frozenset({129, 130, *range(135, 145), *range(707, 711)})
COMMON_ADDRESS: Final = (1, 66)
ANTI_ISLANDING: Final = (704, 52)


def area_of(model_id: int, offset: int) -> Area:
    """What a register of a model is for; the offset counts from its ID register."""
    place = (model_id, offset)
    if model_id in NETWORK_MODELS or place == COMMON_ADDRESS:
        return Area.NETWORK
    if model_id in RATINGS | TRIPS or place == ANTI_ISLANDING:
        return Area.PROTECTION
    return Area.OPERATION


class GuardedStore:
    """The registers of a device as one role may use them: what is denied is exception 1."""

    def __init__(self, store: RegisterStore, role: str | None, base: int = FIRST_ADDRESS) -> None:
        known = set(ModbusRole)
        self._role = ModbusRole(role) if role in known else None
        self._store = store
        self._base = base

    def read(self, address: int, count: int) -> Sequence[int]:
        """Registers. Raises IllegalRequestError for what the role may not see, or the store does not have."""
        if self._role is None and not set(range(address, address + count)) <= self._discovery():
            raise IllegalRequestError(ILLEGAL_FUNCTION, f"{address}+{count} is not to be read without a role")
        return self._store.read(address, count)

    def write(self, address: int, words: Sequence[int]) -> None:
        """Take registers. Raises IllegalRequestError for what the role, or the store, does not let change."""
        touched = range(address, address + len(words))
        allowed = WRITES[self._role] if self._role else frozenset()
        if not allowed or self._areas(touched) - allowed:
            raise IllegalRequestError(ILLEGAL_FUNCTION, f"{self._role} may not write {address}+{len(words)}")
        self._store.write(address, words)

    def _areas(self, touched: range) -> set[Area]:
        return {
            area_of(model_id, address - start)
            for model_id, start, end in self._models()
            for address in touched
            if start <= address < end
        }

    def _discovery(self) -> set[int]:
        """Addresses of the marker, of every ID and L, and of the end."""
        heads = [self._base, *(start for _, start, _ in self._models())]
        after = max((end for _, _, end in self._models()), default=self._base + len(MARKER))
        return {head + i for head in (*heads, after) for i in range(HEADER_SIZE)}

    def _models(self) -> Iterator[tuple[int, int, int]]:
        """Model number, address of its ID and address after its last register, up to the end of the map."""
        address = self._base + len(MARKER)
        while True:
            try:
                model_id, length = self._store.read(address, HEADER_SIZE)
            except IllegalRequestError:
                return
            if model_id in {0, END_ID}:
                return
            yield model_id, address, address + HEADER_SIZE + length
            address += HEADER_SIZE + length
