"""Where a signal lies in its frame: bytes needed, byte order of the wire, codes that mean "not available"."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cantools.database.can import Message, Signal

_LITTLE = "little_endian"
_SENTINEL_BITS = 16


def first_bit(signal: Signal) -> int:
    """Position of the signal's first bit counted along the frame, whatever the byte order."""
    if signal.byte_order == _LITTLE:
        return signal.start
    return 8 * (signal.start // 8) + 7 - signal.start % 8


def bytes_needed(signal: Signal) -> int:
    """Shortest frame that holds the whole signal, bytes."""
    return (first_bit(signal) + signal.length - 1) // 8 + 1


def raw_range(signal: Signal) -> tuple[int, int]:
    """Lowest and highest raw code that the signal's bits can hold."""
    if signal.is_signed:
        half = 1 << (signal.length - 1)
        return -half, half - 1
    return 0, (1 << signal.length) - 1


def not_available_code(signal: Signal) -> int | None:
    """The "use default" code of a 16-bit signal: 0xFFFF unsigned, 0x8000 signed; other widths have none."""
    if signal.length != _SENTINEL_BITS or signal.conversion.is_float:
        return None
    low, high = raw_range(signal)
    return low if signal.is_signed else high


def swap_order(message: Message) -> tuple[int, ...]:
    """For each byte of the frame the byte to read instead, so that whole-byte signals turn round.

    Signals below 16 bits, or not on byte boundaries, stay where they are.
    """
    order = list(range(message.length))
    for signal in message.signals:
        start, width = divmod(first_bit(signal), 8)[0], signal.length // 8
        if width > 1 and signal.length % 8 == 0 and first_bit(signal) % 8 == 0:
            order[start : start + width] = reversed(range(start, start + width))
    return tuple(order)


def swap_bytes(data: bytes, order: tuple[int, ...]) -> bytes:
    """The frame's bytes in that order; a signal that the frame cuts off keeps its bytes."""
    return bytes(
        data[source] if source < len(data) else data[at] for at, source in enumerate(order[: len(data)])
    )
