"""Where requests are answered: who calls, which operation, the audit line, the answer. No HTTP types.

Operations that read run in a thread with a reader of its own, so that devices do not wait for them.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, cast
from urllib.parse import parse_qsl

from function_sets import Clock
from sep2_server.environment import Environment
from sep2_server.errors import StoreError
from sep2_server.event_times import repair_due
from sep2_server.operator.audit import AuditLog, Entry
from sep2_server.operator.auth import Role, Token, caller, require
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import (
    AuditFailed,
    BadRequest,
    Refusal,
    StoreFailed,
    Unauthorized,
    WrongMethod,
)
from sep2_server.operator.operations import OPERATIONS
from sep2_server.operator.router import Answer, Call, Operation, find
from sep2_server.operator.token_files import read_tokens
from sep2_server.reader import Reader
from sep2_server.store import Store
from sep2_server.transaction import Transaction

DONE: Final = "done"
Names = Mapping[str, str]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came; `body` is None where it was larger than the API reads."""

    method: str
    parts: tuple[str, ...]
    query: str = ""
    authorization: str | None = None
    content_type: str = "application/json"
    body: bytes | None = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer; `allow` are the methods to name with a 405."""

    status: int
    body: Answer
    allow: tuple[str, ...] = ()


class Counter:
    """Answers operators from the store; what they do is in the audit log before it is in the store."""

    def __init__(
        self, store: Store, environment: Environment, *, folder: Path, audit: AuditLog, clock: Clock
    ) -> None:
        self._store = store
        self._environment = environment
        self._folder = folder
        self._audit = audit
        self._clock = clock
        self._reader = store.new_reader()
        self._reading = asyncio.Lock()

    async def reply(self, request: Request) -> Reply:
        """The answer to a request, a refusal among them; nothing that an operator sends raises."""
        try:
            token = caller(read_tokens(self._folder), request.authorization)
            operation, names = find(OPERATIONS, request.method, request.parts)
            await self._repair()
            if operation.is_read:
                return await self._read(token, operation, _call(request, names, self._clock.now()))
            return await self._act(token, operation, request, names)
        except Unauthorized as flaw:
            log.warning("Operator API refused a caller: %s", flaw.detail)
            return Reply(status=flaw.status, body={**flaw.body()})
        except WrongMethod as flaw:
            return Reply(status=flaw.status, body={**flaw.body()}, allow=flaw.allowed)
        except Refusal as flaw:
            return Reply(status=flaw.status, body={**flaw.body()})

    async def _repair(self) -> None:
        """Write what time has changed, so that every status is right at this second."""
        now = self._clock.now()
        while (due := self._store.reader.next_due()) is not None and due <= now:
            await self._store.do(partial(repair_due, environment=self._environment, now=now))

    async def _read(self, token: Token, operation: Operation, call: Call) -> Reply:
        require(token, Role.VIEWER)
        operation.check_query(call.query)
        async with self._reading:
            return Reply(status=200, body=await asyncio.to_thread(self._look, operation, call))

    def _look(self, operation: Operation, call: Call) -> Answer:
        """One operation that reads, on one moment of the store."""
        with self._reader.snapshot():
            return operation.run(self._desk(self._reader, call), call)

    async def _act(self, token: Token, operation: Operation, request: Request, names: Names) -> Reply:
        """Do what is asked, whole or not at all: the audit line is on the disk before the store commits."""
        entry = Entry(
            time=self._clock.now(),
            who=token.name,
            action=operation.action,
            target="/".join(names.values()) or operation.path,
            outcome=DONE,
        )
        try:
            require(token, Role.OPERATOR)
            call = replace(_call(request, names, entry.time), body=_json_of(request))
            operation.check_query(call.query)
            body = await self._store.do(partial(self._do, entry, operation, call))
        except AuditFailed:
            raise
        except Refusal as flaw:
            self._audit.append(replace(entry, outcome=f"refused: {flaw.error}"))
            raise
        except StoreError as flaw:
            self._audit.append(replace(entry, outcome="failed: not stored"))
            raise StoreFailed(str(flaw), "nothing was done; look at the log of the server") from flaw
        return Reply(status=200, body=body)

    def _desk(self, reader: Reader, call: Call) -> Desk:
        return Desk(reader, self._environment, call.now, secrets.randbelow)

    def _do(self, entry: Entry, operation: Operation, call: Call, transaction: Transaction) -> Answer:
        """One action inside of the writer; what it raises leaves nothing in the store."""
        body = operation.run(self._desk(transaction, call), call)
        self._audit.append(replace(entry, target=_target(operation, call, body)))
        return body


def _target(operation: Operation, call: Call, body: Answer) -> str:
    """What an action was done to: the names in the path, then the name or mRID that the answer tells."""
    told = [body[key] for key in ("name", "mRID") if key in body]
    names = [*call.names.values(), *(str(name) for name in told[:1])]
    return "/".join(dict.fromkeys(names)) or operation.path


def _call(request: Request, names: Names, now: int) -> Call:
    query = dict(reversed(parse_qsl(request.query, keep_blank_values=True)))
    return Call(names=names, query=query, now=now)


def _json_of(request: Request) -> object:
    """The JSON body of a request, None where it has none."""
    if request.body is None:
        raise BadRequest("body: larger than the API reads", "allowed: 1 MiB")
    if not request.body:
        return None
    if request.content_type != "application/json":
        raise BadRequest(f"Content-Type: {request.content_type[:60]}", "allowed: application/json")
    try:
        return cast("object", json.loads(request.body))
    except (ValueError, RecursionError) as flaw:
        raise BadRequest(f"body: not JSON ({flaw})", "send one JSON object in UTF-8") from flaw
