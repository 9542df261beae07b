"""What a write does where a resource has no behaviour of its own: it is stored, and what hangs on it kept."""

from schemas import DER, AbstractDevice, Link
from sep2_server.access import may_see
from sep2_server.action import (
    Action,
    add_item,
    has_links,
    item_scope,
    keep_links,
    put_value,
    require_room,
    updated_by_post,
)
from sep2_server.errors import BadRequest, Forbidden, Unprocessable
from sep2_server.location import locate
from sep2_server.messages import NO_CONTENT, Answer, created, updated
from sep2_server.nmi import is_nmi
from sep2_server.rows import Row
from sep2_server.same_item import require_own_name, same_item
from sep2_server.tree import link_lists, remove_tree
from sep2_server.uris import route_named

LINKED = {"PriceResponseCfg": "RateComponentLink_", "LoadShedAvailability": "DemandResponseProgramLink_"}
"""By the type of a body, the link in it that must lead to something which the client may see."""


def post_item(action: Action) -> Answer:
    """Store a new item of a list, or a new value of the one that has its name."""
    list_row = action.list_row()
    require_linked(action)
    known = same_item(action, list_row, action.value)
    if known is not None:
        put_item(action, known, (*action.target.place.parts, str(known.id)))
        return updated_by_post(action, known)
    scope = item_scope(action, action.target.route, list_row.owner_id)
    require_room(action, list_row, scope, action.environment.settings.items_per_list)
    keep_links(action.value, None)
    return created(add_item(action, list_row, action.value).href)


def put_resource(action: Action) -> Answer:
    """Store a new value of a resource, or its first one where the URI is known and nothing was put yet."""
    _require_own_lfdi(action)
    require_linked(action)
    row = action.target.row
    if row is not None:
        require_own_name(action, row, action.value)
        put_item(action, row, action.target.place.parts)
        return NO_CONTENT
    made = created(_add_single(action).href)
    status = action.environment.rules.put_created_status
    return made if status == made.status else Answer(status)


def delete_resource(action: Action) -> Answer:
    """Remove a resource and all that is below it."""
    remove_tree(action.tx, action.environment.uris, action.row)
    return NO_CONTENT


def put_connection_point(action: Action) -> Answer:
    """Store where a device is connected: created the first time, updated from then on. CSIP-AUS S-ALL-53."""
    rules, row = action.environment.rules, action.target.row
    if rules.connection_point_nmi and not is_nmi(action.value.connectionPointId):
        unusable = Unprocessable if rules.connection_point_error == Unprocessable.status else BadRequest
        raise unusable("connectionPointId is no NMI: ten characters, and the check digit that is theirs")
    if row is not None:
        is_new = rules.connection_point_status == created("").status
        return (created if is_new else updated)(put_value(action, row, action.value).href)
    return created(_add_single(action).href)


def _require_own_lfdi(action: Action) -> None:
    """Raise Forbidden for a body that names another device than the one it is put for."""
    named = getattr(action.value, "lFDI", None)
    owner_id = action.target.owner_id
    if named is None or owner_id is None:
        return
    owner = action.tx.client_of(owner_id)
    if owner is not None and named.upper() != owner.lfdi:
        raise Forbidden("lFDI is not that of the EndDevice")


def _add_single(action: Action) -> Row:
    target = action.target
    keep_links(action.value, None)
    link_lists(action.environment, target.route.id, action.value, target.place.parts)
    action.value.href = target.href
    body = action.environment.codec.fragment(action.value)
    row = Row(action.tx.next_id(), target.href, target.route.id, owner_id=target.owner_id, body=body)
    if target.above is not None:
        action.tx.tell(target.above)
    return action.tx.insert(row)


def put_item(action: Action, row: Row, parts: tuple[str, ...]) -> None:
    """Store a new value of a resource with these parts of its URI; what it links to stays."""
    environment = action.environment
    if has_links(type(action.value)):
        keep_links(action.value, environment.codec.decode_fragment(row.body, route_named(row.kind).type))
    if not isinstance(action.value, DER | AbstractDevice):
        link_lists(environment, row.kind, action.value, parts)
    put_value(action, row, action.value)


def require_linked(action: Action) -> None:
    """Raise BadRequest for a body about a program or price that the client does not know.

    A link to another server is for its reader to follow.
    """
    attr = LINKED.get(type(action.value).__name__)
    link: Link | None = getattr(action.value, attr) if attr else None
    if link is None or not link.href.startswith("/"):
        return
    target = locate(action.tx, action.environment.uris, link.href)
    kind = type(link).__name__.removesuffix("Link")
    if (
        target is None
        or target.row is None
        or target.route.id != kind
        or not may_see(action.tx, action.viewer, target.route, target.owner_id, target.row)
    ):
        raise BadRequest(f"{link.href[:80]} is no {kind} of this client")
