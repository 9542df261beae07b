"""The parts of a profile that are about frames: alarms, texts, outgoing frames, codes, lengths. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .canonical import STATUS, TEXTS
from .dbc_lookup import message_in, signal_in, signal_within
from .mapping import AlarmCoding, AlarmMapping, Outgoing, OutgoingSignal

if TYPE_CHECKING:
    from cantools.database.can import Database

    from .toml_table import TomlTable


def coding_in(table: TomlTable) -> AlarmCoding:
    """How the BMS writes its alarms and warnings; one bit each where `alarms` does not say."""
    text = table.text("coding", AlarmCoding.BIT.value)
    if text not in set(AlarmCoding):
        raise table.error("coding", f"{text!r} is not one of {', '.join(AlarmCoding)}")
    return AlarmCoding(text)


def alarms_in(
    table: TomlTable, database: Database, coding: AlarmCoding, *, is_warning: bool
) -> tuple[AlarmMapping, ...]:
    """Alarms, or warnings, by name; every signal must have as many bits as the coding needs."""
    return tuple(
        AlarmMapping(name=name, is_warning=is_warning, sources=_sources(table, name, database, coding))
        for name in table.names()
    )


def _sources(
    table: TomlTable, name: str, database: Database, coding: AlarmCoding
) -> tuple[tuple[str, str], ...]:
    bits = 1 if coding is AlarmCoding.BIT else 2
    sources = []
    for text in table.texts(name):
        message, signal = signal_in(table, name, text, database)
        if signal.length != bits:
            raise table.error(name, f"signal {text} has {signal.length} bits, coding {coding} needs {bits}")
        sources.append((message.name, signal.name))
    return tuple(sources)


def texts_in(table: TomlTable, database: Database) -> dict[str, tuple[str, ...]]:
    """Messages whose bytes are one text, by the text's name, in the order in which they are joined."""
    texts = {}
    for name in table.names():
        if name not in TEXTS:
            raise table.error(name, f"not one of {', '.join(sorted(TEXTS))}")
        texts[name] = table.texts(name)
        for message in texts[name]:
            message_in(table, name, message, database)
    return texts


def outgoing_in(table: TomlTable, database: Database) -> Outgoing:
    """One frame that the BMS expects from us."""
    message = message_in(table, "message", table.text("message"), database)
    text = table.text("text", "")
    if len(text.encode("ascii", "replace")) > message.length:
        raise table.error("text", f"{text!r} is longer than {message.length} characters")
    signals = []
    inner = table.table("signals")
    for name in inner.names():
        signal_within(inner, name, name, message)
        is_table = isinstance(inner.peek(name), dict)
        signals.append(
            _outgoing_signal(name, inner.table(name)) if is_table else _outgoing_constant(name, inner)
        )
    outgoing = Outgoing(
        message=message.name,
        period_s=table.positive("period_s", 1.0),
        signals=tuple(signals),
        text=text or None,
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


def fixed_in(table: TomlTable, database: Database) -> dict[tuple[str, str], int]:
    """Raw codes that the simulated BMS always sends, by message and signal."""
    fixed = {}
    for text in table.names():
        message, signal = signal_in(table, text, text, database)
        fixed[message.name, signal.name] = int(table.number(text))
    return fixed


def lengths_in(table: TomlTable, database: Database) -> dict[str, int]:
    """Bytes that the simulated BMS sends of a message, where they are fewer than the DBC says."""
    lengths = {}
    for name in table.names():
        message = message_in(table, name, name, database)
        lengths[name] = int(table.number(name))
        if not 0 <= lengths[name] <= message.length:
            raise table.error(name, f"{lengths[name]} outside 0..{message.length}")
    return lengths
