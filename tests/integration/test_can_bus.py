"""python-can buses behind the adapter: opening, failing, coming back, and leaving nothing behind."""

import asyncio
import logging
import threading
import uuid

import can
import pytest

from der_client.can import (
    BatterySimulator,
    BmsSettings,
    BusSettings,
    CanBms,
    CanFrame,
    CanHub,
    CanLink,
    Pack,
    PackSettings,
    SimulatedBms,
    load_profile,
)
from der_client.can.bus import from_message
from der_client.can.inbox import FrameInbox
from der_client.device import BatteryState, Fault, FaultKind
from lineside.demo.ports import free_port

LIMIT_S = 10.0
MULTICAST = "239.74.163.91"
MULTICAST_PORT = 43_191
FRAME = CanFrame(arbitration_id=0x305, data=b"\x01\x02")


def virtual() -> BusSettings:
    return BusSettings(interface="virtual", channel=f"test-{uuid.uuid4()}")


def tcp(port: int) -> BusSettings:
    return BusSettings(
        interface="socketcand", channel="can0", options={"port": port}, retry_s=0.02, max_retry_s=0.05
    )


def fault_of(answer: Fault | None) -> Fault:
    assert answer is not None
    return answer


async def test_frames_go_both_ways_with_the_time_of_arrival() -> None:
    settings = virtual()
    first, second = CanLink(settings, clock=lambda: 12.5), CanLink(settings, clock=lambda: 99.0)
    await first.start()
    await second.start()
    assert await first.opened(LIMIT_S)
    assert await second.opened(LIMIT_S)
    assert await first.send(FRAME) is None
    extended = CanFrame(arbitration_id=0x12345678, is_extended=True, data=b"")
    assert await second.send(extended) is None
    assert await second.receive() == (CanFrame(arbitration_id=0x305, data=b"\x01\x02", received_s=99.0),)
    assert await first.receive() == (
        CanFrame(arbitration_id=0x12345678, is_extended=True, data=b"", received_s=12.5),
    )
    await first.close()
    await second.close()


async def test_close_ends_the_thread_and_wakes_the_reader() -> None:
    before = threading.active_count()
    link = CanLink(virtual())
    await link.start()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(link.receive())
        assert await link.opened(LIMIT_S)
        await link.close()
    assert waiting.result() == ()
    names = [thread.name for thread in threading.enumerate() if thread.name.startswith("can-test-")]
    assert (names, before >= 1) == ([], True)


async def test_link_that_never_started_can_be_asked_and_closed() -> None:
    link = CanLink(virtual())
    fault = fault_of(await link.send(FRAME))
    assert (fault.kind, fault.detail) == (FaultKind.NO_ANSWER, "bus not opened yet")
    assert (await link.receive(), link.dropped) == ((), 0)
    await link.close()


async def test_closed_link_refuses_to_send() -> None:
    link = CanLink(virtual())
    await link.start()
    assert await link.opened(LIMIT_S)
    await link.close()
    assert fault_of(await link.send(FRAME)).detail == "bus closed"


@pytest.mark.parametrize("interface", ["no-such-interface", "socketcan"])
async def test_bus_that_cannot_be_opened_is_a_fault(interface: str) -> None:
    link = CanLink(BusSettings(interface=interface, channel="nocan9", retry_s=0.01))
    await link.start()
    assert not await link.opened(0.05)
    await link.close()
    assert fault_of(link.fault).detail.startswith(f"{interface} nocan9: ")


async def test_server_that_is_not_there_costs_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    link = CanLink(tcp(free_port()))
    with caplog.at_level(logging.INFO):
        await link.start()
        assert not await link.opened(0.3)
        await link.close()
    assert [record.getMessage() for record in caplog.records if "refused" in record.getMessage()] == [
        "CAN bus failed: socketcand can0: [Errno 111] Connection refused"
    ]
    assert len(caplog.records) == 1


async def test_server_with_another_channel_is_a_fault() -> None:
    hub = CanHub("can5")
    await hub.start()
    link = CanLink(tcp(hub.port))
    await link.start()
    assert not await link.opened(0.1)
    await link.close()
    await hub.close()
    assert "could not open bus" in fault_of(link.fault).detail


async def sends(link: CanLink, *, are_refused: bool) -> None:
    """Send again and again until it is refused, or until it is not."""
    async with asyncio.timeout(LIMIT_S):
        while (await link.send(FRAME) is not None) is not are_refused:
            pass


async def test_link_comes_back_when_the_server_does() -> None:
    hub = CanHub()
    await hub.start()
    port = hub.port
    link = CanLink(tcp(port))
    await link.start()
    assert await link.opened(LIMIT_S)
    await hub.close()
    await sends(link, are_refused=True)
    again = CanHub()
    await again.start(port=port)
    member = again.join()
    async with asyncio.timeout(LIMIT_S):
        await sends(link, are_refused=False)
        heard = await member.receive()
    assert {str(frame) for frame in heard} == {"305#0102"}
    await link.close()
    await again.close()


def wait_for_fault(link: CanLink) -> None:
    while link.fault is None:
        pass


