"""What is to be done with the frames of each message, worked out once from profile and DBC. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .mapping import signal_of
from .wire import bytes_needed, swap_order

if TYPE_CHECKING:
    from cantools.database.can import Message, Signal

    from .mapping import Profile, ValueMapping

_SAFETY_FLAGS = frozenset({"charge_enable", "discharge_enable", "contactor"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One canonical value and the signals of the message that it is read from."""

    mapping: ValueMapping
    signal: Signal
    fine: Signal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePlan:
    """What to do with the frames of one message: `shortest` in bytes, `order` of swapped bytes."""

    message: Message
    order: tuple[int, ...] | None
    shortest: int
    targets: tuple[Target, ...]
    texts: tuple[str, ...]
    has_alarms: bool
    is_safety: bool
    is_must_have: bool


def plan_of(profile: Profile, message: Message) -> MessagePlan:
    """The plan for one message that the profile reads.

    The shortest frame to be taken holds every required signal, or at least one where none is required.
    """
    targets = tuple(_target(m, message) for m in profile.values.values() if m.message == message.name)
    alarm_signals = {s for alarm in profile.alarms for m, s in alarm.sources if m == message.name}
    required = [bytes_needed(target.signal) for target in targets if target.mapping.is_required]
    sizes = [bytes_needed(target.signal) for target in targets]
    sizes += [bytes_needed(signal_of(message, name)) for name in alarm_signals]
    return MessagePlan(
        message=message,
        order=swap_order(message) if profile.is_swapped else None,
        shortest=max(required) if required else min(sizes, default=0),
        targets=targets,
        texts=tuple({m for messages in profile.texts.values() for m in messages if m == message.name}),
        has_alarms=bool(alarm_signals),
        is_safety=bool(alarm_signals) or any(t.mapping.name in _SAFETY_FLAGS for t in targets),
        is_must_have=bool(required),
    )


def _target(mapping: ValueMapping, message: Message) -> Target:
    fine = mapping.fine_signal
    return Target(
        mapping=mapping,
        signal=signal_of(message, mapping.signal),
        fine=None if fine is None else signal_of(message, fine),
    )
