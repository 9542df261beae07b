"""Our own server with its operator API, on virtual time where a test has hours to wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from certs import Pki
from conformance_tests.server.operator_api import ApiOperator, api_operator
from sep2_server import Sep2Server, Store
from sep2_server.operator import OperatorSettings, OperatorSide
from tests.integration.sep2_harness import server_settings
from tests.virtual_time import VirtualTime


class LoopClock:
    """Server time that goes as a virtual clock does."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time

    def now(self) -> int:
        """Server time, s since 1970 UTC."""
        return int(self._time.time())

    def now_ms(self) -> int:
        """Server time, ms since 1970 UTC."""
        return int(1000 * self._time.time())


@dataclass
class Site:
    """A running server and its operator."""

    folder: Path
    pki: Pki
    settings: dict[str, object]
    time: VirtualTime
    stack: AsyncExitStack
    server: Sep2Server | None = None
    side: OperatorSide | None = None

    @property
    def dcap(self) -> str:
        """URI of the DeviceCapability."""
        assert self.server is not None
        return f"https://127.0.0.1:{self.server.port}/dcap"

    @property
    def plain_port(self) -> int:
        """The port of plain HTTP, where it has one."""
        assert self.server is not None
        return self.server.redirection.port if self.server.redirection is not None else 0

    async def start(self) -> None:
        """Start the server, at the ports that it had if it ran before."""
        settings = server_settings(self.folder, self.pki, **self.settings)
        store = Store.of(settings)
        self.stack.callback(store.close)
        server = Sep2Server(settings, store, LoopClock(self.time))
        self.server = await self.stack.enter_async_context(server)
        self.settings["port"] = self.server.port
        if self.server.redirection is not None:
            self.settings["redirect_port"] = self.plain_port
        operator = OperatorSettings(port=self.side_port, folder=self.folder / "operator")
        self.side = await self.stack.enter_async_context(OperatorSide(operator, self.server))

    @property
    def side_port(self) -> int:
        """Port of the operator API: the one that it had before."""
        return int(self.side.url.rpartition(":")[2]) if self.side is not None else 0

    async def restart(self) -> None:
        """Stop all and start anew with the same database and ports."""
        await self.stack.aclose()
        await self.start()

    def operator(self) -> ApiOperator:
        """An operator by the API of this server."""
        assert self.side is not None
        return api_operator(self.side.url, self.side.token_file, self.pki.root_path)


@asynccontextmanager
async def site_of(folder: Path, pki: Pki, time: VirtualTime, **settings: object) -> AsyncIterator[Site]:
    """A server that runs inside, with its operator API."""
    given = {"pen": 40732, "notification_hosts": "127.0.0.1", "notification_gap_ms": 0, **settings}
    async with AsyncExitStack() as stack:
        site = Site(folder, pki, given, time, stack)
        try:
            await site.start()
            yield site
        finally:
            await stack.aclose()


def loop_of(time: VirtualTime) -> asyncio.Runner:
    """Runs a test on a virtual clock."""
    return asyncio.Runner(loop_factory=time.loop)
