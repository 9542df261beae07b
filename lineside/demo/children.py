"""The processes of the demonstration: started, listened to line by line, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

STOP_S = 5.0
OnLine = Callable[[str, dict[str, object]], None]


class ChildError(Exception):
    """A process of the demonstration ended or did not get ready."""


class Child:
    """One process; its lines of JSON go to a listener, all else that it says to a log file."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    async def first_line(self, within_s: float = 60.0) -> dict[str, object]:
        """The first line of JSON: where the process listens. ChildError where there is none."""
        try:
            async with asyncio.timeout(within_s):
                line = await self._lines().readline()
        except TimeoutError:
            line = b""
        if not line.startswith(b"{"):
            raise ChildError(f"{self.name} did not get ready; it said: {tail(self.log) or line.decode()}")
        found: dict[str, object] = json.loads(line)
        return found

    async def listen(self, hear: OnLine) -> None:
        """Hand every further line of JSON to `hear` until the process ends."""
        async for line in self._lines():
            if line.startswith(b"{"):
                hear(self.name, json.loads(line))

    async def wait(self) -> int:
        """The exit code."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Ask the process to end, and end it where it does not."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def _lines(self) -> asyncio.StreamReader:
        stream = self._process.stdout
        if stream is None:
            raise ChildError(f"{self.name} has no standard output")
        return stream


async def start(name: str, folder: Path, *arguments: str, module: str = "lineside") -> Child:
    """Start `python -m MODULE ARGUMENTS`; its standard error goes to `NAME.log` in the folder."""
    log = folder / f"{name}.log"
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=1 << 20,
        )
    return Child(name, process, log)


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of a log file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""
