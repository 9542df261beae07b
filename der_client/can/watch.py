"""An observer on the bus: every frame with its decoded signals, on a connection of its own. Sends nothing."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cantools.database.errors import DecodeError

from .bus import CanLink
from .wire import swap_bytes, swap_order

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from cantools.database.can import Message

    from der_client.device import Fault

    from .bus import BusSettings
    from .frame import CanFrame
    from .mapping import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedFrame:
    """One frame as seen: time of arrival (s, watcher's clock), bytes, name, signals in the DBC's units.

    `message` is empty and `signals` too where the profile's DBC does not know the identifier.
    """

    time_s: float
    arbitration_id: int
    data: bytes
    message: str
    signals: Mapping[str, float | str]


def describe(frame: CanFrame, profile: Profile) -> WatchedFrame:
    """The frame with the signals that its bytes hold."""
    message = _message(frame, profile)
    return WatchedFrame(
        time_s=frame.received_s,
        arbitration_id=frame.arbitration_id,
        data=frame.data,
        message="" if message is None else message.name,
        signals={} if message is None else _signals(message, frame.data, is_swapped=profile.is_swapped),
    )


async def watch_frames(
    bus: BusSettings, profile: Profile, *, clock: Callable[[], float] = time.time
) -> AsyncGenerator[WatchedFrame, None]:
    """Frames as they come, without end; close the iterator (`contextlib.aclosing`) to leave the bus."""
    link = CanLink(bus, clock=clock)
    await link.start()
    try:
        while True:
            for frame in await link.receive():
                yield describe(frame, profile)
    finally:
        await link.close()


async def listen(bus: BusSettings, seconds: float, take: Callable[[CanFrame], None]) -> Fault | None:
    """Hand on each frame of so many seconds (monotonic times); the fault of a bus not open at their end."""
    link = CanLink(bus)
    await link.start()
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await _hand_on(link, take)
        return link.fault
    finally:
        await link.close()


async def _hand_on(link: CanLink, take: Callable[[CanFrame], None]) -> None:
    while True:
        for frame in await link.receive():
            take(frame)


def _message(frame: CanFrame, profile: Profile) -> Message | None:
    """The DBC's message with this identifier, 11 and 29 bit kept apart."""
    for message in profile.database.messages:
        identifier = message.frame_id, message.is_extended_frame
        if (frame.arbitration_id, frame.is_extended) in {identifier, profile.identifier(message.name)}:
            return message
    return None


def _signals(message: Message, data: bytes, *, is_swapped: bool) -> dict[str, float | str]:
    if is_swapped:
        data = swap_bytes(data, swap_order(message))
    try:
        decoded = message.decode_simple(data, decode_choices=True, allow_truncated=True)
    except DecodeError:
        return {}
    return {name: value if isinstance(value, int | float) else str(value) for name, value in decoded.items()}
