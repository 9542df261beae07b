"""CPU of the server per request over mutual TLS with kept connections, against a bare aiohttp handler."""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.measure import Result
from certs import client_context
from lineside.demo.site import SERVER_FOLDER, Site, make_site, operator_client
from sep2_server.operator import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTROLS = 100
ROUNDS = 9
BATCH = 400
BAR = 2.0
READY_S = 20.0


def measure() -> list[Result]:
    """GET of Time, of an EndDevice, and of a control list of 100."""
    with tempfile.TemporaryDirectory(prefix="lineside-bench-") as name:
        site = make_site(Path(name))
        server = [
            sys.executable,
            "-m",
            "lineside",
            "server",
            "run",
            "--config",
            str(site.folder / SERVER_FOLDER),
        ]
        with _running(server) as ours:
            _wait_for(site)
            paths = _prepare(site)
            return asyncio.run(_compare(site, ours, paths))


async def _compare(site: Site, ours: subprocess.Popen[str], paths: dict[str, str]) -> list[Result]:
    client = await _Client.connect(site, site.port)
    bodies = {path: (await client.get(path)).decode() for path in paths.values()}
    listed = site.folder / "bodies.json"
    listed.write_text(json.dumps(bodies))
    command = [sys.executable, "-m", "bench.floor", str(site.folder), str(listed)]
    with _running(command) as floor:
        port = int((floor.stdout.readline() if floor.stdout else "0").strip())
        bare = await _Client.connect(site, port)
        results = []
        for name, path in paths.items():
            if await bare.get(path) != bodies[path].encode():
                raise RuntimeError(f"the floor does not return the bytes of {path}")
            times: tuple[list[float], list[float]] = ([], [])
            for _ in range(ROUNDS):
                times[0].append(await _cpu_ms(client, ours.pid, path))
                times[1].append(await _cpu_ms(bare, floor.pid, path))
            results.append(
                Result(
                    name=name,
                    ours_ms=statistics.median(times[0]),
                    floor_ms=statistics.median(times[1]),
                    floor="bare aiohttp, same TLS and bytes",
                    bar=BAR,
                )
            )
        return results


async def _cpu_ms(client: _Client, pid: int, path: str) -> float:
    """CPU of a process per request of one batch, ms."""
    await client.get(path)
    before = cpu_s(pid)
    for _ in range(BATCH):
        await client.get(path)
    return (cpu_s(pid) - before) / BATCH * 1e3


def cpu_s(pid: int) -> float:
    """CPU time that all threads of a process have used, s (Linux)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


class _Client:
    """One kept connection; as little of a client as can be, so that it does not hide the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, site: Site, port: int) -> _Client:
        identity = site.identities["pv"]
        context = client_context(identity.certificate_path, identity.key_path, identity.root_path)
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=context))

    async def get(self, path: str) -> bytes:
        """The body of one answer; RuntimeError where it is not 200."""
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/sep+xml\r\n\r\n"
        self._writer.write(request.encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        if " 200 " not in head.splitlines()[0]:
            raise RuntimeError(f"{path}: {head.splitlines()[0]}")
        length = next(line for line in head.lower().splitlines() if line.startswith("content-length:"))
        return await self._reader.readexactly(int(length.partition(":")[2]))


def _prepare(site: Site) -> dict[str, str]:
    """Enrol a device, publish a list of controls; what to ask for, by its name in the table."""
    api = operator_client(site.folder / SERVER_FOLDER)
    pem = site.identities["pv"].certificate_path.read_text()
    device = api.call("POST", ("devices",), {"name": "pv", "certificate": pem, "DER": 1})
    api.call("POST", ("groups",), {"name": "feeder", "primacy": 90})
    api.call("PUT", ("groups", "feeder", "devices", "pv"))
    control: dict[str, Any] = {}
    for n in range(CONTROLS):
        body = {"DERControlBase": {"opModMaxLimW": "50 %"}, "in": 3600 + 60 * n, "duration": 60}
        control = api.call("POST", ("groups", "feeder", "controls"), body)
    controls = str(control["href"]).rpartition("/")[0]
    return {
        "GET Time": "/tm",
        "GET EndDevice": str(device["href"]),
        f"GET DERControlList of {CONTROLS}": f"{controls}?s=0&l=255",
    }


def _wait_for(site: Site) -> None:
    until = time.monotonic() + READY_S
    while True:
        try:
            operator_client(site.folder / SERVER_FOLDER).get("status")
        except (ApiError, OSError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait()
