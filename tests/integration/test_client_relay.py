"""A relay behind which a device is: held by a control loop that can be relied on, open without it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from der_client.client_event import What
from der_client.crowd import Crowd
from der_client.device import Fault, FaultKind
from der_client.device_factory import relayed_device_of
from der_client.relay import RelayedDevice, RelaySettings
from der_client.settings import DeviceSettings, load_settings
from der_client.sunspec.modbus_relay import ModbusRelay
from der_client.sunspec.simulator import ModbusServer
from der_client.sunspec.simulator.relay import WatchdogRelay
from tests.integration.control_bench import Bench, Notes, Rig
from tests.sunspec_shelf import until

HOLD_S = 5.0


@dataclass
class Hands:
    """A clock that the test moves, and the relay of it."""

    now: float = 0.0
    relay: WatchdogRelay = field(init=False)

    def __post_init__(self) -> None:
        self.relay = WatchdogRelay(HOLD_S, lambda: self.now)


@pytest.fixture
async def wired() -> AsyncIterator[tuple[Hands, ModbusRelay]]:
    hands = Hands()
    server = await ModbusServer({1: hands.relay}).start()
    relay = ModbusRelay(RelaySettings(host="127.0.0.1", port=server.port))
    yield hands, relay
    await relay.close()
    await server.close()


async def test_a_relay_is_closed_while_it_is_held_and_opens_without(wired: tuple[Hands, ModbusRelay]) -> None:
    hands, relay = wired
    assert not hands.relay.is_closed
    relay.hold()
    await until(lambda: hands.relay.is_closed)
    hands.now = HOLD_S - 1
    relay.hold()
    await until(lambda: hands.relay.word == 2)
    closed = []
    for hands.now in (2 * HOLD_S - 1.1, 2 * HOLD_S - 1):
        closed.append(hands.relay.is_closed)
    assert closed == [True, False]


async def test_a_relay_that_is_told_to_open_does_so_at_once(wired: tuple[Hands, ModbusRelay]) -> None:
    hands, relay = wired
    relay.hold()
    await until(lambda: hands.relay.is_closed)
    relay.open()
    await until(lambda: not hands.relay.is_closed)
    assert hands.relay.word == 0


async def test_a_dead_relay_makes_no_control_loop_wait() -> None:
    relay = ModbusRelay(RelaySettings(host="127.0.0.1", port=1, timeout_s=0.2))
    begun_s = asyncio.get_running_loop().time()
    assert relay.hold() is None
    assert asyncio.get_running_loop().time() - begun_s < 0.1
    await until(lambda: relay.hold() is not None)
    fault = relay.hold()
    await relay.close()
    assert isinstance(fault, Fault)
    assert fault.kind is FaultKind.NO_ANSWER


@dataclass
class Contact:
    """A relay that notes its orders."""

    orders: list[str] = field(default_factory=list)
    fault: Fault | None = None

    def hold(self) -> Fault | None:
        self.orders.append("hold")
        return self.fault

    def open(self) -> Fault | None:
        self.orders.append("open")
        return self.fault

    async def close(self) -> None:
        self.orders.append("close")


class Relayed(Rig):
    """A device in memory, behind a relay and in a crowd."""

    def behind(self, contact: Contact) -> "Relayed":
        self.contact = contact
        self.chain = Crowd().join(RelayedDevice(self, contact))
        return self

    def guard(self, *, is_sound: bool) -> Fault | None:
        return self.chain.guard(is_sound=is_sound)


def bench_of(contact: Contact, memory: Notes | None = None) -> Bench:
    return Bench(Relayed().behind(contact), memory=memory)


async def test_the_relay_is_held_each_period_and_opened_where_the_loop_is_not_to_be_relied_on() -> None:
    contact = Contact()
    bench = bench_of(contact)
    await bench.cycle()
    await bench.cycle()
    bench.loop._loop = bench.loop._loop.began(100.0, 90.0, 2.0)
    await bench.cycle()
    assert contact.orders == ["hold", "hold", "open"]


@pytest.mark.parametrize(
    ("said", "order"),
    [
        pytest.param({"cell_c_max": 70.0, "cell_c_min": 60.0}, "open", id="far too hot"),
        pytest.param({"alarms": frozenset({"high_voltage"})}, "hold", id="out of service alone"),
    ],
)
async def test_the_relay_opens_with_a_contactor_that_must_open(said: dict[str, object], order: str) -> None:
    contact = Contact()
    bench = bench_of(contact)
    bench.rig.says(**said)
    for _ in range(3):
        await bench.cycle()
    assert contact.orders[-1] == order


async def test_the_relay_stays_open_over_a_restart_until_an_operator_resets_the_latch() -> None:
    notes, contact = Notes(), Contact()
    first = bench_of(contact, notes)
    await first.begin()
    first.rig.says(cell_c_max=70.0, cell_c_min=60.0)
    for _ in range(3):
        await first.cycle()
    second = bench_of(contact, notes)
    second.plan.set(None)
    await second.begin()
    contact.orders.clear()
    await second.cycle()
    assert contact.orders == ["open"]
    second.loop.reset()
    for _ in range(8):
        await second.cycle()
    assert contact.orders[-1] == "hold"


async def test_a_relay_that_does_not_answer_is_told_once() -> None:
    contact = Contact(fault=Fault(kind=FaultKind.NO_ANSWER, detail="cannot connect"))
    bench = bench_of(contact)
    for _ in range(3):
        await bench.cycle()
    told = [text for what, text in bench.heard if what is What.FAULT]
    assert told == ["cellar: its relay: cannot connect"]


async def test_a_device_behind_a_relay_is_the_device() -> None:
    contact, rig = Contact(), Rig()
    device = RelayedDevice(rig, contact)
    assert await device.identify() == rig.plate
    assert await device.knock() is None
    assert device.allow_grid_code_writes is False
    await device.close()
    assert (rig.done, contact.orders) == (["identify", "close"], ["close"])


SETTINGS = """
[server]
uri = "https://127.0.0.1/dcap"
certificate = "c"
key = "k"
roots = "r"
[[devices]]
name = "roof"
relay = {host = "10.0.0.9", register = 7}
"""


def test_a_relay_is_a_table_of_its_device() -> None:
    (device,) = load_settings(SETTINGS).devices
    assert device.relay == RelaySettings(host="10.0.0.9", register=7)
    assert isinstance(relayed_device_of(device), RelayedDevice)
    assert not isinstance(relayed_device_of(DeviceSettings()), RelayedDevice)


@pytest.mark.parametrize(
    ("name", "value"), [("port", 0), ("unit", 256), ("register", 65_536), ("timeout_s", 0)]
)
def test_a_relay_that_cannot_be_is_refused_by_its_setting(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"^{name}: {value}"):
        RelaySettings(**{"host": "relay", name: value})  # type: ignore[arg-type]
