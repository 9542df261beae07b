"""What the scripted server answers: the standard's rules of each method, applied to a stage. No IO."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from conformance_tests.client.http import Answer, Request
from function_sets import METHODS, BadQueryError, parse_query
from function_sets.routes import ROUTES
from schemas import (
    MEDIA_TYPE,
    Codec,
    EndDevice,
    Malformed,
    MirrorMeterReading,
    MirrorMeterReadingList,
    MirrorUsagePoint,
    Resource,
)

if TYPE_CHECKING:
    from conformance_tests.client.stage import Stage
    from conformance_tests.client.tree import Held
    from function_sets import Route

XML: Final = {"Content-Type": MEDIA_TYPE}
READS: Final = frozenset({"GET", "HEAD"})


class Dispatch:
    """Answers requests of clients whose LFDIs are known; others get 403. IEEE 2030.5-2018, annex A."""

    def __init__(self, stage: Stage, lfdis: frozenset[str]) -> None:
        self.stage = stage
        self.lfdis = lfdis
        self.codec = Codec(stage.profile)

    def route(self, path: str) -> str:
        """The id of the resource at a path, empty where there is none."""
        held = self.stage.tree.held.get(path)
        if held is not None:
            return held.route.id
        return self.stage.tree.places.get(path, ("", ""))[0]

    def answer(self, request: Request, lfdi: str) -> Answer:
        """The answer to a request of a client; what it writes is in the stage then."""
        if lfdi not in self.lfdis:
            return Answer(status=403)
        name = self.route(request.path)
        if not name or (request.method in READS and request.path not in self.stage.tree.held):
            return Answer(status=404)
        return self._read(request) if request.method in READS else self._write(request, ROUTES[name])

    def _write(self, request: Request, route: Route) -> Answer:
        if request.method not in METHODS:
            return Answer(status=501)
        if request.method not in self._writes(route):
            return Answer(status=405, headers={"Allow": ", ".join(("GET", "HEAD", *sorted(route.writes)))})
        if request.method == "DELETE":
            self.stage.remove(request.path)
            return Answer(status=204)
        wanted = tuple(map(self.stage.profile.resolve, route.accepts))
        try:
            resource: Any = self.codec.decode(request.body, wanted)
        except Malformed:
            return Answer(status=400)
        if request.method == "PUT":
            return self._put(request.path, resource)
        return self._post(self.stage.tree.held[request.path], resource)

    def _writes(self, route: Route) -> frozenset[str]:
        is_closed = route.type is not EndDevice and route.item is EndDevice and not self.stage.in_band
        return route.writes - {"POST"} if is_closed else route.writes

    def _read(self, request: Request) -> Answer:
        try:
            found = self.stage.tree.read(request.path, self.stage.now(), parse_query(request.query))
        except BadQueryError:
            return Answer(status=400)
        return Answer(status=200, headers=XML, body=self.codec.encode(found))

    def _put(self, path: str, resource: Resource) -> Answer:
        tree = self.stage.tree
        held = tree.held.get(path)
        if held is None:
            name, default = tree.places[path]
            tree.put(name, default, resource)
        elif not isinstance(resource, EndDevice):
            resource.href = path
            held.resource = resource
        self.stage.changed({path})
        return Answer(status=204)

    def _post(self, held: Held, resource: Any) -> Answer:  # noqa: ANN401  any resource of any profile
        if isinstance(resource, MirrorUsagePoint):
            return self._mirror(held, resource)
        if isinstance(resource, MirrorMeterReading | MirrorMeterReadingList):
            return Answer(status=self.stage.reading_status)
        if isinstance(resource, EndDevice):
            return self._device(held, resource)
        return self._append(held, resource)

    def _append(self, held: Held, resource: Resource) -> Answer:
        route = next(one for one in ROUTES.values() if one.type is held.route.item)
        tree = self.stage.tree
        href = tree.put(route.id, f"{held.path}/{tree.number(held.path)}", resource)
        tree.add(held.href, href)
        self.stage.changed({href})
        return Answer(status=201, headers={"Location": href})

    def _mirror(self, held: Held, point: MirrorUsagePoint) -> Answer:
        """A new mirror is 201, one whose mRID is known 204, both with Location. IEEE 2030.5-2018, 10.11."""
        for href in held.items:
            there: Any = self.stage.tree.held[href].resource
            if (there.mRID.upper(), there.deviceLFDI) == (point.mRID.upper(), point.deviceLFDI):
                self.stage.tree.held[href].resource = replace(point, href=href)
                return Answer(status=204, headers={"Location": href})
        return self._append(held, point)

    def _device(self, held: Held, device: EndDevice) -> Answer:
        """A client that registers in band gets an entry with all under it; 409 for one that is there."""
        for href in held.items:
            there: Any = self.stage.tree.held[href].resource
            if there.lFDI and there.lFDI.upper() == (device.lFDI or "").upper():
                return Answer(status=409)
        made = self.stage.add_device(device.lFDI or "", sfdi=device.sFDI)
        return Answer(status=201, headers={"Location": made.href})
