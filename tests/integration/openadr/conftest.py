"""A live 2030.5 server with its operator API, on a clock that the test turns, and a VEN's way to it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from certs import Credentials, Pki
from openadr_ven.events import Event
from openadr_ven.operator_api import OperatorApi, operator_session
from openadr_ven.publishing import Outcome, Publishing
from openadr_ven.to_sep2 import Held, Publications, held_of, held_table
from openadr_ven.vtn.v2b import Vtn
from openadr_ven.vtn.v2b_http import VtnServer
from schemas import Json
from sep2_server import ManualClock, Sep2Server, Store, settings_of
from sep2_server.operator import OperatorSettings, OperatorSide, Site
from tests.integration.openadr.ven_bench import Bench
from tests.unit.openadr_ven.house import T0, House

Told = dict[str, Json]


@dataclass(slots=True)
class Utility:
    """A site that can be stopped and started again on the same port and database."""

    site: Site
    clock: ManualClock
    server: Sep2Server | None = None
    side: OperatorSide | None = None
    store: Store | None = None
    url: str = ""

    async def start(self) -> None:
        self.store = Store(self.site.server.database)
        self.server = Sep2Server(self.site.server, self.store, self.clock)
        await self.server.__aenter__()
        self.side = OperatorSide(self.site.operator, self.server)
        await self.side.__aenter__()
        self.url = self.side.url

    async def stop(self) -> None:
        assert self.side is not None
        assert self.server is not None
        assert self.store is not None
        await self.side.__aexit__(None, None, None)
        await self.server.__aexit__(None, None, None)
        self.store.close()


@dataclass(slots=True)
class Ven:
    """A VEN whose disk is a list: it may be stopped, and begin again from the last."""

    house: House
    api: OperatorApi
    session: aiohttp.ClientSession
    url: str
    clock: ManualClock
    disk: list[object] = field(default_factory=list)
    publishing: Publishing = field(init=False)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self, *, from_disk: bool = True) -> None:
        held = held_of(self.disk[-1]) if self.disk and from_disk else Held()
        self.publishing = Publishing(self.api, held, self._keep)

    async def _keep(self, held: Held) -> None:
        self.disk.append(held_table(held))

    def wanted(self) -> Publications:
        return self.house.translated(self.clock.now())

    async def hears(self, *events: Event) -> Outcome:
        self.house.hears(*events, at=self.clock.now())
        return await self.acts()

    async def acts(self) -> Outcome:
        return await self.publishing.bring_about(self.wanted(), self.clock.now())

    async def get(self, path: str, **query: str) -> Told:
        async with self.session.get(f"{self.url}{path}", params=query) as response:
            assert response.status == 200, await response.text()
            told: Told = await response.json()
            return told

    async def post(self, path: str, body: Told) -> None:
        async with self.session.post(f"{self.url}{path}", json=body) as response:
            assert response.status == 200, await response.text()


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.create(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def server_credentials(pki: Pki) -> Credentials:
    return pki.issue_server("server", hosts=["localhost", "127.0.0.1"])


@pytest.fixture
def profile() -> str:
    """The profile of the server, for a module of tests to replace."""
    return "csip"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0 - 3600)


@pytest.fixture
async def utility(
    tmp_path: Path, server_credentials: Credentials, clock: ManualClock, profile: str
) -> AsyncIterator[Utility]:
    given = server_credentials
    server = settings_of(
        {
            "port": 0,
            "database": str(tmp_path / "lineside.db"),
            "files_folder": str(tmp_path / "files"),
            "certificate": str(given.certificate_path),
            "key": str(given.key_path),
            "roots": str(given.root_path),
            "pen": 40732,
            "function_sets": "all",
            "profile": profile,
        }
    )
    made = Utility(
        site=Site(server=server, operator=OperatorSettings(port=0, folder=tmp_path / "operator")), clock=clock
    )
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def ven(utility: Utility, clock: ManualClock) -> AsyncIterator[Ven]:
    secret = (utility.site.operator.folder / "operator.token").read_text().strip()
    session = operator_session(secret, utility.site.server.roots)
    async with session:
        made = Ven(
            house=House(),
            api=OperatorApi(session, utility.url),
            session=session,
            url=utility.url,
            clock=clock,
        )
        for group in ("g-battery", "g-evse", "g-pv", "g-load"):
            await made.post("/groups", {"name": group, "primacy": 89})
        yield made


@pytest.fixture
async def bench(tmp_path: Path, utility: Utility, ven: Ven, clock: ManualClock) -> Bench:
    return Bench(folder=tmp_path, utility=utility, ven=ven, clock=clock)


@pytest.fixture
async def vtn(bench: Bench) -> AsyncIterator[Vtn]:
    """A VTN of 2.0b on plain HTTP."""
    made = Vtn(poll_s=None)
    server = VtnServer(made, None, bench.now)
    await server.start()
    bench.vtn_url = f"http://127.0.0.1:{server.port}"
    yield made
    await server.stop()
