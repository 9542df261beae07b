"""The site of `bench.openadr_latency`: a VTN in a thread, a VEN and a server as processes, and a fleet.

Ten devices of the fleet have certificates, and are looked through; two hundred more have a group each and a
control for tomorrow, so that neither VEN nor server begin with nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
import threading
import time
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bench.stand import running
from certs import Pki, openadr_server_context
from openadr_ven.events import Event, Interval, Profile, Signal, Target, Unit
from openadr_ven.v2b import ReplayGuard, Signer, Verifier
from openadr_ven.v2b import messages as m
from openadr_ven.vtn.v2b import Vtn
from openadr_ven.vtn.v2b_http import VtnServer
from schemas import Codec, DERControl, DERControlList, DERProgramList, FunctionSetAssignmentsList
from sep2_server import Store
from sep2_server.end_devices import Enrolment, add_end_device
from sep2_server.environment import Environment
from sep2_server.operator import OperatorClient, programs
from sep2_server.operator.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bench.stand import Running, Stand
    from bench.wire import Wire
    from sep2_server.transaction import Transaction

WATCHED: Final = tuple(f"watched-{n}" for n in range(10))
FLEET: Final = tuple(f"fleet-{n}" for n in range(200))
CONTEXT: Final = "http://lineside.example/bench"
READY_S: Final = 120.0
HOUR: Final = 3_600
SETTINGS: Final = """\
name = "bench"
[vtn]
url = "https://127.0.0.1:{port}"
certificate = "{certificate}"
key = "{key}"
roots = "{roots}"
is_signed = true
poll_s = 0.2
[server]
url = "{server}"
token_file = "{token}"
[[programmes]]
market_context = "{context}"
name = "bench"
"""
DEVICE: Final = """\
[[devices]]
resource = "{name}"
name = "{name}"
group = "{name}"
kind = "storage"
max_w = 5000
max_charge_w = 5000
max_discharge_w = 5000
"""
T = TypeVar("T")
CODEC: Final = Codec()


class TimedVtn(Vtn):
    """A VTN that notes when it answered a poll with events: before the answer is signed and sent."""

    answered_s: float = 0.0

    def polled(self, message: m.Poll) -> m.Message:
        """The next message of a VEN's queue."""
        answer = super().polled(message)
        if isinstance(answer, m.DistributeEvent):
            self.answered_s = time.perf_counter()
        return answer


@dataclass(slots=True)
class VtnThread:
    """A VTN that serves in a thread of its own."""

    vtn: TimedVtn
    loop: asyncio.AbstractEventLoop
    port: int

    def do(self, work: Callable[[], T]) -> T:
        """Do something with the VTN between two requests."""

        async def done() -> T:
            return work()

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result(READY_S)


@dataclass(slots=True)
class Watcher:
    """A device that looks for its controls, over mutual TLS and by the links."""

    name: str
    wire: Wire
    sets: str
    """Its FunctionSetAssignmentsList."""
    listed: str | None = None

    def controls(self, event: str) -> list[DERControl]:
        """The controls of an event that it finds in its DERControlList."""
        self.listed = self.listed or self._walked()
        if self.listed is None:
            return []
        body = self.wire.get(f"{self.listed}?l=255")
        if event.encode() not in body:
            return []
        held = CODEC.decode(body, DERControlList).DERControl_
        return [one for one in held if one.description == event]

    def _walked(self) -> str | None:
        """Where its controls are; before the first event of its group there is no program that has any."""
        sets = CODEC.decode(self.wire.get(self.sets), FunctionSetAssignmentsList).FunctionSetAssignments_
        for link in (one.DERProgramListLink_ for one in sets):
            if link is None:
                continue
            found = CODEC.decode(self.wire.get(link.href), DERProgramList).DERProgram_
            lists = [one.DERControlListLink_.href for one in found if one.DERControlListLink_ is not None]
            if lists:
                return lists[0]
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """All of it, running."""

    vtn: VtnThread
    server: Running
    ven_pid: int
    watchers: dict[str, Watcher]


