"""A case of this test with the bench of a real target, and servers that are none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from certs import Credentials, Pki, client_context, server_context
from conformance_tests import AnyCase, Case, Role, Trial
from conformance_tests.server.answer import Bounds
from conformance_tests.server.target import Bench, ServerTarget
from conformance_tests.server.wire import Wire
from tests.integration.sep2_harness import Bench as Running

Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def case_of(procedure: Callable[[Bench], Awaitable[None]], **given: object) -> AnyCase:
    """A case that plays a procedure of a test."""
    values: dict[str, object] = {
        "id": "made/ONE/server",
        "title": "one",
        "source": "this test",
        "clause": "1",
        "requirement": "something holds",
        "role": Role.SERVER,
        "procedure": procedure,
        **given,
    }
    return Case(**values)  # type: ignore[arg-type]  # the values are those of a case


async def looks_at_nothing(bench: Bench) -> None:
    """A procedure for a bench that a test takes in hand itself."""
    raise AssertionError(bench)


def trial_of() -> Trial:
    """A notebook of a case."""
    return Trial(case_of(looks_at_nothing), lambda: 7.0)


@asynccontextmanager
async def target_of(running: Running, device: str, **given: object) -> AsyncIterator[ServerTarget]:
    """Our own server as a target, by address and certificates alone."""
    values: dict[str, object] = {
        "dcap": f"https://127.0.0.1:{running.server.port}/dcap",
        "device": running.credentials(device),
        **given,
    }
    target = ServerTarget(**values)  # type: ignore[arg-type]  # the values are those of a target
    try:
        yield target
    finally:
        await target.close()


@dataclass
class Stranger:
    """Something that listens and is no server; what it does with a connection is `answering`."""

    answering: Answering
    port: int = 0
    connections: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    tasks: set[asyncio.Task[object]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        self.connections += 1
        self.open.add(writer)
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            await self.answering(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            self.open.discard(writer)
            writer.transport.abort()


@asynccontextmanager
async def stranger(pki: Pki, answering: Answering) -> AsyncIterator[Stranger]:
    """A listener with a server's certificate of this PKI."""
    if not (pki.folder / "server").is_dir():
        pki.issue_server("server", hosts=["127.0.0.1", "localhost"])
    own = pki.credentials("server")
    context = server_context(own.certificate_path, own.key_path, own.root_path)
    held = Stranger(answering)
    server = await asyncio.start_server(held.serve, "127.0.0.1", 0, ssl=context)
    held.port = server.sockets[0].getsockname()[1]
    try:
        yield held
    finally:
        server.close()
        for writer in list(held.open):
            writer.transport.abort()
        if held.tasks:
            await asyncio.wait(held.tasks, timeout=10)


@asynccontextmanager
async def wire_of(credentials: Credentials, **bounds: float) -> AsyncIterator[Wire]:
    """A wire with tight bounds."""
    tight: dict[str, float] = {"connect_s": 2.0, "answer_s": 0.5, **bounds}
    context = client_context(credentials.certificate_path, credentials.key_path, credentials.root_path)
    wire = Wire(by="device", context=context, now=lambda: 7.0, bounds=Bounds(**tight))  # type: ignore[arg-type]  # octets are whole numbers
    try:
        yield wire
    finally:
        await wire.close()


def device_of(pki: Pki, name: str = "wire-1") -> Credentials:
    """A device's credentials, made where there are none."""
    return pki.credentials(name) if (Path(pki.folder) / name).is_dir() else pki.issue_device(name)
