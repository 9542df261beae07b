"""A server with at least one of every resource of the standard, and how more is added to it.

`fill` makes all that hangs on a group, on a device and at the root, from the declarations; a function set
that wants more than the least values adds its own after it.
"""

from itertools import count

from function_sets import ROUTES, Route
from schemas import Field, Link, Resource, spec_of
from sep2_server.below import below
from sep2_server.extra_routes import PROGRAM_KINDS
from sep2_server.operator import programs
from sep2_server.operator.desk import Desk
from sep2_server.operator.tree import Plan, insert_item, put_single
from sep2_server.rows import Row
from sep2_server.uris import route_named
from tests.integration.sep2_harness import START

_numbers = count(0xA001)
RESPONSES = (
    "Response",
    "PriceResponse",
    "TextResponse",
    "DERControlResponse",
    "FlowReservationResponseResponse",
    "DrResponse",
)
HREF = "/x"


def least(cls: type) -> Resource:
    """A resource with its required fields alone; the mRID is new."""
    made: Resource = cls(**{f.attr: _least(f) for f in spec_of(cls) if f.required})
    return made


def _least(field: Field) -> object:
    if field.name in {"mRID", "subject"}:
        return f"{next(_numbers):032X}"
    if field.name == "start":
        return START
    if field.name == "duration":
        return 3600
    if field.target is not None:
        value = field.target(href=HREF) if issubclass(field.target, Link) else least(field.target)
        return [value] if field.is_list else value
    primitive = field.scalar.primitive if field.scalar else ""
    texts: dict[str, object] = {
        "xs:string": "a",
        "xs:anyURI": HREF,
        "xs:hexBinary": "00",
        "xs:boolean": False,
    }
    return texts.get(primitive, 0)


def planned(kind: str) -> Plan:
    """The plan of a resource with one of everything that may hang below it."""
    plans = {
        one.name: (planned(item_of(route_named(one.kind)) if one.is_list else one.kind),)
        for one in below(kind)
        if not one.is_view and one.kind not in {"ReadingList", "AssociatedDERProgramList"}
    }
    return Plan(value=least(route_named(kind).type), below=plans)


def item_of(route: Route) -> str:
    """Id of the route of the items of a list."""
    return route.item.__name__ if route.item else ""


def fill(desk: Desk, device: Row) -> None:
    """Make one of every resource for a device that is in a group of its own."""
    group = programs.add_group(desk, "house")
    for kind in PROGRAM_KINDS:
        programs.show(desk, group, insert_item(desk, programs.root_list(desk, kind), planned(kind)))
    client = desk.reader.client_of(device.id)
    if client is not None:
        programs.assign(desk, group, client)
    fill_device(desk, device)
    responses = desk.reader.of_kind("ResponseList", limit=1)[0]
    for kind in RESPONSES:
        insert_item(desk, responses._replace(owner_id=device.id), Plan(value=least(ROUTES[kind].type)))


def fill_device(desk: Desk, device: Row) -> None:
    """Make what is missing below an EndDevice, the nearest first."""
    known: dict[str, tuple[str, ...]] = {"EndDevice": (str(device.id),)}
    routes = [r for r in ROUTES.values() if r.path.startswith("/edev/{id1}/") and r.view_of is None]
    for route in sorted(routes, key=lambda r: r.path.count("/")):
        above = known.get(_above(route))
        if above is None:
            continue
        known[route.id] = _filled(desk, route, above, device)


def _above(route: Route) -> str:
    path = route.path.rpartition("/")[0]
    return next((r.id for r in ROUTES.values() if r.path == path), "")


def _filled(desk: Desk, route: Route, above: tuple[str, ...], device: Row) -> tuple[str, ...]:
    """The parts of the URI of a resource below a device, made where it is not there."""
    tx, of = desk.transaction, desk.environment.uris.of
    if route.path.endswith("}"):
        listed = tx.by_href(of(route.id + "List", above))
        items = [] if listed is None else tx.items(listed.id, limit=1)
        if listed is not None and not items:
            items = [insert_item(desk, listed, Plan(value=least(route.type)))]
        return (*above, items[0].href.rpartition("/")[2]) if items else above
    if tx.by_href(of(route.id, above)) is None:
        if route.is_list:
            tx.insert(Row(tx.next_id(), of(route.id, above), route.id, owner_id=device.id))
        else:
            put_single(desk, route.id, above, device.id, Plan(value=least(route.type)))
    return above
