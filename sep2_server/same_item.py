"""Items that a device posts again: known by what names them, they are updated and not kept twice.

A device that starts anew posts its locales, addresses and neighbours once more; without this its lists would
grow at every start. IEEE 2030.5-2018, 10 (lists that a device keeps about itself).
"""

from typing import Final

from function_sets.model import attribute_path
from schemas import Resource
from sep2_server.action import Action
from sep2_server.errors import BadRequest
from sep2_server.rows import Row
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
    for row in action.tx.items(list_row.id, limit=action.environment.settings.items_per_list):
        if _name(item, paths, codec.decode_fragment(row.body, item)) == name:
            return row
    return None


def require_own_name(action: Action, row: Row, value: Resource) -> None:
    """Raise BadRequest for a new value of an item with the name of another item in the list."""
    list_row = None if row.list_id is None else action.tx.by_id(row.list_id)
    other = None if list_row is None else same_item(action, list_row, value)
    if other is not None and other.id != row.id:
        raise BadRequest(f"{other.href} has that name already")


def _name(item: type, paths: tuple[str, ...], value: object) -> tuple[object, ...]:
    return tuple(_found(value, attribute_path(item, path)) for path in paths)


def _found(value: object, path: tuple[str, ...]) -> object:
    for attr in path:
        value = None if value is None else getattr(value, attr)
    return value.upper() if isinstance(value, str) and path[-1] in _HEX else value
