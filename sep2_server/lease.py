"""A lease: which of the processes on one database does what only one of them may do."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from typing import Final

from sep2_server.errors import StoreError
from sep2_server.reader import Reader
from sep2_server.store import Store
from sep2_server.transaction import Transaction

TTL_MS: Final = 3000
RENEWAL_S: Final = 1.0

log = logging.getLogger(__name__)


class Lease:
    """Tries to hold a lease while it runs. A store that no other process uses has no need of one.

    The holder stops to believe in a lease that it could not renew before the database lets another have it.
    """

    def __init__(self, store: Store, name: str, gained: Callable[[], None] = lambda: None) -> None:
        """`gained` is called when the lease has come from nobody or another holder."""
        self._store = store
        self._name = name
        self._gained = gained
        self._holder = secrets.token_hex(8)
        self._until = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def is_held(self) -> bool:
        """Whether this process is the one, at this moment."""
        return not self._store.is_shared or time.monotonic() < self._until

    async def start(self) -> None:
        """Try to take it now, and again and again."""
        if self._store.is_shared:
            await self._renew()
            self._task = asyncio.get_running_loop().create_task(self._keep(), name=f"sep2-lease-{self._name}")

    async def stop(self) -> None:
        """Let another have it at once."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait([self._task])
        if self.is_held:
            self._until = 0.0
            await self._attempt(lambda tx: tx.drop_lease(self._name, self._holder))

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(RENEWAL_S)
            await self._renew()

    async def _renew(self) -> None:
        begun, was_held = time.monotonic(), self.is_held
        if await self._attempt(self._take):
            self._until = begun + TTL_MS / 1000
            if not was_held:
                log.info("This process holds the lease %s", self._name)
                self._gained()

    def _take(self, tx: Transaction) -> bool:
        return tx.take_lease(self._name, self._holder, TTL_MS)

    def _is_free(self, reader: Reader) -> bool:
        return reader.is_lease_free(self._name, self._holder)

    async def _attempt(self, job: Callable[[Transaction], bool | None]) -> bool:
        """Run a job unless another holds the lease, which is asked without the lock of the writers.

        Whatever fails is tried again: a process that gave it up for good could leave nobody to do the task.
        """
        try:
            return await self._store.ask(self._is_free) and bool(await self._store.do(job))
        except StoreError as flaw:
            log.warning("The lease %s cannot be renewed: %s", self._name, flaw)
        except Exception:
            log.exception("The lease %s cannot be renewed", self._name)
        return False
