"""A 2.0b VEN is killed with messages on their way; the next process goes on where it was."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from openadr_ven.memory import FileMemory
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.kept import kept_of
from openadr_ven.vtn.v2b import Reply, Vtn
from openadr_ven.vtn.v2b_http import VtnServer
from tests.unit.openadr_ven.v2b.conversations import EVENT, REQUEST

CHILD = Path(__file__).with_name("openadr_child.py")
ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Losing(Vtn):
    """A VTN that loses what concerns events, while it is told to."""

    is_losing: bool = False
    lost: int = 0

    def answer(self, service: str, body: bytes, now: float, peer: bytes | None = None) -> Reply:
        if self.is_losing and service == "EiEvent":
            self.lost += 1
            return Reply(status=503)
        return Vtn.answer(self, service, body, now, peer)


async def soon(fact: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not fact():  # noqa: ASYNC110 - another process makes them
            await asyncio.sleep(0.05)


async def started(port: int, kept: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, CHILD, str(port), kept, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )


async def killed(child: asyncio.subprocess.Process) -> None:
    child.send_signal(signal.SIGKILL)
    await child.wait()


async def test_registration_events_requests_and_owed_answers_survive_sigkill(tmp_path: Path) -> None:
    vtn, kept = Losing(poll_s=1), tmp_path / "ven.json"
    server = VtnServer(vtn, None)
    await server.start()
    first = await started(server.port, kept)
    try:
        await soon(lambda: vtn.of(m.Poll))
        event = replace(EVENT, targets=(), is_test=False, start=int(time.time()) + 600)
        request = replace(REQUEST, start=int(time.time()), granularity_s=60, back_s=60, duration_s=None)
        vtn.send(m.CreateReport(requestID="r1", requests=(request,)))
        vtn.publish(event)
        await soon(lambda: vtn.of(m.CreatedEvent))
        vtn.is_losing = True
        vtn.publish(replace(event, modification=event.modification + 1))
        await soon(lambda: vtn.lost)
    finally:
        await killed(first)
    before = kept_of(await FileMemory(kept).load())
    assert [type(one.message) for one in before.owed] == [m.CreatedEvent]
    vtn.is_losing = False

    second = await started(server.port, kept)
    try:
        await soon(lambda: len(vtn.of(m.CreatedEvent)) >= 2)
    finally:
        await killed(second)
        await server.stop()

    after = kept_of(await FileMemory(kept).load())
    assert after.registration == before.registration
    assert [one.request for one in after.running] == [one.request for one in before.running] != []
    assert after.state.records.keys() == before.state.records.keys() == {event.eventID}
    assert len(vtn.vens) == 1
