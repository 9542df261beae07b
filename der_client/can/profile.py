"""Reads a profile (already parsed TOML) and holds it against its DBC. Pure: files are read in `library`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .canonical import CANONICAL, NEEDED, STATUS, TEXTS
from .errors import ProfileError
from .mapping import (
    AlarmCoding,
    AlarmMapping,
    Outgoing,
    OutgoingSignal,
    Profile,
    Timing,
    ValueMapping,
    message_of,
    signal_of,
)
from .toml_table import TomlTable
from .wire import bytes_needed, not_available_code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cantools.database.can import Database, Message, Signal

_BYTE_ORDERS = {"dbc": None, "little": "little_endian", "big": "big_endian"}


def parse_profile(data: Mapping[str, object], database: Database, source: str) -> Profile:
    """The checked profile. `ProfileError` names `source` (the file) and the key that is wrong or missing."""
    root = TomlTable(source, "", data)
    root.text("dbc", "")
    name = root.text("name")
    is_swapped = _is_swapped(root, database)
    timing = _timing(root.table("timing"))
    values = _values(root.table("values"), database, timing)
    constants = _constants(root.table("constants"), values)
    coding, alarms = _alarms(root.table("alarms"), database, is_warning=False)
    _, warnings = _alarms(root.table("warnings"), database, is_warning=True, coding=coding)
    profile = Profile(
        name=name,
        database=database,
        is_swapped=is_swapped,
        timing=timing,
        values=values,
        constants=constants,
        alarm_coding=coding,
        alarms=alarms + warnings,
        texts=_texts(root.table("texts"), database),
        outgoing=tuple(_outgoing(table, database) for table in root.tables("outgoing")),
        fixed=_fixed(root.table("fixed"), database),
        lengths=_lengths(root.table("lengths"), database),
    )
    root.finish()
    return profile


def _is_swapped(root: TomlTable, database: Database) -> bool:
    order = root.text("byte_order", "dbc")
    if order not in _BYTE_ORDERS:
        raise root.error("byte_order", f"{order!r} is not dbc, little or big")
    wanted = _BYTE_ORDERS[order]
    declared = {
        signal.byte_order for message in database.messages for signal in message.signals if signal.length > 8
    }
    if wanted is None or declared == {wanted}:
        return False
    if len(declared) != 1:
        raise root.error("byte_order", "the DBC mixes byte orders: only dbc is possible")
    return True


def _timing(table: TomlTable) -> Timing:
    default = Timing()
    timing = Timing(
        stale_s=table.positive("stale_s", default.stale_s),
        lost_s=table.positive("lost_s", default.lost_s),
        recover_s=table.positive("recover_s", default.recover_s),
        restart_delay_s=table.number("restart_delay_s", default.restart_delay_s),
    )
    table.finish()
    if timing.lost_s <= timing.stale_s:
        raise table.error("lost_s", f"{timing.lost_s:g} is not above stale_s ({timing.stale_s:g})")
    return timing


def _values(table: TomlTable, database: Database, timing: Timing) -> dict[str, ValueMapping]:
    values = {}
    for name in table.names():
        if name not in CANONICAL:
            raise table.error(name, "not a canonical name")
        values[name] = _value(name, table.table(name), database, timing)
    return values


def _value(name: str, table: TomlTable, database: Database, timing: Timing) -> ValueMapping:
    message, signal = _signal(table, "signal", table.text("signal"), database)
    fine = table.text("fine_signal", "")
    if fine and fine not in {item.name for item in message.signals}:
        raise table.error("fine_signal", f"no signal {fine!r} in message {message.name}")
    sign = table.number("sign", 1.0)
    if sign not in {1.0, -1.0}:
        raise table.error("sign", f"{sign:g} is not 1 or -1")
    quantity = CANONICAL[name]
    low, high = table.pair("range", (quantity.low, quantity.high))
    codes = table.integers("not_available")
    true_codes = table.integers("true_codes")
    mapping = ValueMapping(
        name=name,
        message=message.name,
        signal=signal.name,
        fine_signal=fine or None,
        sign=int(sign),
        factor=table.positive("factor", 1.0),
        offset=table.number("offset", 0.0),
        is_required=table.flag("required", default=quantity.is_needed),
        is_magnitude=table.flag("magnitude", default=False),
        stale_s=table.positive("stale_s", timing.stale_s),
        not_available=_default_codes(signal) if codes is None else codes,
        low=low,
        high=high,
        true_codes=frozenset({1}) if true_codes is None else true_codes,
    )
    table.finish()
    return mapping


def _default_codes(signal: Signal) -> frozenset[int]:
    code = not_available_code(signal)
    return frozenset() if code is None else frozenset({code})


def _constants(table: TomlTable, values: Mapping[str, ValueMapping]) -> dict[str, float]:
    constants = {}
    for name in table.names():
        if name not in CANONICAL:
            raise table.error(name, "not a canonical name")
        if name in values and values[name].is_required:
            raise table.error(name, "is also a required value: one of the two must go")
        constants[name] = table.number(name)
        if not CANONICAL[name].low <= constants[name] <= CANONICAL[name].high:
            raise table.error(
                name, f"{constants[name]:g} outside {CANONICAL[name].low:g}..{CANONICAL[name].high:g}"
            )
    required = {name for name, mapping in values.items() if mapping.is_required}
    for name in sorted(NEEDED - required - constants.keys()):
        raise ProfileError(
            table.source, f"values.{name}", "missing: needed as a required value or a constant"
        )
    return constants


def _alarms(
    table: TomlTable, database: Database, *, is_warning: bool, coding: AlarmCoding = AlarmCoding.BIT
) -> tuple[AlarmCoding, tuple[AlarmMapping, ...]]:
    if not is_warning:
        text = table.text("coding", AlarmCoding.BIT.value)
        if text not in set(AlarmCoding):
            raise table.error("coding", f"{text!r} is not one of {', '.join(AlarmCoding)}")
        coding = AlarmCoding(text)
    bits = 1 if coding is AlarmCoding.BIT else 2
    alarms = []
    for name in table.names():
        sources = []
        for text in table.texts(name):
            message, signal = _signal(table, name, text, database)
            if signal.length != bits:
                raise table.error(
                    name, f"signal {text} has {signal.length} bits, coding {coding} needs {bits}"
                )
            sources.append((message.name, signal.name))
        alarms.append(AlarmMapping(name=name, is_warning=is_warning, sources=tuple(sources)))
    return coding, tuple(alarms)


def _texts(table: TomlTable, database: Database) -> dict[str, tuple[str, ...]]:
    texts = {}
    for name in table.names():
        if name not in TEXTS:
            raise table.error(name, f"not one of {', '.join(sorted(TEXTS))}")
        texts[name] = table.texts(name)
        for message in texts[name]:
            _message(table, name, message, database)
    return texts


def _outgoing(table: TomlTable, database: Database) -> Outgoing:
    message = _message(table, "message", table.text("message"), database)
    signals = []
    inner = table.table("signals")
    for name in inner.names():
        _in_message(inner, name, name, message)
        is_table = isinstance(inner.peek(name), dict)
        signals.append(
            _outgoing_signal(name, inner.table(name)) if is_table else _outgoing_constant(name, inner)
        )
    outgoing = Outgoing(
        message=message.name, period_s=table.positive("period_s", 1.0), signals=tuple(signals)
    )
    table.finish()
    return outgoing


def _outgoing_signal(name: str, table: TomlTable) -> OutgoingSignal:
    value = table.text("value")
    if value not in STATUS:
        raise table.error("value", f"{value!r} is not one of {', '.join(STATUS)}")
    signal = OutgoingSignal(signal=name, value=value, factor=table.number("factor", 1.0))
    table.finish()
    return signal


def _outgoing_constant(name: str, table: TomlTable) -> OutgoingSignal:
    return OutgoingSignal(signal=name, value=None, factor=table.number(name))


def _fixed(table: TomlTable, database: Database) -> dict[tuple[str, str], int]:
    fixed = {}
    for text in table.names():
        message, signal = _signal(table, text, text, database)
        fixed[message.name, signal.name] = int(table.number(text))
    return fixed


def _lengths(table: TomlTable, database: Database) -> dict[str, int]:
    lengths = {}
    for name in table.names():
        message = _message(table, name, name, database)
        lengths[name] = int(table.number(name))
        if not 0 <= lengths[name] <= message.length:
            raise table.error(name, f"{lengths[name]} outside 0..{message.length}")
    return lengths


def _signal(table: TomlTable, key: str, text: str, database: Database) -> tuple[Message, Signal]:
    message_name, dot, name = text.partition(".")
    if not dot:
        raise table.error(key, f"{text!r} is not message.signal")
    message = _message(table, key, message_name, database)
    signal = _in_message(table, key, name, message)
    if bytes_needed(signal) > 8:
        raise table.error(key, f"signal {text} lies beyond the eighth byte")
    return message, signal


def _message(table: TomlTable, key: str, name: str, database: Database) -> Message:
    try:
        return message_of(database, name)
    except KeyError:
        raise table.error(key, f"no message {name!r} in the DBC") from None


def _in_message(table: TomlTable, key: str, name: str, message: Message) -> Signal:
    try:
        return signal_of(message, name)
    except KeyError:
        raise table.error(key, f"no signal {name!r} in message {message.name}") from None
