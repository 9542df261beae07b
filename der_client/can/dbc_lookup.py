"""Finds what a profile names in its DBC, or raises with file and key. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .mapping import message_of, signal_of
from .wire import bytes_needed

if TYPE_CHECKING:
    from cantools.database.can import Database, Message, Signal

    from .toml_table import TomlTable


def signal_in(table: TomlTable, key: str, text: str, database: Database) -> tuple[Message, Signal]:
    """Message and signal of `message.signal`; the signal must lie within eight bytes."""
    message_name, dot, name = text.partition(".")
    if not dot:
        raise table.error(key, f"{text!r} is not message.signal")
    message = message_in(table, key, message_name, database)
    signal = signal_within(table, key, name, message)
    if bytes_needed(signal) > 8:
        raise table.error(key, f"signal {text} lies beyond the eighth byte")
    return message, signal


def message_in(table: TomlTable, key: str, name: str, database: Database) -> Message:
    """The message of that name."""
    try:
        return message_of(database, name)
    except KeyError:
        raise table.error(key, f"no message {name!r} in the DBC") from None


def signal_within(table: TomlTable, key: str, name: str, message: Message) -> Signal:
    """The signal of that name in a message."""
    try:
        return signal_of(message, name)
    except KeyError:
        raise table.error(key, f"no signal {name!r} in message {message.name}") from None
