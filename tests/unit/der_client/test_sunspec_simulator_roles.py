"""What each role of Secure SunSpec Modbus may read and write."""

from collections.abc import Sequence

import pytest

from certs import ModbusRole
from der_client.sunspec.model import Model
from der_client.sunspec.simulator.bank import IllegalRequestError, RegisterBank
from der_client.sunspec.simulator.image import build_bank
from der_client.sunspec.simulator.pdu import answer
from der_client.sunspec.simulator.roles import Area, GuardedStore, area_of
from der_client.sunspec.simulator.settings import InverterSettings

DENIED, ADDRESS = 1, 2
BANK = build_bank(InverterSettings())
EVERY = [*ModbusRole]


class Store:
    """The registers of a simulated inverter that takes every write, and remembers where."""

    def __init__(self, bank: RegisterBank = BANK) -> None:
        self.bank = bank
        self.written: list[int] = []

    def read(self, address: int, count: int) -> Sequence[int]:
        return self.bank.read(address, count)

    def write(self, address: int, words: Sequence[int]) -> None:
        self.written.append(address)


def model(model_id: int) -> Model:
    return BANK.models[model_id]


def code_of_write(role: str | None, address: int, words: Sequence[int] = (0,)) -> int | None:
    """The exception that a write gets, `None` where it is taken."""
    store = Store()
    try:
        GuardedStore(store, role).write(address, words)
    except IllegalRequestError as error:
        return error.code
    return None if store.written == [address] else -1


@pytest.mark.parametrize("role", EVERY)
def test_every_role_reads_everything(role: str) -> None:
    assert GuardedStore(Store(), role).read(40000, 125) == BANK.read(40000, 125)


@pytest.mark.parametrize("role", [None, "", "VendorRole"])
def test_whoever_has_no_role_sees_marker_headers_and_end(role: str | None) -> None:
    guarded = GuardedStore(Store(), role)
    heads = [40000, 40002, *(one.address for one in BANK.models.values()), model(715).end]
    assert [list(guarded.read(head, 2)) for head in heads] == [BANK.read(head, 2) for head in heads]


@pytest.mark.parametrize(("address", "count"), [(40004, 1), (40002, 3), (40003, 2), (40060, 125)])
def test_whoever_has_no_role_sees_nothing_else(address: int, count: int) -> None:
    with pytest.raises(IllegalRequestError) as refused:
        GuardedStore(Store(), None).read(address, count)
    assert refused.value.code == DENIED


WRITES = [
    (704, 14, {ModbusRole.GRID_SERVICE}),
    (705, 2, {ModbusRole.GRID_SERVICE}),
    (715, 5, {ModbusRole.GRID_SERVICE}),
    (703, 2, {ModbusRole.GRID_SERVICE}),
    (704, 52, set()),
    (702, 26, set()),
    (707, 2, set()),
    (710, 2, set()),
    (1, 66, {ModbusRole.NETWORK_ADMINISTRATOR}),
]


@pytest.mark.parametrize(("model_id", "offset", "roles"), WRITES)
def test_role_writes_what_it_is_for(model_id: int, offset: int, roles: set[ModbusRole]) -> None:
    address = model(model_id).address + offset
    allowed = {role for role in EVERY if code_of_write(role, address) is None}
    assert allowed == roles | {ModbusRole.SUPER_ADMINISTRATOR}
    assert code_of_write(None, address) == DENIED


def test_write_over_a_protected_register_is_denied_as_a_whole() -> None:
    assert code_of_write(ModbusRole.GRID_SERVICE, model(704).address + 51, (0, 1)) == DENIED


@pytest.mark.parametrize(
    ("model_id", "offset", "area"),
    [
        (12, 20, Area.NETWORK),
        (123, 5, Area.OPERATION),
        (121, 2, Area.PROTECTION),
        (135, 3, Area.PROTECTION),
        (802, 19, Area.OPERATION),
    ],
)
def test_registers_of_other_families_have_their_area(model_id: int, offset: int, area: Area) -> None:
    assert area_of(model_id, offset) is area


def test_denied_request_is_exception_1_on_the_wire() -> None:
    guarded = GuardedStore(Store(), ModbusRole.READ_ONLY)
    assert answer(guarded, bytes.fromhex("10 9d76 0001 02 0000")).hex() == "9001"


def test_map_without_an_end_can_be_discovered_up_to_its_end() -> None:
    class Short(Store):
        def read(self, address: int, count: int) -> Sequence[int]:
            if address + count > model(1).end:
                raise IllegalRequestError(ADDRESS, "outside")
            return super().read(address, count)

    guarded = GuardedStore(Short(), None)
    assert list(guarded.read(40002, 2)) == [1, 66]
