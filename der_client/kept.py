"""What one device must find again after a restart, beside the schedule. Blocking calls run in a thread."""

import asyncio
import json
import logging
import sqlite3
from typing import Protocol

from der_client.client_event import Tell, What
from der_client.override import Override, override_from, override_text
from der_client.verified import Verified, verified_from

log = logging.getLogger(__name__)


class Memory(Protocol):
    """Texts by name that survive a restart; the spool is one."""

    def remember(self, name: str, body: str) -> None:
        """Keep a text under a name, in the place of the one before."""
        ...

    def recall(self, name: str) -> str | None:
        """The text under a name, or None."""
        ...


class Kept:
    """Latches, override and identity of one device. A disk that fails stops no control: it is told once."""

    def __init__(self, name: str, memory: Memory | None, tell: Tell) -> None:
        self._name = name
        self._memory = memory
        self._tell = tell
        self._is_broken = False

    async def latched(self) -> frozenset[str]:
        """Names of interlocks that an operator has not reset."""
        found = json.loads(await self._recall("latched") or "[]")
        return frozenset(str(name) for name in found)

    async def keep_latched(self, names: frozenset[str]) -> None:
        """Keep the names of latched interlocks."""
        await self._remember("latched", json.dumps(sorted(names)))

    async def override(self) -> Override | None:
        """The override that is to go on."""
        return override_from(await self._recall("override"))

    async def keep_override(self, override: Override | None) -> None:
        """Keep an override that is to survive, or none."""
        await self._remember("override", override_text(override))

    async def verified(self) -> Verified:
        """Which device was known."""
        return verified_from(await self._recall("identity"))

    async def keep_verified(self, verified: Verified) -> None:
        """Keep which device is known."""
        await self._remember("identity", verified.to_text())

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
