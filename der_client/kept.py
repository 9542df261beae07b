"""What one device must find again after a restart, beside the schedule. Blocking calls run in a thread."""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable
from typing import Protocol, TypeVar

from der_client.client_event import Tell, What
from der_client.override import Override, override_from, override_text
from der_client.verified import Verified, verified_from

log = logging.getLogger(__name__)

T = TypeVar("T")


class Memory(Protocol):
    """Texts by name that survive a restart; the spool is one."""

    def remember(self, name: str, body: str) -> None:
        """Keep a text under a name, in the place of the one before."""
        ...

    def recall(self, name: str) -> str | None:
        """The text under a name, or None."""
        ...


class Kept:
    """Latches, override, service, identity of one device. A disk that fails stops no control: it is told.

    What is kept later is written later: an operator may order while the loop keeps what came before.
    """

    def __init__(self, name: str, memory: Memory | None, tell: Tell) -> None:
        self._name = name
        self._memory = memory
        self._tell = tell
        self._is_broken = False
        self._turn = asyncio.Lock()

    async def latched(self) -> frozenset[str]:
        """Names of interlocks that an operator has not reset."""
        return await self._found("latched", _names)

    async def keep_latched(self, names: frozenset[str]) -> None:
        """Keep the names of latched interlocks."""
        await self._remember("latched", json.dumps(sorted(names)))

    async def override(self) -> Override | None:
        """The override that is to go on."""
        return await self._found("override", override_from)

    async def keep_override(self, override: Override | None) -> None:
        """Keep an override that is to survive, or none."""
        await self._remember("override", override_text(override))

    async def verified(self) -> Verified:
        """Which device was known."""
        return await self._found("identity", verified_from)

    async def keep_verified(self, verified: Verified) -> None:
        """Keep which device is known."""
        await self._remember("identity", verified.to_text())

    async def taken_out(self) -> frozenset[str]:
        """The fields of the Setpoint by which the device was taken out of service."""
        return await self._found("taken out", _names)

    async def keep_taken_out(self, fields: frozenset[str]) -> None:
        """Keep by which fields of the Setpoint the device is out of service; none: it is in service."""
        await self._remember("taken out", json.dumps(sorted(fields)))

    async def former(self) -> str | None:
        """How the device was before this client wrote to it, in the words of its driver."""
        return await self._recall("former curves")

    async def keep_former(self, text: str) -> None:
        """Keep how the device was before this client wrote to it."""
        await self._remember("former curves", text)

    async def _found(self, what: str, read: Callable[[str | None], T]) -> T:
        """What was kept; as if nothing was where it cannot be read, which is told."""
        text = await self._recall(what)
        try:
            return read(text)
        except (ValueError, TypeError, KeyError, IndexError) as error:
            log.warning("%s of %s cannot be read: %s", what, self._name, error)
            self._tell(What.FAULT, f"{self._name}: what was kept of {what} cannot be read")
            return read(None)

    async def _recall(self, what: str) -> str | None:
        if self._memory is None:
            return None
        try:
            return await asyncio.to_thread(self._memory.recall, f"{what} of {self._name}")
        except (sqlite3.Error, OSError) as error:
            self._broken(error)
            return None

    async def _remember(self, what: str, body: str) -> None:
        if self._memory is None:
            return
        try:
            async with self._turn:
                await asyncio.to_thread(self._memory.remember, f"{what} of {self._name}", body)
        except (sqlite3.Error, OSError) as error:
            self._broken(error)
        else:
            self._is_broken = False

    def _broken(self, error: Exception) -> None:
        if not self._is_broken:
            self._is_broken = True
            log.error("%s: nothing is kept for a restart: %s", self._name, error)
            self._tell(What.FAULT, f"{self._name}: nothing is kept for a restart: {error}")


def _names(text: str | None) -> frozenset[str]:
    found = json.loads(text or "[]")
    if not isinstance(found, list):
        msg = f"{found!r} is no list"
        raise TypeError(msg)
    return frozenset(str(name) for name in found)
