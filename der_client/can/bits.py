"""Signals read straight from the bytes of a frame, by place and width worked out once from the DBC. Pure."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .wire import bytes_needed, first_bit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cantools.database.can import Message, Signal

_LITTLE = "little_endian"
Look = tuple[struct.Struct, tuple[None, ...]]
_CODES = {8: "B", 16: "H", 32: "I", 64: "Q"}


class CodeReader:
    """Reads the raw code of one signal. `is_swapped`: its bytes are on the wire in the other order."""

    __slots__ = ("_end_bit", "_half", "_is_big", "_mask", "_need", "_start_bit", "_wrap")

    def __init__(self, signal: Signal, *, is_swapped: bool) -> None:
        start, length = first_bit(signal), signal.length
        is_whole = start % 8 == 0 and length % 8 == 0 and length > 8
        self._is_big = (signal.byte_order != _LITTLE) ^ (is_swapped and is_whole)
        self._start_bit = start
        self._end_bit = start + length
        self._mask = (1 << length) - 1
        self._half = 1 << (length - 1) if signal.is_signed else 0
        self._wrap = 1 << length
        self._need = bytes_needed(signal)

    def code(self, little: int, big: int, size: int) -> int | None:
        """The raw code in a frame of `size` bytes, given as an integer of either order.

        `None` where the frame cuts the signal off.
        """
        if size < self._need:
            return None
        if self._is_big:
            code = big >> (8 * size - self._end_bit) & self._mask
        else:
            code = little >> self._start_bit & self._mask
        return code - self._wrap if self._half and code & self._half else code


def can_be_read(message: Message) -> bool:
    """True if every signal of the message is an integer that is always there."""
    return not message.is_multiplexed() and not any(s.conversion.is_float for s in message.signals)


def looks_of(signals: Sequence[Signal], *, is_swapped: bool) -> tuple[Look, ...]:
    """For each length of a frame, 0 to 8 bytes, one look at all its signals, which stand in their order.

    Empty where one is not made of whole bytes, or where they differ in byte order.
    """
    orders = {(s.byte_order != _LITTLE) ^ is_swapped for s in signals if s.length > 8}
    if len(orders) > 1 or any(first_bit(s) % 8 or s.length not in _CODES for s in signals):
        return ()
    form, at, forms = ">" if orders == {True} else "<", 0, [(0, "")]
    for signal in signals:
        start, code = first_bit(signal) // 8, _CODES[signal.length]
        if start < at:
            return ()
        at = start + signal.length // 8
        before = forms[-1][0]
        forms.append((at, f"{forms[-1][1]}{start - before}x{code.lower() if signal.is_signed else code}"))
    return tuple(_look(form, forms, size) for size in range(9))


def _look(order: str, forms: Sequence[tuple[int, str]], size: int) -> Look:
    """The look at as many signals as a frame of that size holds."""
    held = sum(1 for end, _ in forms[1:] if end <= size)
    return struct.Struct(order + forms[held][1]), (None,) * (len(forms) - 1 - held)
