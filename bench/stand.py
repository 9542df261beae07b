"""The stand that servers are measured on: certificates, a filled store, the server in its own process."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bench.filling import fill
from bench.wire import Wire
from certs import Pki, client_context
from schemas import DER, DateTimeInterval, DERControl, DERControlBase, EventStatus
from sep2_server import Settings, Store, SystemClock, settings_of
from sep2_server.bootstrap import prepare, response_list_href
from sep2_server.end_devices import Enrolment, add_end_device
from sep2_server.environment import Environment
from sep2_server.operator import programs
from sep2_server.operator.desk import Desk
from sep2_server.operator.tree import insert_in
from sep2_server.rows import Role, Row
from tests.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from certs import Credentials

CONTROLS: Final = 100
MANAGED: Final = 1000
"""EndDevices of the aggregator: 10 pages of 100."""
READY_S: Final = 60.0
DEVICE, AGGREGATOR = "bench-device", "bench-aggregator"
DEVICES: Final = 1000
FEW_DEVICES: Final = 50

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where things are: the folder of the server, its certificates, and the URIs that are asked for."""

    folder: Path
    pki: Pki
    settings: Settings
    paths: dict[str, str]
    database_pid: int | None = None
    """The database server, where it is a process of its own."""

    @property
    def lfdi(self) -> str:
        """LFDI of the device."""
        return self.pki.credentials(DEVICE).lfdi

    @property
    def database_kind(self) -> str:
        """SQLite or PostgreSQL."""
        return "PostgreSQL" if str(self.settings.database).startswith("postgres") else "SQLite"

    def database_cpu_s(self) -> float:
        """CPU that the processes of the database have used, s; 0 where it is a file."""
        return 0.0 if self.database_pid is None else Running(self.database_pid, 0).cpu_s()

    def wire(self, port: int, name: str = DEVICE) -> Wire:
        """A client with one of the certificates."""
        return Wire(port, client_context(*files_of(self.pki.credentials(name))))

    @contextlib.contextmanager
    def server(self, *, workers: int = 1, remembers: bool = True) -> Iterator[Running]:
        """The server, running; one that does not remember makes every answer anew from what is stored."""
        config = self.folder / "server"
        if not remembers:
            config = self.folder / "forgetful"
            config.mkdir(exist_ok=True)
            written = (self.folder / "server" / "server.toml").read_text()
            (config / "server.toml").write_text("cached_octets = 0\n" + written)
        command = [sys.executable, "-m", "lineside", "server", "run"]
        command += ["--config", str(config), "--workers", str(workers)]
        with running(command) as process:
            yield Running(process.pid, self._wait(process))

    @contextlib.contextmanager
    def floor(self, answers: list[dict[str, Any]], *, processes: int = 1) -> Iterator[Running]:
        """Bare handlers that give these answers under the same TLS, running on one port."""
        listed = self.folder / "answers.json"
        listed.write_text(json.dumps(answers))
        command = [sys.executable, "-m", "bench.floor", str(self.pki.folder), str(listed)]
        port = 0
        with contextlib.ExitStack() as stack:
            started = []
            for _ in range(processes):
                started.append(stack.enter_context(running([*command, str(port)])))
                port = int(_line(started[-1]))
            yield Running(started[0].pid, port, tuple(process.pid for process in started[1:]))

    def _wait(self, process: subprocess.Popen[str]) -> int:
        """The port, once the server answers there."""
        line = _line(process)
        port = int(line.rpartition("/dcap")[0].rpartition(":")[2])
        with contextlib.closing(self.wire(port)) as wire:
            wire.get("/dcap")
        return port


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs: its process and port."""

    pid: int
    port: int
    beside: tuple[int, ...] = ()
    """Other processes on the same port that are no children of it."""

    def cpu_s(self) -> float:
        """CPU that the processes and their children have used, s (Linux)."""
        return sum(self.cpu_of(pid) for pid in self.pids())

    def pids(self) -> list[int]:
        """The processes and all below them."""
        return [one for pid in (self.pid, *self.beside) for one in family(pid)]

    def cpu_of(self, pid: int) -> float:
        """CPU that all threads of one process have used, s."""
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text().split():
                found += family(int(child))
    return found


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the block."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


@contextlib.contextmanager
def postgres_stand(folder: Path) -> Iterator[Stand]:
    """A stand on a durable PostgreSQL of its own, with few devices."""
    with Postgres.running(is_durable=True) as postgres:
        stand = make_stand(folder, devices=FEW_DEVICES, database=postgres.url(postgres.make()))
        pid = postgres.process.pid if postgres.process else None
        yield replace(stand, database_pid=pid)


def make_stand(folder: Path, *, devices: int = DEVICES, keep: bool = False, **changes: object) -> Stand:
    """Certificates and a store with `devices` EndDevices, a program with controls, an aggregator.

    With `keep` one that was made in the folder before is used again.
    """
    folder = folder.absolute()
    made = folder / "paths.json"
    if keep and made.is_file():
        pki = Pki.open(folder / "pki")
        settings = settings_of(_values(folder, pki, changes))
        return Stand(folder=folder, pki=pki, settings=settings, paths=json.loads(made.read_text()))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pki = Pki.create(folder / "pki")
    pki.issue_server("server", hosts=["127.0.0.1", "localhost"])
    settings = _write_settings(folder, pki, changes)
    store = Store(settings.database)
    try:
        paths = Filler(store, settings, pki).fill(devices)
    finally:
        store.close()
    made.write_text(json.dumps(paths))
    return Stand(folder=folder, pki=pki, settings=settings, paths=paths)


def _values(folder: Path, pki: Pki, changes: dict[str, object]) -> dict[str, object]:
    server = pki.credentials("server")
    return {
        "port": 0,
        "database": str(folder / "server" / "server.db"),
        "certificate": str(server.certificate_path),
        "key": str(server.key_path),
        "roots": str(server.root_path),
        "pen": 32473,
        "connections_per_client": 20_000,
        "connections_per_address": 20_000,
        **changes,
    }


def _write_settings(folder: Path, pki: Pki, changes: dict[str, object]) -> Settings:
    values = _values(folder, pki, changes)
    (folder / "server").mkdir()
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    lines += ["[operator]", 'host = "127.0.0.1"', "port = 0", "plain_http = true"]
    lines += [f'folder = "{folder / "server" / "operator"}"']
    (folder / "server" / "server.toml").write_text("\n".join(lines) + "\n")
    return settings_of(values)


class Filler:
    """Fills a store as the operator's functions do."""

    def __init__(self, store: Store, settings: Settings, pki: Pki) -> None:
        self._store = store
        self._pki = pki
        self._now = SystemClock().now()
        self._environment = Environment.of(settings, started=self._now)
        store.write(partial(prepare, environment=self._environment))

    def fill(self, devices: int) -> dict[str, str]:
        """Store everything; the URIs to ask for, by what they are."""
        device = self._enrol(self._pki.issue_device(DEVICE))
        aggregator = self._enrol(self._pki.issue_aggregator(AGGREGATOR), Role.AGGREGATOR)
        fill(self._store, self._environment, devices, now=self._now, aggregator_id=aggregator.id)
        program, controls = self.do(self._publish)
        of = self._environment.uris.of
        parts = (str(device.id),)
        return {
            "Time": of("Time"),
            "DeviceCapability": of("DeviceCapability"),
            "EndDevice": device.href,
            "DERControl": controls[0].href,
            "DERControlList": f"{program.href}/derc",
            "EndDeviceList": of("EndDeviceList"),
            "FunctionSetAssignmentsList": of("FunctionSetAssignmentsList", parts),
            "DERList": of("DERList", parts),
            "DERStatus": self.do(lambda desk: _status_href(desk, device.id)),
            "MirrorUsagePointList": of("MirrorUsagePointList"),
            "ResponseList": self.do(lambda desk: response_list_href(desk.transaction, desk.environment)),
        }

    def do(self, job: Callable[[Desk], T]) -> T:
        """Do something as the operator does it."""
        return self._store.write(lambda tx: job(Desk(tx, self._environment, self._now, secrets.randbelow)))

    def _enrol(self, credentials: Credentials, role: Role = Role.DEVICE) -> Row:
        enrolment = Enrolment(lfdi=credentials.lfdi, name=credentials.name, role=role, pin=111115)
        return self.do(lambda desk: add_end_device(desk.transaction, desk.environment, enrolment, desk.now))

    def _publish(self, desk: Desk) -> tuple[Row, list[Row]]:
        """A group with the device and a program of controls that start in an hour."""
        group = programs.add_group(desk, "feeder")
        program = programs.add_program(desk, group, primacy=5, description="feeder")
        programs.assign(desk, group, desk.client(DEVICE))
        return program, [
            insert_in(desk, program, "DERControlList", self._control(n)) for n in range(CONTROLS)
        ]

    def _control(self, number: int) -> DERControl:
        return DERControl(
            mRID=f"{number:024X}00007ED9",
            responseRequired="03",
            creationTime=self._now,
            EventStatus_=EventStatus(currentStatus=0, dateTime=self._now, potentiallySuperseded=False),
            interval=DateTimeInterval(start=self._now + 36_000 + 600 * number, duration=600),
            DERControlBase_=DERControlBase(opModMaxLimW=5000),
        )


def _status_href(desk: Desk, end_device_id: int) -> str:
    """URI of the status of the first DER of a device."""
    ders = (row for row in desk.reader.of_owner(end_device_id) if row.kind == "DER")
    der: DER = desk.environment.codec.decode_fragment(next(ders).body, DER)
    return der.DERStatusLink_.href if der.DERStatusLink_ else ""


def files_of(credentials: Credentials) -> tuple[Path, Path, Path]:
    """Certificate, key and root."""
    return credentials.certificate_path, credentials.key_path, credentials.root_path


def _line(process: subprocess.Popen[str]) -> str:
    """The first line that a server writes, which says where it is."""
    until = time.monotonic() + READY_S
    while process.stdout is not None and time.monotonic() < until:
        line = process.stdout.readline().strip()
        if line:
            return line
        if process.poll() is not None:
            break
    raise RuntimeError(f"the server did not start: {process.args!r}")
