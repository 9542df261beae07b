"""A VTN of OpenADR 3.0.1 or 3.1.0 for tests and demos: objects, tokens, webhooks, and faults on command.

It keeps everything in memory, and tells clients apart by role alone. For MQTT it is given a broker: `mqtt`
is what /notifiers says of it, and `publish` sends there.
"""

import json
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp import web

from certs import TlsContext
from openadr_ven.v3.version import LIMIT, ObjectType, Operation, Version
from openadr_ven.vtn.v3_faults import Faults
from openadr_ven.vtn.v3_store import LISTS, VEN_WRITES, Client, Json, Store

log: Final = logging.getLogger(__name__)
OPERATIONS: Final = {
    Version.V301: {
        Operation.CREATE: "POST",
        Operation.UPDATE: "PUT",
        Operation.DELETE: "DELETE",
        Operation.READ: "GET",
    },
    Version.V310: {one: one.value for one in Operation},
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, as they were on the wire."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: object
    status: int
    answer: object


class Vtn:
    """The VTN. `exchanges` is everything that was asked and answered, `faults` the switches."""

    def __init__(
        self,
        version: Version,
        clients: Sequence[Client] = (),
        *,
        now: Callable[[], float] = time.time,
        token_life_s: int = 3600,
        tls: TlsContext | None = None,
    ) -> None:
        """Without clients everybody may do everything. `tls` verifies the callbacks of webhooks."""
        self.version = version
        self.faults = Faults()
        self.store = Store(version)
        self.exchanges: list[Exchange] = []
        self.undelivered = 0
        self.mqtt: Json | None = None
        self.publish: Callable[[str, bytes], None] | None = None
        self._clients = {one.client_id: one for one in clients}
        self._tokens: dict[str, tuple[Client, float]] = {}
        self._now, self._token_life_s, self._tls = now, token_life_s, tls
        self._session: aiohttp.ClientSession | None = None

    def app(self) -> web.Application:
        """The web application, to be served by anyone."""
        app = web.Application(middlewares=[self._around], client_max_size=4_000_000)
        app.cleanup_ctx.append(self._calling)
        app.router.add_post("/auth/token", self._token)
        if self.version is Version.V310:
            app.router.add_get("/auth/server", self._server)
            app.router.add_get("/notifiers", self._notifiers)
            app.router.add_get("/notifiers/mqtt/topics/vens/{venID}/{kind}", self._topics)
        for name in LISTS:
            of_ven = name == "resources" and self.version is Version.V301
            path = "/vens/{venID}/resources" if of_ven else f"/{name}"
            app.router.add_route("*", path, self._list, name=name)
            app.router.add_route("*", f"{path}/{{id}}", self._one, name=f"one-{name}")
        return app

    def revoke(self) -> None:
        """No token holds any more."""
        self._tokens.clear()

    async def put(self, kind: ObjectType, body: Json) -> Json:
        """Make an object as business logic does; subscribers are told."""
        found = self.store.create(kind, body, None, self._time())
        await self._tell(kind, Operation.CREATE, found)
        return found

    async def change(self, kind: ObjectType, object_id: str, **more: object) -> Json:
        """Change an object as business logic does; subscribers are told."""
        before = self.store.objects[kind][object_id]
        found = self.store.change(kind, before, before | more, self._time())
        await self._tell(kind, Operation.UPDATE, found)
        return found

    async def delete(self, kind: ObjectType, object_id: str) -> None:
        """Delete an object as business logic does; subscribers are told."""
        await self._tell(kind, Operation.DELETE, self.store.objects[kind].pop(object_id))

    def of(self, kind: ObjectType) -> list[Json]:
        """All objects of a kind."""
        return list(self.store.objects[kind].values())

    @web.middleware
    async def _around(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        answer = await self.faults.before(request.path)
        if answer is None:
            try:
                found = await handler(request)
                answer = found if isinstance(found, web.Response) else web.Response(status=500)
            except _ProblemError as problem:
                body = {"title": problem.text, "status": problem.status}
                answer = web.json_response(body, status=problem.status)
        text = answer.text or ""
        query = tuple(request.query.items())
        sent = _json_or_none(await request.read())
        said = _json_or_none(text.encode())
        self.exchanges.append(Exchange(request.method, request.path, query, sent, answer.status, said))
        if answer.status < 300:
            answer.text = self.faults.spoilt(request.path, text)
        return answer

    async def _calling(self, _: web.Application) -> AsyncIterator[None]:
        timeout = aiohttp.ClientTimeout(total=5)
        connector = aiohttp.TCPConnector(ssl=self._tls or True)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            self._session = session
            yield

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        client = self._clients.get(str(form.get("client_id")))
        if form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        if client is None or not secrets.compare_digest(client.secret, str(form.get("client_secret"))):
            return web.json_response({"error": "invalid_client"}, status=400)
        token = secrets.token_urlsafe(16)
        self._tokens[token] = (client, self._now() + self._token_life_s)
        body = {"access_token": token, "token_type": "Bearer", "expires_in": self._token_life_s}
        return web.json_response(body)

    async def _server(self, request: web.Request) -> web.Response:
        return web.json_response({"tokenURL": str(request.url.with_path("/auth/token"))})

    async def _notifiers(self, request: web.Request) -> web.Response:
        self._client(request)
        return web.json_response({"WEBHOOK": True} | ({"MQTT": self.mqtt} if self.mqtt else {}))

    async def _topics(self, request: web.Request) -> web.Response:
        self._client(request)
        kind = request.match_info["kind"]
        names = {one: f"openadr/{kind}/{one.lower()}" for one in ("CREATE", "UPDATE", "DELETE")}
        return web.json_response({"topics": names})

    async def _list(self, request: web.Request) -> web.Response:
        kind, client = self._kind(request), self._client(request)
        if request.method == "POST":
            return await self._create(request, kind, client)
        if request.method != "GET":
            raise _ProblemError(405, "method not allowed")
        query = [*request.query.items(), *request.match_info.items()]
        skip, limit = _number(request, "skip", 0), _number(request, "limit", LIMIT)
        if not 0 <= limit <= LIMIT or skip < 0:
            raise _ProblemError(400, "skip or limit out of range")
        return web.json_response(self.faults.paged(self.store.shown(kind, query, client), skip, limit))

    async def _create(self, request: web.Request, kind: ObjectType, client: Client | None) -> web.Response:
        body = await self._body(request, kind, client)
        wrong = self.store.wrong(kind, body)
        if wrong is not None:
            raise _ProblemError(*wrong)
        if kind is ObjectType.SUBSCRIPTION and not self.faults.no_echo:
            await self._require_echo(body)
        found = self.store.create(kind, body, client, self._time())
        if self.faults.lost_answers:
            self.faults.lost_answers -= 1
            raise _ProblemError(500, "the answer was lost")
        await self._tell(kind, Operation.CREATE, found)
        return web.json_response(found, status=201)

    async def _one(self, request: web.Request) -> web.Response:
        kind, client = self._kind(request), self._client(request)
        found = self.store.objects[kind].get(request.match_info["id"])
        if found is None:
            raise _ProblemError(404, "no such object")
        if request.method == "GET":
            return web.json_response(self.faults.stale.get(str(found["id"]), found))
        if request.method == "DELETE":
            self._may_write(kind, client)
            await self.delete(kind, str(found["id"]))
            return web.json_response(found)
        body = await self._body(request, kind, client)
        wrong = self.store.wrong(kind, body, str(found["id"]))
        if wrong is not None or request.method != "PUT":
            raise _ProblemError(*(wrong or (405, "method not allowed")))
        changed = self.store.change(kind, found, body, self._time())
        await self._tell(kind, Operation.UPDATE, changed)
        return web.json_response(changed)

    def _kind(self, request: web.Request) -> ObjectType:
        name = request.match_info.route.name or ""
        return LISTS[name.removeprefix("one-")]

    def _client(self, request: web.Request) -> Client | None:
        """Who asks. 401 without a token that holds."""
        if not self._clients:
            return None
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        client, ends = self._tokens.get(token, (None, 0.0))
        if client is None or ends <= self._now():
            raise _ProblemError(401, "no token that holds")
        if self.faults.refuse_tokens:
            self.faults.refuse_tokens -= 1
            raise _ProblemError(401, "told to refuse")
        return client

    def _may_write(self, kind: ObjectType, client: Client | None) -> None:
        if client is not None and client.is_ven and kind not in VEN_WRITES:
            raise _ProblemError(403, "a VEN may not write this")

    async def _body(self, request: web.Request, kind: ObjectType, client: Client | None) -> Json:
        self._may_write(kind, client)
        found = _json_or_none(await request.read())
        if not isinstance(found, dict):
            raise _ProblemError(400, "no object")
        return found | ({"venID": request.match_info["venID"]} if "venID" in request.match_info else {})

    async def _require_echo(self, body: Json) -> None:
        """A callback must say what it is asked to, or the subscription is not taken."""
        assert self._session is not None  # noqa: S101 - the application runs
        word = secrets.token_urlsafe(8)
        for url, _ in _callbacks(body):
            try:
                async with self._session.get(url, params={"echo": word}) as response:
                    said = await response.text()
            except (aiohttp.ClientError, TimeoutError) as error:
                raise _ProblemError(400, f"the callback cannot be reached: {type(error).__name__}") from error
            if said != word:
                raise _ProblemError(400, "the callback says something else")

    async def _tell(self, kind: ObjectType, operation: Operation, found: Json) -> None:
        word = OPERATIONS[self.version][operation]
        body: Json = {"objectType": kind.value, "operation": word, "object": found}
        if self.publish is not None:
            self.publish(f"openadr/{kind.lower()}s/{operation.lower()}", json.dumps(body).encode())
        for one in self.of(ObjectType.SUBSCRIPTION):
            program = one.get("programID")
            if program is not None and found.get("programID", found["id"]) != program:
                continue
            for url, token in _callbacks(one, kind, operation):
                await self.notify(url, token, body)

    async def notify(self, url: str, token: str, body: Json) -> int:
        """The status of a notification; 0 where nobody answers."""
        assert self._session is not None  # noqa: S101 - the application runs
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            async with self._session.post(url, json=body, headers=headers) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            self.undelivered += 1
            log.warning("no notification: %s", type(error).__name__)
            return 0

    def _time(self) -> float:
        return self._now() + self.faults.clock_offset_s


class _ProblemError(Exception):
    """A request is answered with a problem."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


def _callbacks(
    body: Json, kind: ObjectType | None = None, operation: Operation | None = None
) -> list[tuple[str, str]]:
    """URL and token of each callback of a subscription that is about this; all where nothing is named."""
    found = body.get("objectOperations")
    rows = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return [
        (str(one["callbackUrl"]), str(one.get("bearerToken") or ""))
        for one in rows
        if (kind is None or kind in one["objects"]) and (operation is None or operation in one["operations"])
    ]


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def _json_or_none(body: bytes) -> object:
    try:
        found: object = json.loads(body)
    except ValueError:
        return None
    return found
