"""What an aggregator of 1,000 inverters costs: from the start of an event to the registers, and in memory.

Three processes share the machine: the server, the inverters, and `lineside client run` itself. How far it has
come is told on standard error; what does not come in its time ends the measurement with what was seen.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from bench.measure import Result
from bench.stand import AGGREGATOR, Filler, make_stand, running
from schemas import DateTimeInterval, DERControl, DERControlBase, EventStatus
from sep2_server import Store
from sep2_server.operator import programs
from sep2_server.operator.tree import insert_in

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from bench.stand import Stand
    from sep2_server.operator.desk import Desk

T = TypeVar("T")

DEVICES: Final = 1_000
PORTS: Final = 8
LIMIT_PCT: Final = 40
MRID: Final = "0123456789ABCDEF0123456700007ED9"
SETTLE_S: Final = 30.0
LEAD_S: Final = 60
"""So long before its start the event is published."""
FIRST_PATIENCE_S, EACH_PATIENCE_S = 60.0, 0.4
"""How long a client may take until it has written to every inverter, s: at least, and for each."""
LATE_S: Final = 60.0
"""An inverter whose limit has not come so long after the start counts as this late."""
TOLD_EVERY_S: Final = 10.0
LATENCY_MS, FIRST_MB, FURTHER_KB = 250.0, 60.0, 250.0


@dataclass
class Log:
    """Lines of a process, with the time at which each came, read by a thread of its own."""

    process: subprocess.Popen[str]
    lines: list[tuple[float, str]] = field(default_factory=list)

    def follow(self) -> None:
        """Read on in the background."""
        threading.Thread(target=self._read, daemon=True).start()

    def until(self, count: Callable[[], int], goal: int, what: str, patience_s: float) -> None:
        """Wait until so many were counted.

        RuntimeError where the process ends, TimeoutError after `patience_s`.
        """
        start_s = told_s = time.monotonic()
        while (found := count()) < goal:
            now_s = time.monotonic()
            if self.process.poll() is not None:
                raise RuntimeError(f"{what}: the process ended, exit code {self.process.returncode}")
            if now_s - start_s > patience_s:
                raise TimeoutError(f"{what}: {found} of {goal} within {patience_s:.0f} s, {_load()}")
            if now_s - told_s >= TOLD_EVERY_S:
                told_s = now_s
                _tell(f"{what}: {found} of {goal} after {now_s - start_s:.0f} s, {_load()}")
            time.sleep(0.2)
        _tell(f"{what}: all {goal} after {time.monotonic() - start_s:.0f} s")

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append((time.time(), line))


def measure(folder: Path, devices: int = DEVICES) -> list[Result]:
    """Latency and memory; a fleet of one is measured for what each further device adds."""
    one = _rss_kb(folder / "one", 1)
    latencies_ms, many, load = _event(folder / "many", devices)
    further_kb = (many - one) / (devices - 1)
    median, late = latencies_ms[len(latencies_ms) // 2], sum(one >= 1e3 * LATE_S for one in latencies_ms)
    note = f"median {median:.0f} ms, longest {latencies_ms[-1]:.0f} ms, {devices - late} of {devices}, {load}"
    p99 = latencies_ms[int(0.99 * len(latencies_ms))]
    return [
        Result(name=f"event start to register, {devices} DERs, p99", ours=p99, bar=LATENCY_MS, note=note),
        Result(name="client of one device, idle", ours=one / 1_000, bar=FIRST_MB, unit="MB"),
        Result(name="each further device", ours=further_kb, bar=FURTHER_KB, unit="kB"),
    ]


def _rss_kb(folder: Path, devices: int) -> float:
    with _fleet(folder, devices) as (_, _, client):
        return _settled_kb(client, devices)


def _settled_kb(client: Log, devices: int) -> float:
    """Memory of a client once every EndDevice is registered and its inverter was written to, kB."""
    patience_s = FIRST_PATIENCE_S + EACH_PATIENCE_S * devices
    client.until(lambda: _applied(client), devices, "inverters that were written to", patience_s)
    time.sleep(SETTLE_S)
    return _resident_kb(client.process.pid)


def _event(folder: Path, devices: int) -> tuple[list[float], float, str]:
    """Milliseconds from the start to each register, in order, the memory before it, kB, and the load."""
    with _fleet(folder, devices) as (stand, units, client):
        resident_kb = _settled_kb(client, devices)
        start, raw = int(time.time()) + LEAD_S, f" {LIMIT_PCT * 100} "
        _publish(stand, start)
        _tell(f"an event is published, {LEAD_S} s ahead")
        time.sleep(LEAD_S)
        load = _load()
        with contextlib.suppress(TimeoutError):
            units.until(lambda: len(_limited(units, start, raw)), devices, "inverters with the limit", LATE_S)
        offset_s = _clock_error_s(client)
        found = [1e3 * (at - start - offset_s) for at in _limited(units, start, raw).values()]
        return sorted(found) + [1e3 * LATE_S] * (devices - len(found)), resident_kb, load


def _limited(units: Log, start: float, raw: str) -> dict[str, float]:
    """When each inverter came to the limit since the start, system time, s, by its number."""
    found: dict[str, float] = {}
    for at, line in list(units.lines):
        if at >= start and raw in line:
            number, _, written = line.split()
            found.setdefault(number, float(written))
    return found


def _tell(text: str) -> None:
    print(f"aggregator: {text}", file=sys.stderr, flush=True)


def _load() -> str:
    return f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"


def _clock_error_s(client: Log) -> float:
    """How far the client's clock is behind the system's, s: it cuts the server's whole seconds."""
    told = [(at, json.loads(line)["time_s"]) for at, line in list(client.lines) if line.startswith("{")]
    return float(min(at - time_s for at, time_s in told))