class BrokenBus(can.BusABC):
    """A bus of a vendor's library that raises what no list foresees."""

    def __init__(self) -> None:
        super().__init__(channel="broken")

    def recv(self, timeout: float | None = None) -> can.Message | None:
        raise LookupError(f"no driver within {timeout} s")

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        raise AssertionError(f"{msg} sent within {timeout} s")


async def test_surprise_of_a_vendor_library_is_a_fault_with_a_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("der_client.can.bus.open_bus", lambda _: BrokenBus())
    link = CanLink(virtual())
    await link.start()
    assert await link.opened(LIMIT_S)
    await link.close()
    assert "LookupError('no driver within 0.2 s')" in fault_of(link.fault).detail
    assert any(record.exc_info for record in caplog.records)


async def test_server_that_goes_away_is_noticed_without_sending() -> None:
    hub = CanHub()
    await hub.start()
    link = CanLink(tcp(hub.port))
    await link.start()
    assert await link.opened(LIMIT_S)
    assert link.fault is None
    await hub.close()
    async with asyncio.timeout(LIMIT_S):
        await asyncio.to_thread(wait_for_fault, link)
    await link.close()
    assert fault_of(link.fault).detail.startswith("socketcand can0: ")


async def test_full_inbox_drops_the_oldest() -> None:
    inbox = FrameInbox(max_frames=2)
    for number in range(5):
        inbox.put(CanFrame(arbitration_id=number, data=b""))
    assert [frame.arbitration_id for frame in await inbox.get()] == [3, 4]
    assert inbox.dropped == 3
    inbox.close()
    assert await inbox.get() == ()


@pytest.mark.parametrize(
    "message",
    [
        can.Message(arbitration_id=1, is_remote_frame=True, dlc=2),
        can.Message(arbitration_id=1, is_error_frame=True),
        can.Message(arbitration_id=1, is_fd=True, data=bytes(12)),
    ],
    ids=["remote", "error", "fd"],
)
def test_only_classic_data_frames_get_in(message: can.Message) -> None:
    assert from_message(message, 1.0) is None


def vcan_is_there() -> bool:
    try:
        with can.Bus(interface="socketcan", channel="vcan0", ignore_config=True):
            return True
    except (can.CanError, OSError):
        return False


@pytest.mark.skipif(not vcan_is_there(), reason="no vcan0 on this machine")
async def test_kernel_can_interface_carries_frames() -> None:
    settings = BusSettings(interface="socketcan", channel="vcan0")
    first, second = CanLink(settings), CanLink(settings)
    await first.start()
    await second.start()
    assert await first.opened(LIMIT_S)
    assert await second.opened(LIMIT_S)
    assert await first.send(FRAME) is None
    assert [str(frame) for frame in await second.receive()] == ["305#0102"]
    await first.close()
    await second.close()


def multicast_trouble() -> str | None:
    """Why python-can's udp_multicast cannot be used on this machine, `None` where it can."""
    try:
        with (
            can.Bus(interface="udp_multicast", channel=MULTICAST, port=MULTICAST_PORT) as one,
            can.Bus(interface="udp_multicast", channel=MULTICAST, port=MULTICAST_PORT) as other,
        ):
            one.send(can.Message(arbitration_id=1, data=b"\x01", is_extended_id=False))
            return None if other.recv(2.0) is not None else "frames do not come through"
    except (can.CanError, OSError, ImportError) as error:
        return str(error)


TROUBLE = multicast_trouble()


@pytest.mark.skipif(TROUBLE is not None, reason=f"no udp_multicast on this machine: {TROUBLE}")
async def test_a_battery_is_read_over_udp_multicast() -> None:
    settings = BusSettings(interface="udp_multicast", channel=MULTICAST, options={"port": MULTICAST_PORT + 1})
    profile = load_profile("pylontech_lv")
    port = CanLink(settings)
    await port.start()
    assert await port.opened(LIMIT_S)
    bms = SimulatedBms(Pack(PackSettings(soc_pct=41.0)), profile, BmsSettings(period_s=0.02))
    simulator = BatterySimulator(bms, port)
    driver = CanBms("b", settings, profile)
    await driver.start()
    assert await driver.link.opened(LIMIT_S)
    await simulator.start()
    async with asyncio.timeout(LIMIT_S):
        while not isinstance(found := driver.battery(), BatteryState):
            await driver.updated(frames=driver.frames + 1)
    await driver.close()
    await simulator.close()

    assert found.soc_pct == 41.0


async def test_a_battery_that_was_let_go_is_listened_to_again() -> None:
    settings, profile = virtual(), load_profile("pylontech_lv")
    port = CanLink(settings)
    await port.start()
    assert await port.opened(LIMIT_S)
    simulator = BatterySimulator(SimulatedBms(Pack(), profile, BmsSettings(period_s=0.02)), port)
    await simulator.start()
    driver = CanBms("b", settings, profile)
    await driver.start()
    async with asyncio.timeout(LIMIT_S):
        await driver.updated(frames=8)
    await driver.close()
    seen = driver.frames
    await driver.start()
    async with asyncio.timeout(LIMIT_S):
        await driver.updated(frames=seen + 8)
    await driver.close()
    await simulator.close()

    assert isinstance(driver.battery(), BatteryState)
