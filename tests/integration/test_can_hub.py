"""The socketcand hub with python-can's own client, with garbage, and with clients that do not read."""

import asyncio
import socket
from collections.abc import AsyncIterator

import can
import pytest
import pytest_asyncio

from der_client.can import CanFrame, CanHub

LIMIT_S = 10.0
STANDARD = CanFrame(arbitration_id=0x351, data=bytes.fromhex("1402740E740ECC01"))
EXTENDED = CanFrame(arbitration_id=0x1FFF1234, is_extended=True, data=b"\x01")
EMPTY = CanFrame(arbitration_id=0x7, data=b"")


@pytest_asyncio.fixture
async def hub() -> AsyncIterator[CanHub]:
    hub = CanHub()
    await hub.start()
    yield hub
    await hub.close()


def python_can_bus(port: int, channel: str = "can0") -> can.BusABC:
    return can.Bus(
        interface="socketcand",
        host="127.0.0.1",
        port=port,
        channel=channel,
        ignore_config=True,
        tcp_tune=True,
    )


def received(bus: can.BusABC) -> tuple[int, bool, bytes]:
    message = bus.recv(LIMIT_S)
    assert message is not None
    return message.arbitration_id, message.is_extended_id, bytes(message.data)


async def test_two_clients_of_python_can_hear_each_other_and_not_themselves(hub: CanHub) -> None:
    def talk() -> list[tuple[int, bool, bytes]]:
        with python_can_bus(hub.port) as first, python_can_bus(hub.port) as second:
            heard = []
            for number in range(1000):
                first.send(can.Message(arbitration_id=number, is_extended_id=False, data=b"\x01"))
                message = second.recv(0.02)
                if message is not None:
                    break
            second.send(can.Message(arbitration_id=0x18FF00F4, is_extended_id=True, data=b"\xaa\xbb"))
            heard.append(received(first))
            first.send(can.Message(arbitration_id=0x7FF, is_extended_id=False, data=b""))
            while (one := received(second))[0] != 0x7FF:
                assert one[2] == b"\x01"
            return [*heard, one]

    assert await asyncio.to_thread(talk) == [(0x18FF00F4, True, b"\xaa\xbb"), (0x7FF, False, b"")]


async def test_another_channel_is_refused(hub: CanHub) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    writer.write(b"< open can1 >")
    assert await reader.readexactly(34) == b"< hi >< error could not open bus >"
    writer.close()
    await writer.wait_closed()


async def test_members_hear_clients_and_each_other(hub: CanHub) -> None:
    first, second = hub.join(), hub.join()
    assert await first.send(STANDARD) is None
    await first.send(EXTENDED)
    frames = await second.receive()
    assert [str(frame) for frame in frames] == [str(STANDARD), str(EXTENDED)]
    await second.send(EMPTY)
    assert [str(frame) for frame in await first.receive()] == [str(EMPTY)]


async def test_member_that_has_left_hears_nothing(hub: CanHub) -> None:
    first, second = hub.join(), hub.join()
    await second.close()
    await first.send(STANDARD)
    assert await second.receive() == ()


async def open_raw(hub: CanHub) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    connection = socket.create_connection(("127.0.0.1", hub.port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader, writer = await asyncio.open_connection(sock=connection)
    writer.write(b"< open can0 >< rawmode >")
    assert await reader.readexactly(18) == b"< hi >< ok >< ok >"
    return reader, writer


async def test_garbage_between_frames_does_no_harm(hub: CanHub) -> None:
    member = hub.join()
    _, writer = await open_raw(hub)
    writer.write(b"GET / HTTP/1.1\r\n\r\n\xff\xfe>>><<< send 7ff 99 >< send 351 2 1 2 >" + b"z" * 9000)
    (frame,) = await member.receive()
    assert str(frame) == "351#0102"
    writer.close()
    await writer.wait_closed()


async def test_client_that_does_not_read_loses_frames_and_holds_up_nobody(
    hub: CanHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("der_client.can.hub._MAX_UNSENT_BYTES", 4096)
    sender, other = hub.join(), hub.join()
    reader, writer = await open_raw(hub)
    heard = 0
    async with asyncio.timeout(LIMIT_S):
        while hub.dropped == 0:
            for _ in range(200):
                await sender.send(STANDARD)
            heard += len(await other.receive())
    assert heard % 200 == 0
    assert (await reader.read(9)).startswith(b"< frame 3")
    writer.transport.abort()


async def test_closed_hub_has_no_port_and_parts_with_everyone() -> None:
    hub = CanHub("vcan7")
    assert hub.port == 0
    await hub.close()
    await hub.start()
    member = hub.join()
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    assert await reader.readexactly(6) == b"< hi >"
    await hub.close()
    assert await reader.read() == b""
    assert (hub.port, await member.receive()) == (0, ())
    writer.close()
    await writer.wait_closed()
