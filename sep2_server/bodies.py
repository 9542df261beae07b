"""From the octets of a request's body to the resource in it. IEEE 2030.5-2018, 4.5 and 4.6."""

from function_sets import Route
from schemas import Malformed
from schemas.codes import ErrorReason
from sep2_server.environment import Environment
from sep2_server.errors import BadRequest, Unprocessable
from sep2_server.extra_routes import CONNECTION_POINT
from sep2_server.messages import Request


def value_of(environment: Environment, request: Request, route: Route) -> object:
    """The resource that a client sent to a route. BadRequest or WrongMediaType for anything else.

    Who has received the body has held it against `most_octets` as that is now; the environment has it as it
    was at the start.
    """
    if not request.body:
        raise BadRequest("no body", ErrorReason.INVALID_FORMAT)
    codec = environment.codecs.reading(request.content_type)
    most = max(environment.settings.most_octets, len(request.body))
    try:
        document = codec.decode(request.body, most=most)
        return environment.mount.decode(document, route.accepts, most=most)
    except Malformed as flaw:
        if route.id == CONNECTION_POINT and environment.rules.connection_point_error == Unprocessable.status:
            raise Unprocessable(str(flaw)) from flaw
        is_value = flaw.rule in {"range", "length"}
        reason = ErrorReason.INVALID_VALUES if is_value else ErrorReason.INVALID_FORMAT
        raise BadRequest(str(flaw), reason) from flaw
