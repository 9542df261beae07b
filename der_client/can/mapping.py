"""What a profile says once it is read and checked: values, alarms, outgoing frames. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cantools.database.can import Database, Message, Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMapping:
    """One canonical value: `sign * factor * signal + offset`, in the unit of `CANONICAL`.

    `fine_signal` is a finer copy of the same quantity in the same message, used while it agrees with
    `signal` within one step of that. Raw codes in `not_available` mean "no value". With `is_magnitude` the
    sign is dropped. A flag is 1 exactly for raw codes in `true_codes`, or for all but those in `false_codes`
    where there are any. `is_signed`: the code is a two's complement, whatever the DBC says; `is_plain`: the
    DBC's offset is not on this bus.
    """

    name: str
    message: str
    signal: str
    fine_signal: str | None = None
    sign: int = 1
    factor: float = 1.0
    offset: float = 0.0
    is_required: bool = False
    is_magnitude: bool = False
    stale_s: float = 3.0
    not_available: frozenset[int] = frozenset()
    low: float
    high: float
    true_codes: frozenset[int] = frozenset()
    false_codes: frozenset[int] = frozenset()
    is_signed: bool = False
    is_plain: bool = False

    def is_true(self, code: float) -> bool:
        """What a raw code says of a flag."""
        return code not in self.false_codes if self.false_codes else code in self.true_codes


class AlarmCoding(StrEnum):
    """How a BMS writes an alarm: in one bit, or in two (low bit arrived, high bit left)."""

    BIT = "bit"
    ARRIVE_LEAVE = "arrive_leave"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmMapping:
    """One alarm or warning; it is active if any of its `(message, signal)` sources is."""

    name: str
    is_warning: bool
    sources: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingSignal:
    """One signal of a frame to the BMS: a status value times `factor`; just `factor` without a value."""

    signal: str
    value: str | None
    factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A frame that the BMS expects from us each `period_s`; signals that are not named are sent as 0.

    With `text` the bytes of the frame are those characters.
    """

    message: str
    period_s: float
    signals: tuple[OutgoingSignal, ...] = ()
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When silence counts, s: stale (limits 0), lost (fault), recovered; and the delay after an alarm."""

    stale_s: float = 3.0
    lost_s: float = 10.0
    recover_s: float = 30.0
    restart_delay_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A BMS family: its DBC and what its signals mean, one checked against the other by `parse_profile`.

    `is_swapped`: multi-byte signals are on the wire in the other byte order than the DBC declares. `address`
    is added to the identifiers of what the BMS sends. `quick_stop` is the message by which it demands
    standby. `fixed` (raw codes by message and signal) and `lengths` (bytes by message) shape what the
    simulator sends.
    """

    name: str
    database: Database
    is_swapped: bool = False
    address: int = 0
    quick_stop: str | None = None
    timing: Timing = field(default_factory=Timing)
    values: Mapping[str, ValueMapping]
    constants: Mapping[str, float]
    alarm_coding: AlarmCoding = AlarmCoding.BIT
    alarms: tuple[AlarmMapping, ...] = ()
    texts: Mapping[str, tuple[str, ...]]
    outgoing: tuple[Outgoing, ...] = ()
    fixed: Mapping[tuple[str, str], int]
    lengths: Mapping[str, int]

    @property
    def must_have(self) -> frozenset[str]:
        """Messages that carry at least one required value."""
        return frozenset(mapping.message for mapping in self.values.values() if mapping.is_required)

    @property
    def incoming(self) -> tuple[str, ...]:
        """Messages that the profile reads, by identifier."""
        names = {mapping.message for mapping in self.values.values()}
        names.update(message for alarm in self.alarms for message, _ in alarm.sources)
        names.update(message for messages in self.texts.values() for message in messages)
        return tuple(sorted(names, key=lambda name: message_of(self.database, name).frame_id))

    def identifier(self, message: str) -> tuple[int, bool]:
        """Identifier of a message of the BMS on this bus, and whether it has 29 bits."""
        found = message_of(self.database, message)
        return found.frame_id + self.address, found.is_extended_frame


def message_of(database: Database, name: str) -> Message:
    """The message of that name. `KeyError` where the DBC has none."""
    return database.get_message_by_name(name)


def signal_of(message: Message, name: str) -> Signal:
    """The signal of that name. `KeyError` where the message has none."""
    return message.get_signal_by_name(name)
