"""From what an operator sends to a `Plan`: the resource with what the server fills in, and what is below it.

JSON has the standard's names and natural units (`operator.model`); the name of a list or resource below
(`RateComponent`, `ReadingType`) holds what is to be made there at once.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from function_sets import Route
from schemas import (
    DateTimeInterval,
    DERControlBase,
    Event,
    EventStatus,
    Resource,
    json_of,
    spec_of,
    wire_name,
)
from schemas.codes import EventState
from sep2_server.below import Below, below
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.function_rules import check, default_below
from sep2_server.operator.model import resource_of
from sep2_server.operator.times import duration_s, start_at
from sep2_server.operator.tree import Plan
from sep2_server.uris import route_named
from sep2_server.versions import next_version

MADE_HERE: Final = frozenset({"href", "version", "EventStatus", "creationTime", "subscribable", "replyTo"})
"""Fields that the server fills in, whatever is given."""
KEPT: Final = frozenset({"mRID", "creationTime", "EventStatus"})
"""Fields that stay for the life of a resource."""
OWNERS: Final = ("lFDI", "sFDI", "deviceLFDI")
"""Fields that say whose something is."""
MODES: Final = "DERControlBase"
_NO_LINK: Final = "/"
T = TypeVar("T", bound=Resource)


def plan_of(desk: Desk, kind: str, given: object, place: str) -> Plan:
    """The plan of a resource of a kind. BadRequest names what is wrong with it, and what would do."""
    if not isinstance(given, dict):
        raise BadRequest(f"{place}: not a JSON object", f"give the fields of a {_name(kind)}")
    route = route_named(kind)
    cls: type = desk.environment.codec.profile.resolve(route.type)
    held = dict(given)
    plans = {
        one.name: tuple(plan_of(desk, _item(one), item, f"{place}.{_key(one)}") for item in _items(one, held))
        for one in below(kind)
        if not one.is_view and _key(one) in held
    }
    for one in below(kind):
        held.pop(_key(one), None)
        if one.is_required and one.name not in plans and not one.is_list:
            plans[one.name] = (Plan(value=default_below(one.kind, held)),)
    value: Resource = _read(desk, cls, _filled(desk, route, held), place)
    check(desk, value, plans)
    return Plan(value=value, is_named="mRID" in given, below=plans)


def changed_value(desk: Desk, kind: str, old: Resource, given: object) -> Any:  # noqa: ANN401
    """A resource with what is given put over it: null takes a field away, links and identity stay."""
    if not isinstance(given, dict) or not given:
        raise BadRequest("body: nothing to set", f"give the fields of the {_name(kind)} to change")
    for name in (MADE_HERE | {"mRID"}) & given.keys():
        raise BadRequest(f"{name}: it is for life, or the server makes it", "leave it out")
    cls = type(old)
    for one in below(kind):
        if one.attr.rstrip("_") in given:
            raise BadRequest(f"{one.attr.rstrip('_')}: the server makes it", "leave it out")
    merged = {**json_of(old), **_timed(desk, cls, given)}
    value: Any = _read(desk, cls, {k: v for k, v in merged.items() if v is not None}, _name(kind))
    for name in OWNERS:
        if str(getattr(old, name, None)).upper() != str(getattr(value, name, None)).upper():
            raise BadRequest(f"{name}: it is for life", "leave it out")
    if hasattr(value, "version"):
        value.version = next_version(value.version)
    check(desk, value, {})
    return value


def _read(desk: Desk, cls: type[T], given: dict[str, Any], place: str) -> T:
    """The resource that JSON describes; control modes may be those of the profile."""
    modes = given.get(MODES)
    if modes is None:
        return resource_of(cls, given, place)
    value = resource_of(cls, {**given, MODES: {}}, place)
    base = desk.environment.codec.profile.resolve(DERControlBase)
    setattr(value, f"{MODES}_", resource_of(base, modes, f"{place}.{MODES}"))
    return value


def _filled(desk: Desk, route: Route, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a new resource with those that the server makes."""
    names = {f.name for f in spec_of(route.type)}
    links = {one.attr.rstrip("_"): {"href": _NO_LINK} for one in below(route.id) if one.is_required}
    made: dict[str, Any] = {"version": 0, "creationTime": desk.now}
    if issubclass(route.type, Event):
        scheduled = EventStatus(
            currentStatus=int(EventState.SCHEDULED), dateTime=desk.now, potentiallySuperseded=False
        )
        made["EventStatus"] = json_of(scheduled)
    if "responseRequired" in names and "responseRequired" not in given:
        made["responseRequired"] = desk.environment.rules.response_required
    if "mRID" in names and "mRID" not in given:
        made["mRID"] = desk.new_mrid()
    plain = {k: v for k, v in given.items() if k not in MADE_HERE}
    return {**_timed(desk, route.type, plain), **{k: v for k, v in made.items() if k in names}, **links}


def _timed(desk: Desk, cls: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Intervals as people say them: `{"start": "now", "duration": "1h"}`."""
    held = dict(given)
    for f in spec_of(cls):
        said = held.get(f.name)
        if f.target is not DateTimeInterval or not isinstance(said, dict):
            continue
        start, within = said.get("start"), said.get("in")
        held[f.name] = {
            "duration": duration_s(_text_or_number(said.get("duration"), f.name), f"{f.name}.duration"),
            "start": start_at(start, within, desk.now),
        }
    return held


def _text_or_number(given: object, place: str) -> int | str:
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise BadRequest(f"{place}.duration: missing", "allowed: seconds, or a text such as 1h30m")
    return given


def _key(one: Below) -> str:
    """The name under which JSON holds what is below: that of the item for a list."""
    return one.name.removesuffix("List") if one.is_list else one.name


def _item(one: Below) -> str:
    item = route_named(one.kind).item
    return one.kind if item is None else wire_name(item)


def _items(one: Below, held: Mapping[str, Any]) -> list[object]:
    given = held[_key(one)]
    if not one.is_list:
        return [given]
    if not isinstance(given, list):
        raise BadRequest(f"{_key(one)}: not a list", f"give a list of {_key(one)}")
    return given


def _name(kind: str) -> str:
    return wire_name(route_named(kind).type)
