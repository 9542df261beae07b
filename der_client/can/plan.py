"""What is to be done with the frames of each message, worked out once from profile and DBC. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cantools.database.errors import DecodeError

from .bits import CodeReader, Look, can_be_read, looks_of
from .canonical import CANONICAL
from .mapping import signal_of
from .wire import bytes_needed, first_bit, swap_bytes, swap_order

if TYPE_CHECKING:
    from cantools.database.can import Message, Signal

    from .mapping import Profile, ValueMapping

_SAFETY_FLAGS = frozenset({"charge_enable", "discharge_enable", "contactor"})

_EXACT = 1e-12

Codes = Sequence[float | None]
Plain = tuple[int, str, frozenset[int], float, float, float]
"""A value without a special rule: place, name, codes without a value, divisor, lowest, highest."""
Source = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One canonical value, and where its code and that of its finer copy stand among a message's codes.

    `half` is the lowest code that stands for a negative one, 0 where the DBC tells the sign. A value without
    a special rule is `code / divisor`; `None` where it has one, or its step is no such part.
    """

    mapping: ValueMapping
    index: int
    divisor: float | None
    scale: float
    offset: float
    half: int
    is_flag: bool
    is_heartbeat: bool
    fine_index: int | None = None
    fine_scale: float = 1.0
    fine_offset: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalPlan:
    """How the codes of some signals of one message are read: in one look, one by one, or by description.

    `looks` has, for each length of a frame in bytes, the one look and what stands for what is cut off.
    """

    message: Message
    names: tuple[str, ...]
    readers: tuple[CodeReader, ...]
    looks: tuple[Look, ...]
    order: tuple[int, ...] | None

    def codes(self, data: bytes) -> Codes | None:
        """Raw codes of the signals, `None` for each that the frame cuts off.

        `None` for a frame that cannot be decoded at all.
        """
        if self.looks:
            look, absent = self.looks[len(data)]
            return look.unpack_from(data) + absent if absent else look.unpack_from(data)
        if self.readers:
            little, big, size = int.from_bytes(data, "little"), int.from_bytes(data, "big"), len(data)
            return [reader.code(little, big, size) for reader in self.readers]
        return self._described(data) if self.names else ()

    def _described(self, data: bytes) -> Codes | None:
        """The same by the description of the message: multiplexed messages and floating point signals."""
        data = data if self.order is None else swap_bytes(data, self.order)
        try:
            raw = self.message.decode_simple(data, decode_choices=False, scaling=False, allow_truncated=True)
        except DecodeError:
            return None
        found = (raw.get(name) for name in self.names)
        return [code if isinstance(code, int | float) else None for code in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePlan:
    """What to do with the frames of one message: `shortest` in bytes, what to read, and what it means.

    Values are `plain` or need a rule of their own (`special`).
    `alarms` are the sources of alarms in the order of their codes.
    """

    name: str
    shortest: int
    values: SignalPlan
    alarm_codes: SignalPlan
    alarms: tuple[Source, ...]
    plain: tuple[Plain, ...]
    special: tuple[Target, ...]
    texts: tuple[str, ...]
    is_safety: bool
    is_must_have: bool


def plan_of(profile: Profile, message: Message) -> MessagePlan:
    """The plan for one message that the profile reads.

    The shortest frame to be taken holds every required signal, or at least one where none is required.
    """
    mappings = [mapping for mapping in profile.values.values() if mapping.message == message.name]
    sources = tuple(s for alarm in profile.alarms for s in alarm.sources if s[0] == message.name)
    fine = [m.fine_signal for m in mappings if m.fine_signal is not None]
    values = _signal_plan(profile, message, {*(m.signal for m in mappings), *fine})
    targets = [_target(mapping, message, values.names) for mapping in mappings]
    required = [bytes_needed(signal_of(message, m.signal)) for m in mappings if m.is_required]
    sizes = [bytes_needed(signal_of(message, m.signal)) for m in mappings]
    sizes += [bytes_needed(signal_of(message, name)) for _, name in sources]
    alarm_codes = _signal_plan(profile, message, {name for _, name in sources})
    return MessagePlan(
        name=message.name,
        shortest=max(required) if required else min(sizes, default=0),
        values=values,
        plain=tuple(_plain(target) for target in targets if target.divisor is not None),
        special=tuple(target for target in targets if target.divisor is None),
        alarm_codes=alarm_codes,
        alarms=tuple((message.name, name) for name in alarm_codes.names),
        texts=tuple({m for messages in profile.texts.values() for m in messages if m == message.name}),
        is_safety=bool(sources) or any(mapping.name in _SAFETY_FLAGS for mapping in mappings),
        is_must_have=bool(required),
    )


def _signal_plan(profile: Profile, message: Message, names: set[str]) -> SignalPlan:
    """How to read some signals, in the order of their bits."""
    signals = sorted((signal_of(message, name) for name in names), key=first_bit)
    is_plain = can_be_read(message)
    readers = [CodeReader(s, is_swapped=profile.is_swapped) for s in signals] if is_plain else []
    return SignalPlan(
        message=message,
        names=tuple(signal.name for signal in signals),
        readers=tuple(readers),
        looks=looks_of(signals, is_swapped=profile.is_swapped) if is_plain and signals else (),
        order=swap_order(message) if profile.is_swapped else None,
    )


def _target(mapping: ValueMapping, message: Message, signals: tuple[str, ...]) -> Target:
    signal = signal_of(message, mapping.signal)
    fine = None if mapping.fine_signal is None else signal_of(message, mapping.fine_signal)
    return Target(
        mapping=mapping,
        index=signals.index(signal.name),
        divisor=_divisor(mapping, signal),
        scale=signal.conversion.scale,
        offset=_offset(mapping, signal),
        half=1 << (signal.length - 1) if mapping.is_signed else 0,
        is_flag=CANONICAL[mapping.name].is_flag,
        is_heartbeat=mapping.name == "heartbeat",
        fine_index=None if fine is None else signals.index(fine.name),
        fine_scale=_conversion(fine)[0],
        fine_offset=_conversion(fine)[1],
    )


def _plain(target: Target) -> Plain:
    mapping, divisor = target.mapping, target.divisor or 1.0
    return target.index, mapping.name, mapping.not_available, divisor, mapping.low, mapping.high


def _divisor(mapping: ValueMapping, signal: Signal) -> float | None:
    """What a code is divided by, exactly, to be the value; `None` where more has to be done."""
    is_special = CANONICAL[mapping.name].is_flag or mapping.name == "heartbeat" or mapping.fine_signal
    if is_special or mapping.is_magnitude or mapping.is_signed or mapping.offset or _offset(mapping, signal):
        return None
    divisor = 1.0 / (mapping.sign * mapping.factor * signal.conversion.scale)
    return float(round(divisor)) if abs(divisor - round(divisor)) < _EXACT * abs(divisor) else None


def _offset(mapping: ValueMapping, signal: Signal) -> float:
    """The DBC's offset, where it is on this bus."""
    return 0.0 if mapping.is_plain else float(signal.conversion.offset)


def _conversion(signal: Signal | None) -> tuple[float, float]:
    return (1.0, 0.0) if signal is None else (signal.conversion.scale, signal.conversion.offset)
