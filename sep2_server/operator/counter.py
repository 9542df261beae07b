"""Where requests are answered: who calls, which operation, the audit line, the answer. No HTTP types.

Operations that read run in a thread with a reader of its own, so that devices do not wait for them.
"""

import asyncio
import logging
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

from function_sets import Clock
from sep2_server.environment import Environment
from sep2_server.errors import LimitReached, StoreError, UndecidedError
from sep2_server.event_times import repair_due
from sep2_server.files.contents import Content
from sep2_server.files.stored import contents_of
from sep2_server.operator.acted_on import target_of
from sep2_server.operator.attempts import Attempts
from sep2_server.operator.audit import DONE, NOT_DONE, AuditLog, Entry
from sep2_server.operator.auth import Token, caller, require
from sep2_server.operator.body import body_of, digest_of, require_fit
from sep2_server.operator.console import BEGUN
from sep2_server.operator.desk import Desk, Office
from sep2_server.operator.errors import (
    AuditFailed,
    BadRequest,
    Refusal,
    ServerFailed,
    StoreFailed,
    StoreUndecided,
    TooManyAttempts,
    Unauthorized,
    WrongMethod,
)
from sep2_server.operator.keys import HEADER
from sep2_server.operator.openapi import OPENAPI_PARTS, document
from sep2_server.operator.operations import OPERATIONS
from sep2_server.operator.repeats import Repeatable, fingerprint_of, key_of
from sep2_server.operator.router import READ, Answer, Call, Operation, find
from sep2_server.operator.token_files import note_use, read_tokens, read_uses
from sep2_server.reader import Reader
from sep2_server.store import Store
from sep2_server.transaction import Transaction