@contextlib.contextmanager
def site(stand: Stand) -> Iterator[Site]:
    """A site whose VEN is registered and whose fleet has its controls for tomorrow."""
    _furnish(stand)
    with contextlib.ExitStack() as stack:
        pki = Pki.create(stand.folder / "openadr", depth=2)
        vtn = stack.enter_context(_vtn(pki))
        server = stack.enter_context(stand.server())
        config = _write_settings(stand, pki, vtn.port)
        command = [sys.executable, "-m", "lineside", "ven", "run", "--config", str(config)]
        ven = stack.enter_context(running(command))
        _until(lambda: bool(vtn.vtn.vens), "the VEN did not register")
        begins = int(time.time()) + 20 * HOUR
        groups = [FLEET[at : at + 10] for at in range(0, len(FLEET), 10)]
        standing = [event_of(f"tomorrow-{n}", group, -20_000, begins) for n, group in enumerate(groups)]
        vtn.do(partial(vtn.vtn.publish, *standing))
        _until(lambda: _tomorrow(stand) == len(FLEET), "the fleet did not get its controls")
        watchers = {name: _watcher(stand, server.port, name) for name in WATCHED}
        yield Site(vtn=vtn, server=server, ven_pid=ven.pid, watchers=watchers)


def event_of(name: str, resources: Sequence[str], watts: int, start: int) -> Event:
    """Half an hour of LOAD_DISPATCH for some resources."""
    signal = Signal(
        signalID="dispatch",
        signalName="LOAD_DISPATCH",
        signalType="setpoint",
        unit=Unit.W,
        intervals=(Interval(uid=0, duration_s=HOUR // 2, values=(Decimal(watts),)),),
    )
    return Event(
        profile=Profile.V20B,
        eventID=name,
        modification=0,
        start=start,
        duration_s=HOUR // 2,
        signals=(signal,),
        marketContext=CONTEXT,
        is_response_required=True,
        notification_s=0,
        targets=tuple(Target(kind="resourceID", value=one) for one in resources),
    )


def _furnish(stand: Stand) -> None:
    """The watched devices, and a group for each device."""
    store = Store(stand.settings.database)
    now = int(time.time())
    environment = Environment.of(stand.settings, None, now)

    def furnish(tx: Transaction) -> None:
        desk = Desk(tx, environment, now, secrets.randbelow)
        for name in WATCHED:
            enrolment = Enrolment(lfdi=stand.pki.issue_device(name).lfdi, name=name, pin=111_115)
            add_end_device(tx, environment, enrolment, now)
        for name in (*WATCHED, *FLEET):
            programs.assign(desk, programs.add_group(desk, name), desk.client(name))

    try:
        store.write(furnish)
    finally:
        store.close()


@contextlib.contextmanager
def _vtn(pki: Pki) -> Iterator[VtnThread]:
    own = pki.issue_server("vtn", hosts=["127.0.0.1"])
    pki.issue_aggregator("ven", hosts=["localhost"])
    signer = Signer.of_files(own.certificate_path, own.key_path)
    vtn = TimedVtn(poll_s=None, signer=signer, verifier=Verifier(ReplayGuard()))
    server = VtnServer(vtn, openadr_server_context([(own.certificate_path, own.key_path)], own.root_path))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="vtn")
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(READY_S)
        yield VtnThread(vtn, loop, server.port)
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(READY_S)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _write_settings(stand: Stand, pki: Pki, port: int) -> Path:
    own, operator = pki.credentials("ven"), stand.folder / "server" / "operator"
    folder = stand.folder / "ven"
    folder.mkdir()
    text = SETTINGS.format(
        port=port,
        certificate=own.certificate_path,
        key=own.key_path,
        roots=own.root_path,
        server=(operator / "operator.url").read_text().strip(),
        token=operator / "operator.token",
        context=CONTEXT,
    )
    config = folder / "ven.toml"
    config.write_text(text + "".join(DEVICE.format(name=name) for name in (*WATCHED, *FLEET)))
    return config


def _tomorrow(stand: Stand) -> int:
    """How many controls of tomorrow the server has."""
    folder = stand.folder / "server" / "operator"
    api = OperatorClient(
        url=(folder / "operator.url").read_text().strip(),
        secret=(folder / "operator.token").read_text().strip(),
    )
    told: Any = api.call("GET", ("controls",), query={"limit": "1000"})
    return sum(str(one.get("description")).startswith("tomorrow-") for one in told["controls"])


def _watcher(stand: Stand, port: int, name: str) -> Watcher:
    """A device that is connected, and knows its EndDevice."""
    wire = stand.wire(port, name)
    lfdi = stand.pki.credentials(name).lfdi
    store = Store(stand.settings.database)
    try:
        client = store.reader.client(lfdi)
    finally:
        store.close()
    return Watcher(name, wire, f"/edev/{client.end_device_id if client else 0}/fsa?l=10")


def _until(fact: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + READY_S
    while not fact():
        if time.monotonic() > until:
            raise TimeoutError(what)
        time.sleep(0.1)
