"""Reads a profile (already parsed TOML) and holds it against its DBC. Pure: files are read in `library`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .canonical import CANONICAL, NEEDED
from .dbc_lookup import message_in, signal_in
from .errors import ProfileError
from .mapping import Profile, Timing, ValueMapping
from .profile_frames import alarms_in, coding_in, fixed_in, lengths_in, outgoing_in, texts_in
from .toml_table import TomlTable
from .wire import not_available_code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cantools.database.can import Database, Signal

MAX_ADDRESS = 15
_BYTE_ORDERS = {"dbc": None, "little": "little_endian", "big": "big_endian"}


def parse_profile(data: Mapping[str, object], database: Database, source: str) -> Profile:
    """The checked profile. `ProfileError` names `source` (the file) and the key that is wrong or missing."""
    root = TomlTable(source, "", data)
    root.text("dbc", "")
    root.text("extends", "")
    name = root.text("name")
    is_swapped = _is_swapped(root, database)
    timing = _timing(root.table("timing"))
    values = _values(root.table("values"), database, timing)
    constants = _constants(root.table("constants"), values)
    alarm_table = root.table("alarms")
    coding = coding_in(alarm_table)
    alarms = alarms_in(alarm_table, database, coding, is_warning=False)
    warnings = alarms_in(root.table("warnings"), database, coding, is_warning=True)
    profile = Profile(
        name=name,
        database=database,
        is_swapped=is_swapped,
        address=_address(root),
        quick_stop=_quick_stop(root, database),
        timing=timing,
        values=values,
        constants=constants,
        alarm_coding=coding,
        alarms=alarms + warnings,
        texts=texts_in(root.table("texts"), database),
        outgoing=tuple(outgoing_in(table, database) for table in root.tables("outgoing")),
        fixed=fixed_in(root.table("fixed"), database),
        lengths=lengths_in(root.table("lengths"), database),
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


def _address(root: TomlTable) -> int:
    address = root.number("address", 0)
    if address not in range(MAX_ADDRESS + 1):
        raise root.error("address", f"{address:g} is no number from 0 to {MAX_ADDRESS}")
    return int(address)


def _quick_stop(root: TomlTable, database: Database) -> str | None:
    name = root.text("quick_stop", "")
    return message_in(root, "quick_stop", name, database).name if name else None


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
    message, signal = signal_in(table, "signal", table.text("signal"), database)
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
        false_codes=table.integers("false_codes") or frozenset(),
        is_signed=table.flag("signed", default=False),
        is_plain=table.flag("plain", default=False),
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
