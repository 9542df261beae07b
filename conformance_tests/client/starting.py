"""Starting a client for each case: a command of the user, ended by SIGTERM when the case is over."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Final

from conformance_tests.errors import TargetError
from conformance_tests.server.operator_hook import command_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

STOP_S: Final = 10.0
"""How long a client has to end after SIGTERM before it is killed, s of real time."""


Lost = Callable[[str], None]
Start = Callable[[Lost], AbstractAsyncContextManager[None]]
"""Brings a client to a stage until the end of the block; tells where it is lost before."""


def starts(command: str) -> Start:
    """What brings a client to a stage by a command. UsageError where its program is not there."""
    words = tuple(command_of(command))

    @asynccontextmanager
    async def run(lost: Lost) -> AsyncIterator[None]:
        try:
            process = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.DEVNULL)
        except OSError as flaw:
            raise TargetError(f"{words[0]}: {flaw}") from flaw
        watch = asyncio.get_running_loop().create_task(_watch(process, words[0], lost))
        try:
            yield
        finally:
            watch.cancel()
            await _ended(process)

    return run


async def _watch(process: asyncio.subprocess.Process, name: str, lost: Lost) -> None:
    """Tell when the process ends by itself."""
    code = await process.wait()
    lost(f"the client's command ended with {code}: {name}; it has to run until it is stopped")


async def _ended(process: asyncio.subprocess.Process) -> None:
    """End a process: by SIGTERM, by SIGKILL where that does not help."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(sign)
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            continue
        return
