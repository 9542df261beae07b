"""Announces a server by multicast DNS while it runs, on the interfaces that the settings name and no other.

`zeroconf` is LGPL-2.1-or-later and no part of Lineside: it is the extra `discovery`, loaded when needed.
"""

import asyncio
import contextlib
import importlib
import logging
import socket
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from sep2_server.discovery.records import SUBTYPES, Service, services
from sep2_server.environment import Environment
from sep2_server.errors import StoreError
from sep2_server.feed import EVERYTHING
from sep2_server.reader import Reader
from sep2_server.rows import ACCESS, Change
from sep2_server.setting_values import SettingsError
from sep2_server.store import Store

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

DOMAIN: Final = "local"
PAUSE_S: Final = 0.5
"""How long the announcer waits for a store that is gone."""
RETRY_S: Final = 30.0
"""How long after a failure to announce it is tried again: an interface or a name may come to be free."""
RIGHTS: Final = frozenset({ACCESS, EVERYTHING.kind})
"""Changes after which a device may be registered, or no longer."""

log = logging.getLogger(__name__)


class Announcer:
    """Tells of a server from `start` to `stop`. SettingsError where the extra is not installed.

    A device of `discovery_sfdis` is told of while it is registered. IEEE 2030.5-2018, 7.
    """

    def __init__(self, environment: Environment, store: Store, port: int, redirect_port: int) -> None:
        """Get ready to announce HTTPS at `port`; `redirect_port` is that of plain HTTP, 0 for none."""
        self._environment = environment
        self._store = store
        self._port = port
        self._default_port = redirect_port or port
        self._host = f"{socket.gethostname().partition('.')[0]}.{DOMAIN}."
        self._zeroconf: AsyncZeroconf | None = None
        self._told: dict[str, tuple[AsyncServiceInfo, Awaitable[None]]] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Announce the server and what it offers; what cannot be now is tried again while the server runs."""
        try:
            importlib.import_module("zeroconf.asyncio")
        except ImportError as flaw:
            raise SettingsError("discovery: install lineside[discovery] for it") from flaw
        settings = self._environment.settings
        wait_s = await self._tried()
        self._task = asyncio.get_running_loop().create_task(self._keep(wait_s), name="sep2-announcer")
        if wait_s is None:
            where = ", ".join(settings.discovery_interfaces)
            log.info("Announced as %s on %s", settings.discovery_name, where)

    async def stop(self) -> None:
        """Withdraw what was announced, as far as the network lets it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        if self._zeroconf is None:
            return
        for label in tuple(self._told):
            await self._withdraw(self._zeroconf, label)
        await self._zeroconf.async_close()
        self._zeroconf = None

    def hear(self, changes: Sequence[Change]) -> None:
        """Look again who is registered, where that may have changed."""
        if any(change.kind in RIGHTS for change in changes):
            self._changed.set()

    async def _keep(self, wait_s: float | None) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), wait_s)
            self._changed.clear()
            wait_s = await self._tried()

    async def _tried(self) -> float | None:
        """Announce what is offered now; None where that was done, else the time until the next try, s."""
        try:
            return None if await self._follow() else RETRY_S
        except StoreError as flaw:
            log.warning("Who is registered cannot be read: %s", flaw)
            return PAUSE_S
        except OSError as flaw:
            where = ", ".join(self._environment.settings.discovery_interfaces)
            log.warning("Not announced on %s: %s; it is tried again", where, flaw)
        except Exception:
            log.exception("The announcer failed; it goes on")
        return RETRY_S

    async def _follow(self) -> bool:
        """Announce what is offered now, and withdraw what is not any more; whether all of it was done."""
        settings = self._environment.settings
        sfdis = [int(text) for text in settings.discovery_sfdis]
        registered = await self._store.ask(partial(registered_of, sfdis=sfdis)) if sfdis else []
        wanted = {one.label: one for one in offered(self._environment, self._port, registered)}
        if self._zeroconf is None:
            library = importlib.import_module("zeroconf.asyncio")
            self._zeroconf = library.AsyncZeroconf(interfaces=list(settings.discovery_interfaces))
        own = self._zeroconf
        for label in self._told.keys() - wanted.keys():
            await self._withdraw(own, label)
        missing = [one for label, one in wanted.items() if label not in self._told]
        return all(await asyncio.gather(*[self._announce(own, one) for one in missing]))

    async def _announce(self, own: "AsyncZeroconf", service: Service) -> bool:
        """Announce one instance; False where that cannot be, because its name is taken for instance."""
        info = self._info(service)
        try:
            self._told[service.label] = info, await own.async_register_service(info)
        except (OSError, _failure()) as flaw:
            log.warning("%s is not announced: %r; it is tried again", service.label, flaw)
            return False
        return True

    async def _withdraw(self, own: "AsyncZeroconf", label: str) -> None:
        """Withdraw one instance, once it was told in full; it ends by itself where that cannot be told."""
        info, told = self._told.pop(label)
        try:
            await told
            await (await own.async_unregister_service(info))
        except (OSError, _failure()) as flaw:
            log.warning("%s is not withdrawn: %r", label, flaw)

    def _info(self, service: Service) -> "AsyncServiceInfo":
        library = importlib.import_module("zeroconf.asyncio")
        info: AsyncServiceInfo = library.AsyncServiceInfo(
            service.type_in(DOMAIN),
            service.name_in(DOMAIN),
            port=self._default_port,
            properties=dict(service.txt),
            server=self._host,
            parsed_addresses=list(self._environment.settings.discovery_interfaces),
        )
        return info


def _failure() -> type[Exception]:
    """The class of what the library raises."""
    failure: type[Exception] = importlib.import_module("zeroconf").Error
    return failure


def offered(environment: Environment, port: int, registered: Sequence[int] = ()) -> list[Service]:
    """The instances of a server that answers HTTPS at a port, by its profile and settings.

    `registered` are the SFDIs of the devices that have one of their own.
    """
    settings = environment.settings
    kinds = environment.offered_kinds & set(SUBTYPES.values())
    paths = {kind: environment.uris.of(kind) for kind in sorted(kinds)}
    return services(settings.discovery_name, port, environment.rules.level, paths, registered)


def registered_of(reader: Reader, sfdis: Sequence[int]) -> list[int]:
    """Which of some SFDIs are those of devices that are enrolled and enabled. IEEE 2030.5-2018, 7 and 10."""
    return [
        sfdi
        for sfdi in sfdis
        if any(not reader.is_disabled(one.end_device_id) for one in reader.clients_of_sfdi(sfdi))
    ]
