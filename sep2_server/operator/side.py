"""The operators' side of a running server: tokens, audit log and API, beside the IEEE 2030.5 side."""

import logging
import secrets
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from sep2_server.app import Sep2Server
from sep2_server.operator.api import OperatorApi
from sep2_server.operator.audit import AUDIT_FILE, AuditLog
from sep2_server.operator.counter import Counter
from sep2_server.operator.operator_settings import METRICS_URL_FILE, URL_FILE, OperatorSettings
from sep2_server.operator.token_files import FIRST_FILE, open_tokens
from sep2_server.process.monitor import Monitor
from sep2_server.process.pages import Page, page

log = logging.getLogger(__name__)


class OperatorSide:
    """The operator API of one server: `async with` it, or `start` and `stop`."""

    def __init__(self, settings: OperatorSettings, server: Sep2Server) -> None:
        """Get ready to operate a server; its store and clock are shared. `audit` is open while it runs."""
        self.settings = settings
        self._server = server
        self.audit: AuditLog | None = None
        self.monitor: Monitor | None = None
        self._api: OperatorApi | None = None

    @property
    def url(self) -> str:
        """Where the API listens; empty before the start."""
        return "" if self._api is None else self._api.url

    @property
    def token_file(self) -> Path:
        """File with the secret of the first token."""
        return self.settings.folder / FIRST_FILE

    async def __aenter__(self) -> Self:
        """Start; what was opened is closed again where that fails."""
        async with AsyncExitStack() as opened:
            opened.push_async_callback(self.stop)
            await self.start()
            opened.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Make the first token if there is none, open the audit log, listen, and leave the URL in a file.

        PlainHttpError, AuditFailed or OSError says why that cannot be.
        """
        settings, server = self.settings, self._server
        settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        open_tokens(settings.folder, secrets.randbits)
        self.audit = AuditLog.open(settings.folder / AUDIT_FILE)
        counter = Counter(
            server.store, server.environment, folder=settings.folder, audit=self.audit, clock=server.clock
        )
        self._api = OperatorApi(counter, self._page)
        credentials = None if settings.plain_http else (server.settings.certificate, server.settings.key)
        await self._api.start(
            settings.host,
            settings.port,
            credentials=credentials,
            sockets=server.place.operator_sockets,
        )
        (settings.folder / URL_FILE).write_text(self._api.url + "\n", encoding="utf-8")
        if settings.metrics_port >= 0:
            await self._start_monitor(settings.metrics_port)

    async def _start_monitor(self, port: int) -> None:
        """Answer monitoring on a port of its own, and leave the URL in a file."""
        self.monitor = Monitor(self._page)
        await self.monitor.start(port)
        (self.settings.folder / METRICS_URL_FILE).write_text(self.monitor.url + "\n", encoding="utf-8")

    def _page(self, path: str) -> Page | None:
        return page(self._server, path)

    def renew(self) -> None:
        """Present the server's certificate as it now is. CertsError where it is no good."""
        if self._api is not None:
            self._api.renew(self._server.settings.certificate, self._server.settings.key)

    async def stop(self) -> None:
        """Finish the requests that are under way and close the audit log."""
        monitored = "" if self.monitor is None else self.monitor.url
        for name, url in ((URL_FILE, self.url), (METRICS_URL_FILE, monitored)):
            _remove(self.settings.folder / name, f"{url}\n")
        if self.monitor is not None:
            await self.monitor.stop()
        if self._api is not None:
            await self._api.stop()
        if self.audit is not None:
            self.audit.close()


def _remove(path: Path, text: str) -> None:
    """Remove a file that holds this text: another is of a server that was started since."""
    try:
        if path.read_text(encoding="utf-8") == text:
            path.unlink()
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as flaw:
        log.warning("%s stays: %s", path, flaw)
