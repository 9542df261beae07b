"""Canonical values and status in, frames out: the way back through the same profile and DBC. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .alarms import ARRIVED, LEFT
from .canonical import CANONICAL
from .frame import CanFrame
from .mapping import AlarmCoding, message_of, signal_of
from .wire import not_available_code, raw_range, swap_bytes, swap_order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cantools.database.can import Message, Signal

    from .mapping import Outgoing, OutgoingSignal, Profile, ValueMapping


def encode_status(profile: Profile, outgoing: Outgoing, status: Mapping[str, float]) -> CanFrame:
    """The frame that the BMS expects from us.

    `status` holds voltage (V), current (A, positive while discharging), temp (degC) and soc (%); a name
    that is absent is sent as the signal's "not available" code.
    """
    message = message_of(profile.database, outgoing.message)
    identifier = (message.frame_id, message.is_extended_frame)
    if outgoing.text is not None:
        return _framed(identifier, outgoing.text.encode("ascii", "replace").ljust(message.length, b"\0"))
    codes = {
        item.signal: _status_code(signal_of(message, item.signal), item, status) for item in outgoing.signals
    }
    return _framed(identifier, _data(profile, message, codes))


def encode_message(
    profile: Profile,
    name: str,
    *,
    values: Mapping[str, float],
    alarms: frozenset[str] = frozenset(),
    warnings: frozenset[str] = frozenset(),
    texts: Mapping[str, str] | None = None,
) -> CanFrame:
    """The frame that a BMS of this family sends as message `name`; values are cut to what its bits hold.

    A value that is absent is sent as the signal's "not available" code, or 0 where it has none.
    """
    message = message_of(profile.database, name)
    text = _text_bytes(profile, message, texts or {})
    if text is not None:
        return _framed(profile.identifier(name), text)
    codes = _value_codes(profile, message, values)
    codes.update(_alarm_codes(profile, name, alarms, warnings))
    codes.update({signal: code for (owner, signal), code in profile.fixed.items() if owner == name})
    return _framed(profile.identifier(name), _data(profile, message, codes))


def raw_code(signal: Signal, value: float, *, avoid: frozenset[int] = frozenset()) -> float:
    """Raw code nearest to `value`, cut to the signal's bits; never one of `avoid`."""
    raw = (value - signal.conversion.offset) / signal.conversion.scale
    if signal.conversion.is_float:
        return raw
    low, high = raw_range(signal)
    low, high = low + (low in avoid), high - (high in avoid)
    return max(low, min(high, round(raw)))


def _value_codes(profile: Profile, message: Message, values: Mapping[str, float]) -> dict[str, float]:
    codes: dict[str, float] = {}
    for mapping in profile.values.values():
        if mapping.message != message.name:
            continue
        names = (mapping.signal,) if mapping.fine_signal is None else (mapping.signal, mapping.fine_signal)
        for name in names:
            codes[name] = _value_code(mapping, signal_of(message, name), values.get(mapping.name))
    return codes


def _value_code(mapping: ValueMapping, signal: Signal, value: float | None) -> float:
    if value is None:
        return not_available_code(signal) or 0
    if CANONICAL[mapping.name].is_flag:
        return _flag_code(mapping, is_true=value == 1.0)
    physical = (value - mapping.offset) * mapping.sign / mapping.factor
    if mapping.is_plain or mapping.is_signed:
        return _own_code(mapping, signal, physical)
    avoid = mapping.not_available if signal.name == mapping.signal else frozenset()
    return raw_code(signal, physical, avoid=avoid)


def _own_code(mapping: ValueMapping, signal: Signal, physical: float) -> int:
    """The code of a signal whose DBC does not tell its sign, or an offset that is not there."""
    offset = 0.0 if mapping.is_plain else float(signal.conversion.offset)
    code, half = round((physical - offset) / signal.conversion.scale), 1 << (signal.length - 1)
    if not mapping.is_signed:
        return max(0, min(2 * half - 1, code))
    return max(-half, min(half - 1, code)) % (2 * half)


def _flag_code(mapping: ValueMapping, *, is_true: bool) -> int:
    if mapping.false_codes:
        free = (code for code in range(len(mapping.false_codes) + 1) if code not in mapping.false_codes)
        return next(free) if is_true else min(mapping.false_codes)
    if is_true:
        return min(mapping.true_codes)
    return next(code for code in range(len(mapping.true_codes) + 1) if code not in mapping.true_codes)


def _alarm_codes(
    profile: Profile, name: str, alarms: frozenset[str], warnings: frozenset[str]
) -> dict[str, float]:
    """Codes of every alarm signal in the message; an alarm with several sources is written to the first."""
    gone = 0 if profile.alarm_coding is AlarmCoding.BIT else LEFT
    codes: dict[str, float] = {}
    for alarm in profile.alarms:
        is_active = alarm.name in (warnings if alarm.is_warning else alarms)
        for number, (message, signal) in enumerate(alarm.sources):
            if message == name:
                codes[signal] = ARRIVED if is_active and number == 0 else gone
    return codes


def _text_bytes(profile: Profile, message: Message, texts: Mapping[str, str]) -> bytes | None:
    """The message's share of the text that it carries, padded with blanks; `None` if it carries none."""
    for name, messages in profile.texts.items():
        if message.name in messages:
            start = message.length * messages.index(message.name)
            part = texts.get(name, "").encode("ascii", "replace")[start : start + message.length]
            return part.ljust(message.length)
    return None


def _status_code(signal: Signal, item: OutgoingSignal, status: Mapping[str, float]) -> float:
    if item.value is None:
        return raw_code(signal, item.factor)
    code = not_available_code(signal)
    if item.value not in status:
        return 0 if code is None else code
    return raw_code(
        signal, status[item.value] * item.factor, avoid=frozenset() if code is None else frozenset({code})
    )


def _framed(identifier: tuple[int, bool], data: bytes) -> CanFrame:
    return CanFrame(arbitration_id=identifier[0], is_extended=identifier[1], data=data)


def _data(profile: Profile, message: Message, codes: Mapping[str, float]) -> bytes:
    filled = {signal.name: codes.get(signal.name, 0) for signal in message.signals}
    data = message.encode(filled, scaling=False, strict=False)
    if profile.is_swapped:
        data = swap_bytes(data, swap_order(message))
    return bytes(data[: profile.lengths.get(message.name, message.length)])