@contextlib.contextmanager
def _fleet(folder: Path, devices: int) -> Iterator[tuple[Stand, Log, Log]]:
    stand = make_stand(folder, devices=devices, notification_hosts=["127.0.0.1"], notification_gap_ms=0)
    lfdis = _grouped(stand)
    command = [sys.executable, "-m", "bench.units", str(devices), str(min(PORTS, devices))]
    with running(command) as simulated, stand.server() as server:
        ports = json.loads(simulated.stdout.readline() if simulated.stdout else "[]")
        units = Log(simulated)
        units.follow()
        config = folder / "client.toml"
        config.write_text(_config(stand, server.port, ports, lfdis))
        client_command = [
            sys.executable,
            "-m",
            "lineside",
            "client",
            "run",
            "--config",
            str(config),
            "--events",
        ]
        with running(client_command) as process:
            client = Log(process)
            client.follow()
            yield stand, units, client


def _config(stand: Stand, port: int, ports: list[int], lfdis: list[str]) -> str:
    own = stand.pki.credentials(AGGREGATOR)
    share = -(-len(lfdis) // len(ports))
    lines = [
        f'spool = "{stand.folder}/spool.sqlite"',
        "[server]",
        f'uri = "https://127.0.0.1:{port}/dcap"',
        f'certificate = "{own.certificate_path}"',
        f'key = "{own.key_path}"',
        f'roots = "{own.root_path}"',
        "[control]",
        "period_s = 10.0",
        "[subscription]",
        'host = "127.0.0.1"',
        'bind = "127.0.0.1"',
        "port = 0",
    ]
    for number, lfdi in enumerate(lfdis):
        where = [f'name = "pv-{number}"', f"port = {ports[number // share]}", f"unit = {number % share + 1}"]
        lines += ["[[devices]]", *where, f'end_device = "{lfdi}"']
    return "\n".join(lines) + "\n"


def _with_store(stand: Stand, job: Callable[[Desk], T]) -> T:
    """Do something in the store as the operator does it."""
    store = Store(stand.settings.database)
    try:
        return Filler(store, stand.settings, stand.pki).do(job)
    finally:
        store.close()


def _grouped(stand: Stand) -> list[str]:
    """Put all managed EndDevices into one group with one program; their LFDIs."""
    return _with_store(stand, _group)


def _group(desk: Desk) -> list[str]:
    group = programs.add_group(desk, "fleet")
    programs.add_program(desk, group, primacy=4, description="fleet")
    aggregator = desk.client(AGGREGATOR)
    found = [desk.reader.client_of(number) for number in desk.reader.managed(aggregator.end_device_id)]
    managed = [client for client in found if client is not None]
    for client in managed:
        programs.assign(desk, group, client)
    return [client.lfdi for client in managed]


def _publish(stand: Stand, start: int) -> None:
    _with_store(stand, partial(_put_out, start=start))


def _put_out(desk: Desk, start: int) -> None:
    now = int(time.time())
    program = desk.program(desk.group("fleet"), None)
    control = DERControl(
        mRID=MRID,
        responseRequired="03",
        creationTime=now,
        EventStatus_=EventStatus(currentStatus=0, dateTime=now, potentiallySuperseded=False),
        interval=DateTimeInterval(start=start, duration=600),
        DERControlBase_=DERControlBase(opModMaxLimW=100 * LIMIT_PCT),
    )
    insert_in(desk, program, "DERControlList", control)


def _applied(client: Log) -> int:
    told = [json.loads(line) for _, line in list(client.lines) if '"what": "applied"' in line]
    return len({one["lfdi"] for one in told})


def _resident_kb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e3
