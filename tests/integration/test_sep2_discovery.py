"""DNS-SD on loopback: a browser finds a running server, and no longer when it has stopped."""

import asyncio
import re
from pathlib import Path

import pytest
import zeroconf.asyncio
from zeroconf import ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from certs import Pki, sfdi_of
from sep2_server import ManualClock, Sep2Server, Store, app, read_settings
from sep2_server.discovery import announcer
from sep2_server.end_devices import remove_end_device
from sep2_server.process.place import Place, shared_tls
from tests.integration.sep2_harness import START, running, server_settings

WAIT_S = 20


class Browser:
    """What is seen on loopback of one type."""

    def __init__(self, zeroconf: AsyncZeroconf, kind: str) -> None:
        self.names: set[str] = set()
        self._changed = asyncio.Event()
        self._browser = AsyncServiceBrowser(zeroconf.zeroconf, kind, handlers=[self._hear])

    def _hear(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        del zeroconf, service_type
        change = self.names.discard if state_change is ServiceStateChange.Removed else self.names.add
        change(name)
        self._changed.set()

    async def until(self, names: set[str]) -> None:
        """Wait until these are seen."""
        async with asyncio.timeout(WAIT_S):
            while self.names != names:
                await self._changed.wait()
                self._changed.clear()

    async def stop(self) -> None:
        """Look no more."""
        await self._browser.async_cancel()


@pytest.mark.parametrize(("profile", "level", "plain"), [("csip", b"-S1", -1), ("csip_aus", b"+S1", 0)])
async def test_a_server_is_found_while_it_runs(
    tmp_path: Path, sep2_pki: Pki, profile: str, level: bytes, plain: int
) -> None:
    """The port is that of plain HTTP, where there is one. IEEE 2030.5-2018, 7."""
    own = AsyncZeroconf(interfaces=["127.0.0.1"])
    kind = "_tm._sub._smartenergy._tcp.local."
    browser = Browser(own, kind)
    name = f"Bench {profile} tm._smartenergy._tcp.local."
    settings = {
        "discovery": True,
        "discovery_name": f"Bench {profile}",
        "profile": profile,
        "redirect_port": plain,
    }
    try:
        async with running(tmp_path, sep2_pki, **settings) as bench:  # type: ignore[arg-type]
            await browser.until({name})
            info = AsyncServiceInfo(kind, name)
            assert await info.async_request(own.zeroconf, 5000)
            redirection = bench.server.redirection
            assert info.port == (bench.server.port if redirection is None else redirection.port)
            assert info.parsed_addresses() == ["127.0.0.1"]
            assert info.properties == {
                b"txtvers": b"1",
                b"dcap": b"/dcap",
                b"path": b"/tm",
                b"https": str(bench.server.port).encode(),
                b"level": level,
            }
        await browser.until(set())
    finally:
        await browser.stop()
        await own.async_close()


async def test_a_device_is_told_of_while_it_is_registered(tmp_path: Path, sep2_pki: Pki) -> None:
    """Not before it is enrolled, nor while it is disabled, nor after it was removed. IEEE 2030.5-2018, 7."""
    own = AsyncZeroconf(interfaces=["127.0.0.1"])
    lfdi = (sep2_pki.credentials if (sep2_pki.folder / "told").is_dir() else sep2_pki.issue_device)(
        "told"
    ).lfdi
    sfdi = f"{sfdi_of(lfdi):012d}"
    name = f"Bench edev-{sfdi}._smartenergy._tcp.local."
    browser = Browser(own, f"_edev-{sfdi}._sub._smartenergy._tcp.local.")
    others = Browser(own, "_edev._sub._smartenergy._tcp.local.")
    settings = {"discovery": True, "discovery_name": "Bench", "discovery_sfdis": [sfdi]}
    try:
        async with running(tmp_path, sep2_pki, **settings) as bench:  # type: ignore[arg-type]
            await others.until({"Bench edev._smartenergy._tcp.local."})
            assert browser.names == set()
            row = await bench.enrol("told")
            await browser.until({name})
            for is_disabled, seen in ((True, set()), (False, {name})):
                await bench.store.do(lambda tx, to=is_disabled: tx.put_disabled(row.id, is_disabled=to))  # type: ignore[misc]
                await browser.until(seen)
            await bench.store.do(lambda tx: remove_end_device(tx, row))
            await browser.until(set())
            await bench.enrol("told")
            await browser.until({name})
        await browser.until(set())
        async with running(tmp_path, sep2_pki, **settings):  # type: ignore[arg-type]
            await browser.until({name})
    finally:
        await browser.stop()
        await others.stop()
        await own.async_close()


class Told:
    """What an Announcer was asked for, instead of packets."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, *_: object) -> "Told":
        return self

    def hear(self, _: object) -> None:
        """Hear of changes."""

    async def start(self) -> None:
        """Take note of the start."""
        self.calls.append("announced")

    async def stop(self) -> None:
        """Take note of the stop."""
        self.calls.append("withdrawn")


@pytest.mark.parametrize(("number", "calls"), [(0, ["announced", "withdrawn"]), (1, [])])
async def test_the_first_of_several_workers_announces_and_withdraws(
    tmp_path: Path, sep2_pki: Pki, monkeypatch: pytest.MonkeyPatch, number: int, calls: list[str]
) -> None:
    told = Told()
    monkeypatch.setattr(app, "Announcer", told)
    settings = server_settings(tmp_path, sep2_pki, discovery=True, workers=2)
    store = Store.of(settings)
    try:
        place = Place(tls=shared_tls(settings), number=number, of=2)
        async with Sep2Server(settings, store, ManualClock(START), place=place):
            assert told.calls == calls[:1]
    finally:
        store.close()
    assert told.calls == calls


async def test_a_server_serves_devices_where_it_cannot_be_announced_and_is_announced_once_it_can(
    tmp_path: Path, sep2_pki: Pki, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An interface may come later than the server, after a power failure for instance."""
    own = AsyncZeroconf(interfaces=["127.0.0.1"])
    browser = Browser(own, "_tm._sub._smartenergy._tcp.local.")
    made = zeroconf.asyncio.AsyncZeroconf
    is_there: list[bool] = []

    def make(**given: object) -> AsyncZeroconf:
        if not is_there:
            raise OSError(19, "No such device")
        return made(**given)  # type: ignore[arg-type]

    monkeypatch.setattr(zeroconf.asyncio, "AsyncZeroconf", make)
    monkeypatch.setattr(announcer, "RETRY_S", 0.05)
    try:
        async with running(tmp_path, sep2_pki, discovery=True, discovery_name="Late") as bench:
            _, client = await bench.device("late-1")
            assert (await client.get("/dcap")).status == 200
            assert "No such device" in caplog.text
            is_there.append(True)
            await browser.until({"Late tm._smartenergy._tcp.local."})
        await browser.until(set())
    finally:
        await browser.stop()
        await own.async_close()


async def test_a_name_that_another_has_keeps_only_itself_from_being_announced(
    tmp_path: Path, sep2_pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not for ever: it is announced when the other is gone."""
    own = AsyncZeroconf(interfaces=["127.0.0.1"])
    taken = AsyncServiceInfo(
        "_smartenergy._tcp.local.",
        "Twin._smartenergy._tcp.local.",
        port=1,
        server="other.local.",
        parsed_addresses=["127.0.0.1"],
    )
    await (await own.async_register_service(taken))
    browsers = [Browser(own, f"{kind}_smartenergy._tcp.local.") for kind in ("_tm._sub.", "")]
    monkeypatch.setattr(announcer, "RETRY_S", 0.05)
    try:
        async with running(tmp_path, sep2_pki, discovery=True, discovery_name="Twin") as bench:
            await browsers[0].until({"Twin tm._smartenergy._tcp.local."})
            await (await own.async_unregister_service(taken))
            await until_port(own, bench.server.port)
    finally:
        for browser in browsers:
            await browser.stop()
        await own.async_close()


async def until_port(own: AsyncZeroconf, port: int) -> None:
    """Wait until the instance of the server itself is told with this port."""
    async with asyncio.timeout(WAIT_S):
        told = None
        while told != port:
            info = AsyncServiceInfo("_smartenergy._tcp.local.", "Twin._smartenergy._tcp.local.")
            told = info.port if await info.async_request(own.zeroconf, 500) else None


async def test_a_server_stops_where_it_cannot_withdraw_what_it_announced(
    tmp_path: Path, sep2_pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []
    close = AsyncZeroconf.async_close

    async def fail(*_: object) -> None:
        raise OSError(101, "Network is unreachable")

    async def noted(own: AsyncZeroconf) -> None:
        closed.append(True)
        await close(own)

    async with running(tmp_path, sep2_pki, discovery=True, discovery_name="Gone") as bench:
        monkeypatch.setattr(AsyncZeroconf, "async_unregister_service", fail)
        monkeypatch.setattr(AsyncZeroconf, "async_close", noted)
        server = bench.server
    assert closed == [True]
    assert not server.is_listening


def test_the_settings_of_the_howto_are_settings(tmp_path: Path) -> None:
    text = Path("docs/howto/discovery.md").read_text(encoding="utf-8")
    block = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert block is not None
    path = tmp_path / "server.toml"
    path.write_text(block[1], encoding="utf-8")
    settings = read_settings(path)
    assert (settings.discovery, settings.discovery_interfaces) == (True, ("192.168.7.2",))
    assert (settings.discovery_name, settings.discovery_sfdis) == ("Utility North", ("167261211391",))
