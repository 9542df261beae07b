"""From the octets of a request's body to the resource in it. IEEE 2030.5-2018, 4.5 and 4.6."""

import re
from typing import Final

from function_sets import Route
from schemas import Malformed
from schemas.codes import ErrorReason
from sep2_server.environment import Environment
from sep2_server.errors import BadRequest
from sep2_server.messages import Request
from sep2_server.negotiation import require_readable

MOST_ATTRIBUTES: Final = 256
"""Most attributes of one element; no resource has ten, and reading them costs the square of their number."""
_TOO_MANY: Final = re.compile(rb"<(?:[^<=]*=){%d}" % (MOST_ATTRIBUTES + 1))


def value_of(environment: Environment, request: Request, route: Route) -> object:
    """The resource that a client sent to a route. BadRequest or WrongMediaType for anything else."""
    if not request.body:
        raise BadRequest("no body", ErrorReason.INVALID_FORMAT)
    require_readable(request.content_type)
    _require_plain(request.body)
    try:
        return environment.codec.decode(request.body, route.accepts, most=environment.settings.most_octets)
    except Malformed as flaw:
        is_value = flaw.rule in {"range", "length"}
        reason = ErrorReason.INVALID_VALUES if is_value else ErrorReason.INVALID_FORMAT
        raise BadRequest(str(flaw), reason) from flaw


def _require_plain(body: bytes) -> None:
    """Raise BadRequest for what is no UTF-8 (UTF-16 and UTF-32 have zeros) or would be costly to read."""
    if b"\0" in body:
        raise BadRequest("a zero octet: the body is not UTF-8", ErrorReason.INVALID_FORMAT)
    if _TOO_MANY.search(body):
        raise BadRequest(
            f"an element with more than {MOST_ATTRIBUTES} attributes", ErrorReason.INVALID_FORMAT
        )
