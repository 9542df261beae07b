"""Looks for servers on its own network by multicast DNS, on the interfaces that the settings name.

`zeroconf` is LGPL-2.1-or-later and no part of Lineside: it is the extra `discovery`, loaded when needed.
"""

import asyncio
import importlib
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from der_client.dns_records import SERVICE, types_for, uri_of
from owner import SettingsError

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncZeroconf

log = logging.getLogger(__name__)

GATHER_S: Final = 0.5
"""How long further answers are waited for after the first."""


async def found_uris(interfaces: Sequence[str], sfdi: int, within_s: float) -> list[str]:
    """URIs of DeviceCapability of the servers that answer, those where this device is registered first.

    Empty where none answers in time. SettingsError where the extra is not installed.
    """
    try:
        library = importlib.import_module("zeroconf.asyncio")
    except ImportError as flaw:
        raise SettingsError("server.dns_sd: install lineside[discovery] for it") from flaw
    zeroconf = library.AsyncZeroconf(interfaces=list(interfaces))
    try:
        return await _Search(zeroconf, library.AsyncServiceInfo).run(sfdi, within_s)
    finally:
        await zeroconf.async_close()


class _Search:
    """One look around."""

    def __init__(self, zeroconf: "AsyncZeroconf", info: type) -> None:
        self._zeroconf = zeroconf
        self._info = info
        self._names: dict[str, set[str]] = {}
        self._heard = asyncio.Event()

    async def run(self, sfdi: int, within_s: float) -> list[str]:
        library = importlib.import_module("zeroconf.asyncio")
        kinds = types_for(sfdi)
        self._names = {kind: set() for kind in kinds}
        browser = library.AsyncServiceBrowser(self._zeroconf.zeroconf, list(kinds), handlers=[self._hear])
        try:
            async with asyncio.timeout(within_s):
                await self._heard.wait()
            await asyncio.sleep(GATHER_S)
        except TimeoutError:
            return []
        finally:
            await browser.async_cancel()
        names = [name for kind in kinds for name in sorted(self._names[kind])]
        found = [await self._uri(name) for name in dict.fromkeys(names)]
        return list(dict.fromkeys(uri for uri in found if uri is not None))

    def _hear(self, zeroconf: object, service_type: str, name: str, state_change: object) -> None:
        del zeroconf
        if getattr(state_change, "name", "") == "Removed":
            self._names[service_type].discard(name)
            return
        self._names[service_type].add(name)
        self._heard.set()

    async def _uri(self, name: str) -> str | None:
        info = self._info(SERVICE, name)
        if not await info.async_request(self._zeroconf.zeroconf, 2_000):
            return None
        addresses = info.parsed_addresses()
        return uri_of(addresses[0], info.properties) if addresses else None
