"""The scripted server as procedures of CSIP-AUS need it: steps see requests before and after the answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from conformance_tests.client.dispatch import XML, Dispatch
from conformance_tests.client.http import Answer, Request
from function_sets import parse_query
from schemas import EndDevice, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance_tests.aus.client_scene import Scene
    from conformance_tests.client.tree import Held


WELL_KNOWN: Final = "/.well-known/csipaus"
"""The file of version discovery. CSIP-AUS v1.3."""


@dataclass(slots=True)
class Hooks:
    """Who is told of a request before it is served, and after."""

    before: Callable[[Request], None]
    after: Callable[[Request, Answer], None]


class PlayedDispatch(Dispatch):
    """Answers as the stage does, with connection points beside; each request is told twice."""

    def __init__(self, scene: Scene, lfdis: frozenset[str], hooks: Hooks) -> None:
        super().__init__(scene.bench.stage, lfdis)
        self.scene = scene
        self.hooks = hooks
        self.points: dict[str, Any] = {}
        """ConnectionPoints that were put, by href."""

    def route(self, path: str) -> str:
        """The id of the resource at a path, that of the combined list too."""
        is_combined = bool(path) and path == self.scene.tariffs.combined
        return "CombinedTimeTariffIntervalList" if is_combined else super().route(path)

    def answer(self, request: Request, lfdi: str) -> Answer:
        """The answer to a request of a client."""
        self.hooks.before(request)
        answer = self._answer(request, lfdi)
        self.hooks.after(request, answer)
        return answer

    def _answer(self, request: Request, lfdi: str) -> Answer:
        if lfdi in self.lfdis and request.path in self.scene.points.values():
            return self._point(request)
        if self.scene.adverts and request.path == WELL_KNOWN:
            versions = {version: {"dcap": paths} for version, paths in self.scene.adverts}
            body = json.dumps({"supportedSchemaVersions": versions}).encode()
            return Answer(status=200, headers={"Content-Type": "application/json"}, body=body)
        if request.method == "GET" and request.path == self.scene.tariffs.combined:
            found = self.scene.tariffs.all_intervals(parse_query(request.query))
            return Answer(status=200, headers=XML, body=self.codec.encode(found))
        if request.path in self.scene.served:
            request = replace(request, target=self.stage.dcap)
        return super().answer(request, lfdi)

    def _point(self, request: Request) -> Answer:
        held = self.points.get(request.path)
        if request.method == "GET":
            body = b"" if held is None else self.codec.encode(held)
            return Answer(status=404 if held is None else 200, headers=XML if held else {}, body=body)
        wanted = self.stage.profile.additions.get("ConnectionPoint")
        if request.method not in {"PUT", "POST"} or wanted is None:
            return Answer(status=405)
        try:
            self.points[request.path] = self.codec.decode(request.body, wanted)
        except Malformed:
            return Answer(status=400)
        return Answer(status=204 if held else 201, headers={"Location": request.path})

    def _device(self, held: Held, device: EndDevice) -> Answer:
        """A client that registers in band gets an entry with all under it; 409 for one that is there."""
        known = {str(self._value(one).lFDI or "").upper() for one in held.items}
        lfdi = (device.lFDI or "").upper()
        if lfdi in known:
            return Answer(status=409)
        made = self.stage.add_device(lfdi, sfdi=device.sFDI)
        if device.deviceCategory is not None:
            self.stage.change(made.href, deviceCategory=device.deviceCategory)
        self.scene.enter(made)
        return Answer(status=201, headers={"Location": made.href})

    def _value(self, href: str) -> Any:  # noqa: ANN401  an item of a list of any type
        return self.stage.tree.held[href].resource
