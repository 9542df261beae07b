"""Items that a device posts again: known by what names them, they are updated and not kept twice.

A device that starts anew posts its locales, addresses and neighbours once more; without this its lists would
grow at every start. IEEE 2030.5-2018, 10 (lists that a device keeps about itself).

The lists may have thousands of items: one is found by its place where the order is by name, else by the
octets of its name, and only what may be it is decoded.
"""

import re
from typing import Final

from function_sets import sort_key
from function_sets.model import attribute_path
from schemas import Resource
from sep2_server.action import Action
from sep2_server.errors import BadRequest
from sep2_server.rows import Row, Span
from sep2_server.uris import route_named

NAMED_BY: Final = {
    "SupportedLocaleList": ("locale",),
    "IPInterfaceList": ("ifIndex",),
    "IPAddrList": ("address",),
    "LLInterfaceList": ("EUI64",),
    "RPLInstanceList": ("DODAGid", "RPLInstanceID"),
    "RPLSourceRoutesList": ("SourceRoute", "DestAddress"),
    "NeighborList": ("shortAddress",),
    "PriceResponseCfgList": ("RateComponentLink.href",),
    "LoadShedAvailabilityList": ("DemandResponseProgramLink.href",),
}
"""Fields that name an item among those of its list."""
MAY_BE_ABSENT: Final = frozenset({"LoadShedAvailabilityList"})
"""Lists in which the item without a name is one too: what a device can shed in any program."""
MOST_ALIKE: Final = 100
"""Items with one name, or one place, that are looked at."""

_HEX: Final = frozenset({"address", "EUI64", "SourceRoute", "DestAddress"})


def same_item(action: Action, list_row: Row, value: Resource) -> Row | None:
    """The item of a list that has the name of another one, None for a new name or none."""
    paths = NAMED_BY.get(list_row.kind)
    item = route_named(list_row.kind).item
    if paths is None or item is None:
        return None
    name = _name(item, paths, value)
    if None in name and list_row.kind not in MAY_BE_ABSENT:
        return None
    codec = action.environment.codec
    for row in _alike(action, list_row, value):
        if _name(item, paths, codec.decode_fragment(row.body, item)) == name:
            return row
    return None


def require_own_name(action: Action, row: Row, value: Resource) -> None:
    """Raise BadRequest for a new value of an item with the name of another item in the list."""
    list_row = None if row.list_id is None else action.tx.by_id(row.list_id)
    other = None if list_row is None else same_item(action, list_row, value)
    if other is not None and other.id != row.id:
        raise BadRequest(f"{other.href} has that name already")


def _alike(action: Action, list_row: Row, value: Resource) -> list[Row]:
    """The items of a list that may have the name of another one."""
    route, paths = route_named(list_row.kind), NAMED_BY[list_row.kind]
    if tuple(key.path for key in route.order) == paths:
        key = sort_key(route, value)
        return action.tx.page(Span(list_id=list_row.id, low=key, high=key + b"\0"), limit=MOST_ALIKE)
    tag = paths[0].partition(".")[0].encode()
    found = re.search(rb"<%s(?:>[^<]*<| [^>]*>)" % tag, action.environment.codec.fragment(value))
    if found is None:
        return action.tx.items_with(list_row.id, b"<%s " % tag, MOST_ALIKE, is_there=False)
    return action.tx.items_with(list_row.id, found[0], MOST_ALIKE)


def _name(item: type, paths: tuple[str, ...], value: object) -> tuple[object, ...]:
    return tuple(_found(value, attribute_path(item, path)) for path in paths)


def _found(value: object, path: tuple[str, ...]) -> object:
    for attr in path:
        value = None if value is None else getattr(value, attr)
    return value.upper() if isinstance(value, str) and path[-1] in _HEX else value
