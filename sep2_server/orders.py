"""Lists whose order a profile decides: the declaration with the order that this server keeps.

The order is in the stored keys, so the profile at the root decides it for all. IEEE 2030.5-2018, annex B.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from function_sets import Key, Route, sort_key
from function_sets.model import asc
from sep2_server.environment import Environment
from sep2_server.transaction import Transaction
from sep2_server.uris import route_named

if TYPE_CHECKING:
    from schemas import Resource

ORDER_OPTION: Final = "order."
"""Prefix of the options that tell in which order a list is stored."""
RULES: Final[Mapping[str, str]] = {
    "EndDeviceList": "end_device_order",
    "LogEventList": "log_event_order",
}
"""By list, the rule that decides."""
STANDARD: Final = frozenset({"2018", "newest_first"})
_OTHERS: Final[Mapping[str, tuple[Key, ...]]] = {
    "2013": (asc("sFDI"), asc("href")),
    "oldest_first": (asc("createdDateTime"), asc("logEventID")),
}
_BATCH: Final = 1000


def ordered(environment: Environment, kind: str) -> Route:
    """The declaration of a list in the order that is kept here."""
    route = route_named(kind)
    other = _OTHERS.get(_order_of(environment, kind))
    return route if other is None else replace(route, order=other)


def keep_orders(tx: Transaction, environment: Environment) -> None:
    """Give the items of the lists whose order is another than before their new keys."""
    for kind in RULES:
        wanted = _order_of(environment, kind)
        stored = tx.option(ORDER_OPTION + kind)
        if stored != wanted and (stored or wanted not in STANDARD):
            _order_again(tx, environment, kind)
            tx.put_option(ORDER_OPTION + kind, wanted)


def _order_again(tx: Transaction, environment: Environment, kind: str) -> None:
    route = ordered(environment, kind)
    item = kind.removesuffix("List")
    last = 0
    while rows := tx.of_kind(item, after_id=last, limit=_BATCH):
        for row in rows:
            value: Resource = environment.codec.decode_fragment(row.body, route_named(item).type)
            tx.replace(row, row._replace(sort_key=sort_key(route, value)))
        last = rows[-1].id


def _order_of(environment: Environment, kind: str) -> str:
    rule = RULES.get(kind)
    return "" if rule is None else str(getattr(environment.settings.profile, rule))
