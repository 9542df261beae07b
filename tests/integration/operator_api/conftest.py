"""A live server with its operator API on port 0, in a thread of its own, on a clock that the test turns."""

import argparse
import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from certs import Credentials, Pki
from schemas import Codec
from sep2_server import ManualClock, Sep2Server, Store, settings_of
from sep2_server.messages import Answer, Request
from sep2_server.operator import OperatorSettings, OperatorSide, Site, cli
from sep2_server.operator.api import USUAL, OperatorApi
from sep2_server.operator.guests import Bounds
from tests.integration.operator_api.openapi_judge import JudgingClient

NOW = 1_700_000_000
LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
T = TypeVar("T")
DeviceRequest = Callable[..., Answer]


class LiveServer:
    """Runs both sides of a site in a thread until it is stopped."""

    def __init__(self, site: Site, clock: ManualClock) -> None:
        self._site = site
        self._clock = clock
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self.url = ""

    def start(self) -> None:
        """Start and wait until it listens."""
        self._thread.start()
        assert self._ready.wait(30)
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Stop and wait for the end."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    def respond(self, request: Request) -> Answer:
        """What the IEEE 2030.5 side answers to a device."""
        return self.run(self.server.answering.respond(request))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What something gives that is done in the server's thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    @contextmanager
    def heard_too(self, bounds: Bounds = USUAL) -> Iterator[int]:
        """A further port of the operator API, without TLS, in the server's thread, which alone reads."""

        async def start() -> OperatorApi:
            assert self.side._api is not None
            api = OperatorApi(self.side._api._counter, self.side._page, bounds)
            await api.start("127.0.0.1", 0, credentials=None)
            return api

        api = self.run(start())
        yield int(api.url.rpartition(":")[2])
        self.run(api.stop())

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:
            self._failure = failure
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        store = Store(self._site.server.database)
        try:
            async with (
                Sep2Server(self._site.server, store, self._clock) as self.server,
                OperatorSide(self._site.operator, self.server) as self.side,
            ):
                self.url = self.side.url
                self._ready.set()
                await self._stop.wait()
        finally:
            store.close()


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.create(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def server_credentials(pki: Pki) -> Credentials:
    return pki.issue_server("server", hosts=["localhost", "127.0.0.1"])


@pytest.fixture(scope="session")
def device_credentials(pki: Pki) -> Credentials:
    return pki.issue_device("inverter-1")


@pytest.fixture
def beside() -> dict[str, object]:
    """Further settings of the server, for a module of tests to replace."""
    return {}


@pytest.fixture
def site(tmp_path: Path, server_credentials: Credentials, beside: dict[str, object]) -> Site:
    server = settings_of(
        {
            "port": 0,
            "database": str(tmp_path / "lineside.db"),
            "files_folder": str(tmp_path / "files"),
            "certificate": str(server_credentials.certificate_path),
            "key": str(server_credentials.key_path),
            "roots": str(server_credentials.root_path),
            "pen": 40732,
            **beside,
            "function_sets": "all",
        }
    )
    return Site(server=server, operator=OperatorSettings(port=0, folder=tmp_path / "operator"))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def live(site: Site, clock: ManualClock) -> Iterator[LiveServer]:
    server = LiveServer(site, clock)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def side(live: LiveServer) -> OperatorSide:
    return live.side


@pytest.fixture
def server(live: LiveServer) -> Sep2Server:
    return live.server


@pytest.fixture
def api(live: LiveServer, site: Site) -> JudgingClient:
    secret = (site.operator.folder / "operator.token").read_text().strip()
    return JudgingClient(url=live.url, secret=secret, roots=site.server.roots)


@pytest.fixture
def device_request(live: LiveServer, clock: ManualClock) -> DeviceRequest:
    """What a device with an LFDI gets from the IEEE 2030.5 side; `value` is a resource to send."""
    codec = Codec()

    def request(method: str, path: str, value: object = None, *, lfdi: str = LFDI) -> Answer:
        return live.respond(
            Request(
                method=method,
                path=path.partition("?")[0],
                query=path.partition("?")[2],
                lfdi=lfdi,
                body=b"" if value is None else codec.encode(value),
                content_type="application/sep+xml",
                accept="application/sep+xml",
                now=clock.now(),
            )
        )

    return request


@pytest.fixture(scope="session")
def command_line() -> argparse.ArgumentParser:
    """The parser of `lineside op`, which is large: made once."""
    parser = argparse.ArgumentParser(prog="lineside")
    cli.add_parser(parser.add_subparsers())
    return parser


@pytest.fixture
def op(api: JudgingClient, site: Site, command_line: argparse.ArgumentParser) -> Callable[..., int]:
    """Run one `lineside op` command in this process; the exit code."""

    def run(*words: str) -> int:
        where = ["--server", api.url, "--token-file", str(site.operator.folder / "operator.token")]
        args = command_line.parse_args(["op", *words, *where, "--roots", str(site.server.roots)])
        code: int = args.run(args)
        return code

    return run
