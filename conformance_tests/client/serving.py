"""The scripted server on the network: HTTPS with client certificates, requests kept, faults on command."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final

from certs import Door, PeerIdentity, ServerTls, TlsContext, judged_peer
from certs.ending import cut
from conformance_tests.client.faults import Fault, Faults, Moment, refused, spoiled
from conformance_tests.client.http import Answer, BadRequestError, Request, read_request, written
from conformance_tests.client.seen import Record, Seen
from conformance_tests.evidence import Exchange, TlsFacts, kept
from schemas import Malformed, Resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance_tests.client.clock import StageClock
    from conformance_tests.client.dispatch import Dispatch
    from conformance_tests.judge import Judge

log = logging.getLogger(__name__)

CLOSE_S: Final = 1.0


class Serving:
    """Plays a dispatch to whoever comes with a certificate that its roots vouch for.

    `judge` tells what the schema has against a body, apart from our codec. `runner_s` is the runner's clock
    (s since 1970), by which exchanges are kept. What comes is in `record`; `faults` are those in force.
    """

    def __init__(
        self,
        tls: ServerTls,
        clock: StageClock,
        dispatch: Dispatch,
        *,
        judge: Judge,
        runner_s: Callable[[], float],
    ) -> None:
        self.dispatch = dispatch
        self.clock = clock
        self.record = Record(clock)
        self.faults = Faults()
        self._tls = tls
        self._judge = judge
        self._runner_s = runner_s
        self._told: Callable[[Seen], None] | None = None
        self._doors: dict[int, Door] = {}
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def play(self, dispatch: Dispatch, told: Callable[[Seen], None]) -> None:
        """Play another dispatch from now on, with an empty record and no faults; `told` hears of requests."""
        self.dispatch = dispatch
        self.record = Record(self.clock)
        self.faults = Faults()
        self._told = told

    def listen(self, host: str, port: int = 0) -> int:
        """Listen at a port more (0: any); its number. OSError where it cannot be had."""
        return self._open_door(host, port, self._tls.context)

    async def present(self, host: str, port: int, context: TlsContext | None) -> None:
        """Present another chain at a port from now on, or other suites; None: our own again."""
        await self.close(port)
        self._open_door(host, port, context or self._tls.context)

    def _open_door(self, host: str, port: int, context: TlsContext) -> int:
        door = Door.at(host, port, self._protocol, context, self._refused)
        self._doors[door.port] = door
        return door.port

    def _refused(self, why: str) -> None:
        self.record.handshakes.append(f"handshake ended: {why}")
        self.record.tell()

    async def close(self, port: int | None = None) -> None:
        """Stop listening at a port, or at all, and drop every connection, as a server that stops does."""
        for number in [port] if port is not None else list(self._doors):
            await self._doors.pop(number).close()
        for writer in list(self._open):
            cut(writer.transport)
        if port is None and self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_S)
            for task in self._tasks:
                task.cancel()

    async def restart(self, host: str, port: int, for_s: float) -> None:
        """Be gone for a time of the stage, s, as in a power cycle; what the stage holds stays."""
        await self.close(port)
        await asyncio.sleep(self.clock.real_s(for_s))
        self.listen(host, port)

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(), self._connected)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, BadRequestError) as why:
            self.record.handshakes.append(f"connection ended: {why}")
            log.info("Connection ended: %s", why)
        finally:
            self._open.discard(writer)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer, facts = self._peer(writer)
        request = await read_request(reader, writer)
        if request is None:
            self._refused("the connection was closed without a request")
        while request is not None and await self._take(writer, request, peer, facts):
            request = await read_request(reader, writer)

    def _peer(self, writer: asyncio.StreamWriter) -> tuple[PeerIdentity | None, TlsFacts]:
        session: Any = writer.get_extra_info("ssl_object")
        identity, flaw = judged_peer(session, self._tls.issuers)
        chain = () if identity is None else tuple(one.subject.rfc4514_string() for one in identity.chain)
        cipher = session.cipher() or ("",)
        facts = TlsFacts(version=session.version() or "", suite=cipher[0], chain=chain)
        if flaw is not None:
            self.record.handshakes.append(f"certificate refused: {flaw.text}")
            return None, replace(facts, alert=flaw.text)
        return identity, facts

    async def _take(
        self, writer: asyncio.StreamWriter, request: Request, peer: PeerIdentity | None, facts: TlsFacts
    ) -> bool:
        """One request: judged, answered, kept. False where the connection is to end."""
        begun_s, at_s, elapsed_s = self._runner_s(), self.clock.time_s(), self.clock.elapsed_s()
        route = self.dispatch.route(request.path)
        port = int(writer.get_extra_info("sockname")[1])
        fault = self.faults.meeting(request, route, port, elapsed_s) or Fault()
        lfdi = "" if peer is None else str(peer.lfdi)
        body, flaws = self._judged(request)
        if fault.delay_s:
            await asyncio.sleep(self.clock.real_s(fault.delay_s))
        answer = None if fault.drop is Moment.BEFORE_TAKEN else self._answer(request, lfdi, fault)
        is_left = await self._send(writer, request, answer, fault.drop)
        shown = None if fault.drop is Moment.BEFORE_ANSWER else answer
        seen = Seen(
            number=len(self.record.requests),
            at_s=at_s,
            elapsed_s=elapsed_s,
            lfdi=lfdi,
            method=request.method,
            path=request.path,
            query=request.query,
            route=route,
            port=port,
            resource=body,
            flaws=flaws,
            exchange=self._exchange(request, shown, lfdi or "a stranger", (begun_s, fault.drop, facts)),
        )
        self.record.add(seen)
        if self._told is not None:
            self._told(seen)
        return is_left and request.header("connection").lower() != "close"

    def _exchange(
        self, request: Request, answer: Answer | None, by: str, how: tuple[float, Moment | None, TlsFacts]
    ) -> Exchange:
        begun_s, drop, facts = how
        given = answer or Answer(status=0)
        return Exchange(
            at_s=begun_s,
            by=by,
            method=request.method,
            uri=request.target,
            request_headers=request.headers,
            request_body=kept(request.body),
            status=None if answer is None else given.status,
            headers=tuple(given.headers.items()),
            body=self.record.shared(request.target, kept(given.body)),
            octets=len(given.body),
            took_s=self._runner_s() - begun_s,
            error="" if drop is None else f"dropped by the runner {drop}",
            tls=facts,
        )

    def _answer(self, request: Request, lfdi: str, fault: Fault) -> Answer:
        answer = refused(fault, request) or self.dispatch.answer(request, lfdi)
        return answer if fault.wrong is None else spoiled(answer, fault.wrong)

    def _judged(self, request: Request) -> tuple[Resource | None, tuple[str, ...]]:
        """The resource in a body as far as it can be read, and what breaks the schema in it."""
        if not request.body:
            return None, ()
        judgement = self._judge.judge(request.body, request.header("content-type"))
        flaws = tuple(str(one) for one in judgement.broken)
        try:
            found = self.dispatch.codec.decode_any(request.body)
        except Malformed as why:
            return None, flaws or (str(why),)
        return (found if isinstance(found, Resource) else None), flaws

    async def _send(
        self, writer: asyncio.StreamWriter, request: Request, answer: Answer | None, drop: Moment | None
    ) -> bool:
        """Write an answer, or as much of it as a fault leaves. False where the connection was dropped."""
        if answer is None or drop is Moment.BEFORE_ANSWER:
            cut(writer.transport)
            return False
        octets = written(
            answer, formatdate(self.clock.time_s(), usegmt=True), is_head=request.method == "HEAD"
        )
        if drop is Moment.WITHIN_ANSWER:
            octets = octets[: len(octets) * 2 // 3]
        try:
            writer.write(octets)
            await writer.drain()
        except ConnectionError:
            return False
        if drop is Moment.WITHIN_ANSWER:
            cut(writer.transport)
        return drop is None
