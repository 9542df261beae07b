"""Notifications per CPU second of one worker, over kept TLS connections to several listeners.

Method: eight devices with a certificate each have 250 subscriptions to a list of ten DERControls. A change of
that list leads to 2,000 notifications; taken is the CPU time of all threads of the server's process from the
write of the change until the outbox is empty: matching, claims, rendering, TLS, HTTP, settlement, commits.
The listeners are in a process of their own. The median of five rounds is told. The promise is 2,000
notifications/s on one core; a bare aiohttp client that posts the same bytes over as many connections, and
does nothing else, is measured in the same run.
"""

from __future__ import annotations

import asyncio
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import uvloop

from bench.measure import Result
from certs import Pki, client_context
from schemas import Codec, DateTimeInterval, DERControl, DERControlBase, EventStatus, Subscription
from sep2_server import Sep2Server, Settings, Store, settings_of
from sep2_server.end_devices import Enrolment, add_end_device
from sep2_server.messages import Request
from sep2_server.operator import programs
from sep2_server.operator.desk import Desk
from sep2_server.operator.tree import insert_in

if TYPE_CHECKING:
    from sep2_server.rows import Row
    from sep2_server.transaction import Transaction

DEVICES = tuple(f"one-{n}" for n in range(8))
EACH = 250
CONTROLS = 10
ROUNDS = 5
LONGEST_S = 20
PROMISE = 2000.0
CONNECTIONS = 8


def measure() -> list[Result]:
    """CPU time of a notification."""
    with tempfile.TemporaryDirectory(prefix="lineside-bench-") as name:
        pki = Pki.create(Path(name) / "pki")
        pki.issue_server("server", hosts=["127.0.0.1"])
        for device in DEVICES:
            pki.issue_device(device)
        command = [sys.executable, "-m", "bench.listeners", str(pki.folder), *DEVICES]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listeners:
            try:
                ports = [
                    int(port) for port in (listeners.stdout.readline() if listeners.stdout else "").split()
                ]
                return uvloop.run(_measure(pki, ports))
            finally:
                listeners.terminate()


async def _measure(pki: Pki, ports: list[int]) -> list[Result]:
    store = Store(pki.folder.parent / "bench.db")
    try:
        async with Sep2Server(_settings(pki), store) as server:
            program = await store.do(lambda tx: _furnish(_desk(server, tx), pki))
            await _subscribe(server, pki, ports, f"{program.href}/derc")
            times = [await _round(server, program, CONTROLS + n) for n in range(ROUNDS + 1)][1:]
            read = Request(method="GET", path=f"{program.href}/derc", lfdi=_lfdi(pki), now=server.clock.now())
            body = (await server.answering.respond(read)).body
        bare = await _bare(pki, ports, body)
    finally:
        store.close()
    ours = statistics.median(times)
    return [
        Result(
            name=f"notifications/CPU s, list of {CONTROLS}",
            ours=1000 / ours,
            bar=PROMISE,
            unit="/s",
            at_least=True,
            note=f"aiohttp's client alone, posting the same bytes: {1000 / bare:,.0f}/s",
        )
    ]


async def _round(server: Sep2Server, program: Row, number: int) -> float:
    """CPU time of a notification while one change is told to all, ms."""
    sent = server.notifications.counters.as_numbers()["deliveries_delivered"]
    before = time.process_time()
    await server.store.do(
        lambda tx: insert_in(_desk(server, tx), program, "DERControlList", _control(number))
    )
    async with asyncio.timeout(LONGEST_S):
        await _delivered(server, sent + EACH * len(DEVICES))
    return (time.process_time() - before) * 1e3 / (EACH * len(DEVICES))


async def _delivered(server: Sep2Server, wanted: int) -> None:
    """Return once as many notifications were delivered."""
    ticks = asyncio.Event()
    loop = asyncio.get_running_loop()

    def look() -> None:
        if server.notifications.counters.as_numbers()["deliveries_delivered"] >= wanted:
            ticks.set()
        else:
            loop.call_later(0.01, look)

    look()
    await ticks.wait()


async def _bare(pki: Pki, ports: list[int], body: bytes) -> float:
    """CPU time of a POST of aiohttp's client, ms."""
    own = pki.credentials("server")
    context = client_context(own.certificate_path, own.key_path, own.root_path)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:

        async def post(port: int, times: int) -> None:
            for n in range(times):
                async with session.post(f"https://127.0.0.1:{port}/{n}", data=body) as answer:
                    await answer.read()

        async def all_of(times: int) -> None:
            await asyncio.gather(*(post(port, times) for port in ports for _ in range(CONNECTIONS)))

        await all_of(1)
        before = time.process_time()
        await all_of(EACH // CONNECTIONS)
        return (time.process_time() - before) * 1e3 / (EACH // CONNECTIONS * CONNECTIONS * len(ports))


async def _subscribe(server: Sep2Server, pki: Pki, ports: list[int], path: str) -> None:
    codec = Codec()
    for device, port in zip(DEVICES, ports, strict=True):
        lfdi = pki.credentials(device).lfdi
        client = server.store.reader.client(lfdi)
        href = f"/edev/{client.end_device_id if client else 0}/sub"
        wishes = [_wish(path, f"https://127.0.0.1:{port}/{n}") for n in range(EACH)]
        asked = [
            Request(
                method="POST",
                path=href,
                lfdi=lfdi,
                body=codec.encode(wish),
                content_type="application/sep+xml",
                now=server.clock.now(),
            )
            for wish in wishes
        ]
        answers = await asyncio.gather(*map(server.answering.respond, asked))
        if {answer.status for answer in answers} != {201}:
            raise RuntimeError(f"the subscriptions were answered {answers[0].status}")


def _wish(path: str, uri: str) -> Subscription:
    return Subscription(subscribedResource=path, encoding=0, level="+S1", limit=100, notificationURI=uri)


def _furnish(desk: Desk, pki: Pki) -> Row:
    """A group with all devices and a program with controls."""
    group = programs.add_group(desk, "feeder")
    program = programs.add_program(desk, group, primacy=5, description="feeder")
    for device in DEVICES:
        enrolment = Enrolment(lfdi=pki.credentials(device).lfdi, name=device)
        add_end_device(desk.transaction, desk.environment, enrolment, desk.now)
        programs.assign(desk, group, desk.client(device))
    for number in range(CONTROLS):
        insert_in(desk, program, "DERControlList", _control(number))
    return program


def _control(number: int) -> DERControl:
    now = int(time.time())
    return DERControl(
        mRID=f"{number:032X}",
        creationTime=now,
        EventStatus_=EventStatus(currentStatus=0, dateTime=now, potentiallySuperseded=False),
        interval=DateTimeInterval(start=now + 3600 + 60 * number, duration=60),
        DERControlBase_=DERControlBase(opModMaxLimW=5000),
    )


def _desk(server: Sep2Server, tx: Transaction) -> Desk:
    return Desk(tx, server.environment, server.clock.now(), secrets.randbelow)


def _lfdi(pki: Pki) -> str:
    return pki.credentials(DEVICES[0]).lfdi


def _settings(pki: Pki) -> Settings:
    own = pki.credentials("server")
    return settings_of(
        {
            "port": 0,
            "certificate": str(own.certificate_path),
            "key": str(own.key_path),
            "roots": str(own.root_path),
            "notification_hosts": "127.0.0.1",
            "notification_gap_ms": 0,
        }
    )
