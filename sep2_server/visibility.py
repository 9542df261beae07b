"""Whether a client may know of what is at a URI. IEEE 2030.5-2018, 6 (access control)."""

from function_sets import Access
from sep2_server.access import OPEN_TO_DISABLED, OPEN_TO_ENTERING, Viewer, may_see
from sep2_server.built import BUILT_KINDS
from sep2_server.environment import Environment
from sep2_server.errors import Forbidden, NotFound
from sep2_server.location import Target
from sep2_server.reader import Reader


def require_visible(reader: Reader, environment: Environment, viewer: Viewer, target: Target) -> None:
    """Raise NotFound for what is not there, and for what is there and not this client's.

    The latter is Forbidden where `hidden_status` says so; both look alike where it does not.
    """
    route = target.route
    if viewer.is_disabled and route.id not in OPEN_TO_DISABLED:
        raise NotFound(target.href)
    if route.id in BUILT_KINDS or (viewer.client is None and route.id in OPEN_TO_ENTERING):
        return
    if not target.exists or route.access is Access.OPERATOR:
        raise NotFound(target.href)
    if not may_see(reader, viewer, route, target.owner_id, target.row):
        tells = environment.rules.hidden_status == Forbidden.status
        if tells and (target.owner_id is None or not reader.is_gone(target.owner_id)):
            raise Forbidden(target.href)
        raise NotFound(target.href)
