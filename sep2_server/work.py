"""A write on its way from the dispatcher to the writer of the store."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from function_sets import ROUTES, Route
from schemas import LogEvent, Response
from sep2_server.access import Viewer, viewer_of
from sep2_server.action import Action
from sep2_server.environment import Environment
from sep2_server.errors import NotFound
from sep2_server.extra_routes import EXTRA_ROUTES
from sep2_server.hooks import hook_of, wanted
from sep2_server.location import locate
from sep2_server.messages import Answer, Request
from sep2_server.transaction import Transaction
from sep2_server.unit import Unit
from sep2_server.uris import route_named
from sep2_server.visibility import require_visible
from sep2_server.want import Want

POSTED_FOR_PUT: Final = frozenset({"DERCapability", "DERSettings", "DERStatus", "DERAvailability"})
"""Resources that some clients POST where the standard has PUT."""
SHORT_OCTETS: Final = 8192
LONG: Final = (ROUTES["EndDeviceList"].path, ROUTES["MirrorUsagePointList"].path)
"""What is posted there makes some twenty resources, or has hundreds removed."""
MADE_ANEW: Final = (LogEvent, Response)
"""What is posted of these is a new resource each time."""


@dataclass(frozen=True, slots=True)
class Work:
    """A write that has passed every check which needs no transaction; run it in the store's writer.

    RemoteError comes out of it where the rest of the checks fails; `Dispatcher.refusal` makes the answer.
    """

    environment: Environment
    request: Request
    value: Any
    viewer: Viewer | None = None
    rights: int = -1

    @property
    def is_repeatable(self) -> bool:
        """True: a write has no effect beside its transaction."""
        return True

    def wants(self, unit: Unit) -> Iterator[Want]:
        """What the write will ask the store for."""
        yield Want(hrefs=(self.request.path,), ids=int(isinstance(self.value, MADE_ANEW)))
        row = unit.row_at(self.request.path)
        if row is not None:
            yield from wanted(self.environment, self.request.method, row, self.value, unit)

    @property
    def is_short(self) -> bool:
        """Whether it is carried out in less than a millisecond or so: one resource, few octets."""
        request = self.request
        is_small = request.method in {"PUT", "POST"} and len(request.body) <= SHORT_OCTETS
        return is_small and not request.path.endswith(LONG)

    def __call__(self, tx: Transaction) -> Answer:
        """Carry the write out; the answer holds once the transaction is durable.

        The rights of the client are those of `viewer` where none has changed since `rights`.
        """
        viewer = self.viewer if tx.rights == self.rights else None
        viewer = viewer or viewer_of(tx, self.request.lfdi)
        target = locate(tx, self.environment.uris, self.request.path)
        if target is None:
            raise NotFound(self.request.path)
        require_visible(tx, self.environment, viewer, target)
        action = Action(
            tx=tx,
            environment=self.environment,
            viewer=viewer,
            target=target,
            value=self.value,
            now=self.request.now,
            authority=self.request.authority,
        )
        method = method_at(self.environment, self.request.method, target.route)
        answer = self.environment.mount.answered(hook_of(method, target.route)(action), method)
        return Answer(answer.status, answer.headers, answer.body, target.route.id)


@cache
def shares_path(kind: str) -> bool:
    """Whether resources of several kinds may be at one URI; which one it is stands in the store."""
    path = route_named(kind).path
    return sum(route.path == path for route in (*ROUTES.values(), *EXTRA_ROUTES.values())) > 1


def method_at(environment: Environment, method: str, route: Route) -> str:
    """The method that a client means: a POST of some resources is a PUT where the profile says so."""
    is_put = method == "POST" and environment.rules.post_for_put and route.id in POSTED_FOR_PUT
    return "PUT" if is_put else method