USE_STEP_S: Final = 60
"""How exactly the last use of a token is known, s."""
REPEATED: Final = "repeated"
TRIED: Final = "tried"
"""Outcome of a trial: nothing was done."""
TRIAL: Final = "dry_run"
"""Parameter of the query that asks for one."""
DONE_ALL_THE_SAME: Final = (
    "it was done, and the log says that it began; see: lineside op token list; "
    "revoke a token whose secret you have not got"
)
Names = Mapping[str, str]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came; `body` is None where it was larger than the API reads."""

    method: str
    parts: tuple[str, ...]
    query: str = ""
    address: str = ""
    authorization: str | None = None
    content_type: str = "application/json"
    body: bytes | None = b""
    keys: tuple[str, ...] = ()
    """Idempotency-Keys as they came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer; `allow` are the methods to name with a 405, `retry_s` is how long to wait after a 429.

    `is_replayed`: it was given before, and nothing was done now.
    """

    status: int
    body: Answer
    allow: tuple[str, ...] = ()
    retry_s: int = 0
    is_replayed: bool = False


class Counter:
    """Answers operators from the store; what they do is in the audit log before it is in the store."""

    def __init__(
        self,
        store: Store,
        environment: Environment,
        *,
        folder: Path,
        audit: AuditLog,
        clock: Clock,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._environment = environment
        self._folder = folder
        self._audit = audit
        self._clock = clock
        self._reader = store.new_reader()
        self._reading = asyncio.Lock()
        self._beside = threading.Lock()
        self._elapsed = elapsed
        self._attempts = Attempts()
        self._uses = read_uses(folder)

    def knows(self, authorization: str | None) -> bool:
        """Whether a caller shows a token of any role."""
        try:
            caller(self._tokens(), authorization, self._clock.now())
        except Unauthorized:
            return False
        return True

    async def reply(self, request: Request) -> Reply:
        """The answer to a request, a refusal among them; nothing that an operator sends raises."""
        try:
            if request.method == READ and request.parts == OPENAPI_PARTS:
                return Reply(status=200, body=document(OPERATIONS))
            return await self._answered(self._caller(request), request)
        except Refusal as flaw:
            return refused(flaw)

    async def keep(self, request: Request, octets: AsyncIterator[bytes]) -> Reply:
        """Keep octets that an operator sends, for a file to refer to; no refusal raises."""
        try:
            token = self._caller(request)
            operation, names = find(OPERATIONS, request.method, request.parts)
            entry = self._entry(token.name, operation.action, request, DONE)
            with self._told_of(entry, operation):
                call = _call(request, names, entry.time)
                require(token, operation.least)
                operation.check_query(call.query)
                content = await self._taken(octets)
                await self._store.do(methodcaller("let_go", content.digest))  # no file has them yet
            self._audit.append(replace(entry, target=content.digest))
            call = replace(call, body=content)
            return Reply(status=200, body=operation.run(self._desk(self._reader, token, call), call))
        except Refusal as flaw:
            return refused(flaw)

    async def _taken(self, octets: AsyncIterator[bytes]) -> Content:
        most = self._environment.settings.most_file_octets
        try:
            return await contents_of(self._environment).take(octets, most)
        except LimitReached as flaw:
            raise BadRequest(f"body: {flaw}", "raise the setting most_file_octets") from flaw

    async def _answered(self, token: Token, request: Request) -> Reply:
        """What an operation gives. Refusal, StoreFailed where the database is gone among them."""
        operation, names = find(OPERATIONS, request.method, request.parts)
        try:
            await self._repair()
            if operation.is_read:
                return await self._read(token, operation, _call(request, names, self._clock.now()))
        except StoreError as flaw:
            raise StoreFailed(str(flaw), "try again; look at the log of the server") from flaw
        return await self._act(token, operation, request, names)

    def _caller(self, request: Request) -> Token:
        """Who calls. Unauthorized, or TooManyAttempts for an address that has failed too often.

        A right token is let in whoever has failed before: others may come from the same address.
        """
        try:
            token = caller(self._tokens(), request.authorization, self._clock.now())
        except Unauthorized as flaw:
            if wait_s := self._attempts.wait_s(request.address, self._elapsed()):
                raise TooManyAttempts(wait_s) from flaw
            log.warning("Operator API refused a caller at %s: %s", request.address or "?", flaw.detail)
            if self._attempts.failed(request.address, self._elapsed()):
                self._audit.append(self._entry("", "show token", request, f"refused: {flaw.error}"))
            raise
        self._note_use(token)
        return token

    def _tokens(self) -> tuple[Token, ...]:
        """The tokens that are known. ServerFailed where their file cannot be read."""
        try:
            return read_tokens(self._folder)
        except OSError as flaw:
            log.log(logging.ERROR, "No operator is let in: %s", flaw)
            raise ServerFailed from flaw

    def _note_use(self, token: Token) -> None:
        """Write when a token was used, once a minute at most; where the disk is full, it is not known."""
        now = self._clock.now()
        if not 0 <= now - self._uses.get(token.name, -USE_STEP_S) < USE_STEP_S:
            self._uses[token.name] = now
            try:
                note_use(self._folder, token.name, now)
            except OSError as flaw:
                log.warning("The use of token %r is not written down: %s", token.name, flaw)

    async def _repair(self) -> None:
        """Write what time has changed, so that every status is right at this second."""
        now = self._clock.now()
        while (due := await self._store.ask(Reader.next_due)) is not None and due <= now:
            await self._store.do(partial(repair_due, environment=self._environment, now=now))

    async def _read(self, token: Token, operation: Operation, call: Call) -> Reply:
        require(token, operation.least)
        operation.check_query(call.query)
        async with self._reading:
            return Reply(status=200, body=await asyncio.to_thread(self._look, token, operation, call))

    def _look(self, token: Token, operation: Operation, call: Call) -> Answer:
        """One operation that reads, on one moment of the store."""
        with self._reader.snapshot():
            return operation.run(self._desk(self._reader, token, call), call)

    async def _act(self, token: Token, operation: Operation, request: Request, names: Names) -> Reply:
        """Do what is asked, whole or not at all: the audit line is on the disk before the store commits."""
        entry = self._entry(token.name, operation.action, request, DONE)
        entry = replace(entry, target=target_of(operation, Call(names=names, now=entry.time)))
        with self._told_of(entry, operation):
            call = _call(request, names, entry.time)
        entry = replace(entry, target=target_of(operation, call))
        with self._told_of(entry, operation):
            require(token, operation.least)
            call = replace(call, body=body_of(request.body, request.content_type))
        entry = replace(entry, body=digest_of(call.body), target=target_of(operation, call))
        with self._told_of(entry, operation):
            operation.check_query(call.query)
            if operation.is_beside_store:
                return await asyncio.to_thread(self._do_beside, entry, token, operation, call)
            asked = _repeatable(token, operation, request, call)
            return await self._store.do(partial(self._do, entry, token, operation, call, asked))

    @contextmanager
    def _told_of(self, entry: Entry, operation: Operation) -> Iterator[None]:
        """What is refused or fails inside is an audit line."""
        try:
            yield
        except AuditFailed:
            raise
        except Refusal as flaw:
            self._audit.append(replace(entry, outcome=f"refused: {flaw.error}"))
            raise
        except UndecidedError as flaw:
            self._audit.append(replace(entry, outcome="failed: may be stored"))
            raise StoreUndecided(str(flaw), f"ask again with the same {HEADER}: it is done once") from flaw
        except StoreError as flaw:
            self._audit.append(replace(entry, outcome=NOT_DONE))
            raise StoreFailed(str(flaw), "nothing was done; look at the log of the server") from flaw
        except Exception as flaw:
            log.exception("%s failed", operation.action)
            self._audit.append(replace(entry, outcome="failed: error of the server"))
            raise ServerFailed from flaw

    def _entry(self, who: str, action: str, request: Request, outcome: str) -> Entry:
        return Entry(
            time=self._clock.now(),
            who=who,
            action=action,
            target=f"{request.method[:20]} /{'/'.join(request.parts)[:120]}",
            outcome=outcome,
            address=request.address,
        )

    def _desk(self, reader: Reader, token: Token, call: Call) -> Desk:
        office = Office(
            folder=self._folder,
            audit=self._audit.path,
            who=token.name,
            role=token.role,
            random_bits=secrets.randbits,
        )
        return Desk(reader, self._environment, call.now, secrets.randbelow, office)

    def _do_beside(self, entry: Entry, token: Token, operation: Operation, call: Call) -> Reply:
        """One action on files, which no rollback undoes: one line tells that it begins, one how it ends."""
        with self._beside:
            self._audit.append(replace(entry, outcome=BEGUN))
            body = operation.run(self._desk(self._reader, token, call), call)
            try:
                self._audit.append(entry, is_over=True)
            except AuditFailed as flaw:
                raise AuditFailed(flaw.detail, DONE_ALL_THE_SAME) from flaw
        return Reply(status=200, body=body)

    def _do(
        self,
        entry: Entry,
        token: Token,
        operation: Operation,
        call: Call,
        asked: Repeatable | None,
        tx: Transaction,
    ) -> Reply:
        """One action inside of the writer; what it raises leaves nothing in the store.

        What was asked with its key before is answered as then. The writer does one after the other, so that
        of several with one key the first is done and the others hear of it.
        """
        known = None if asked is None else asked.answer(tx)
        body = operation.run(self._desk(tx, token, call), call) if known is None else known
        if asked is not None and known is None:
            asked.keep(tx, body, entry.time)
        outcome = REPEATED if known is not None else TRIED if call.flag(TRIAL) else DONE
        self._audit.append(replace(entry, target=target_of(operation, call, body), outcome=outcome))
        return Reply(status=200, body=body, is_replayed=known is not None)


def refused(flaw: Refusal) -> Reply:
    """The answer that a refusal is."""
    return Reply(
        status=flaw.status,
        body={**flaw.body()},
        allow=flaw.allowed if isinstance(flaw, WrongMethod) else (),
        retry_s=flaw.retry_s if isinstance(flaw, TooManyAttempts) else 0,
    )


def _repeatable(token: Token, operation: Operation, request: Request, call: Call) -> Repeatable | None:
    """A request with a key whose answer is kept; that of a trial is not. BadRequest for what is no key."""
    key = key_of(request.keys) if operation.takes_key else None
    if key is None or call.flag(TRIAL):
        return None
    fingerprint = fingerprint_of(request.method, request.parts, call.query, call.body)
    who = f"{token.name} {token.sha256[:16]}"  # one that is made anew with the name is somebody else's
    return Repeatable(who=who, key=key, fingerprint=fingerprint)


def _call(request: Request, names: Names, now: int) -> Call:
    """The call that a request is. BadRequest for a character in its path or query that is in no text."""
    query = dict(reversed(parse_qsl(request.query, keep_blank_values=True)))
    require_fit(names.values(), "path")
    require_fit(query.values(), "query")
    return Call(names=names, query=query, now=now)
