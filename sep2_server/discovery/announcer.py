"""Announces a server by multicast DNS while it runs, on the interfaces that the settings name and no other.

`zeroconf` is LGPL-2.1-or-later and no part of Lineside: it is the extra `discovery`, loaded when needed.
"""

import asyncio
import importlib
import logging
import socket
from typing import TYPE_CHECKING, Final

from sep2_server.discovery.records import SUBTYPES, Service, services
from sep2_server.environment import Environment
from sep2_server.setting_values import SettingsError

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

DOMAIN: Final = "local"

log = logging.getLogger(__name__)


class Announcer:
    """Tells of a server from `start` to `stop`. SettingsError where the extra is not installed."""

    def __init__(self, environment: Environment, port: int, redirect_port: int) -> None:
        """Get ready to announce HTTPS at `port`; `redirect_port` is that of plain HTTP, 0 for none."""
        self._environment = environment
        self._port = port
        self._default_port = redirect_port or port
        self._zeroconf: AsyncZeroconf | None = None
        self._infos: list[AsyncServiceInfo] = []

    async def start(self) -> None:
        """Announce the server and what it offers."""
        try:
            library = importlib.import_module("zeroconf.asyncio")
        except ImportError as flaw:
            raise SettingsError("discovery: install lineside[discovery] for it") from flaw
        settings = self._environment.settings
        interfaces = list(settings.discovery_interfaces)
        self._zeroconf = library.AsyncZeroconf(interfaces=interfaces)
        host = f"{socket.gethostname().partition('.')[0]}.{DOMAIN}."
        self._infos = [
            library.AsyncServiceInfo(
                one.type_in(DOMAIN),
                one.name_in(DOMAIN),
                port=self._default_port,
                properties=dict(one.txt),
                server=host,
                parsed_addresses=interfaces,
            )
            for one in offered(self._environment, self._port)
        ]
        async with asyncio.TaskGroup() as tasks:
            for info in self._infos:
                tasks.create_task(self._zeroconf.async_register_service(info))
        log.info("Announced as %s on %s", settings.discovery_name, ", ".join(interfaces))

    async def stop(self) -> None:
        """Withdraw what was announced."""
        if self._zeroconf is None:
            return
        for info in self._infos:
            await (await self._zeroconf.async_unregister_service(info))
        await self._zeroconf.async_close()
        self._zeroconf = None


def offered(environment: Environment, port: int) -> list[Service]:
    """The instances of a server that answers HTTPS at a port, by its profile and settings."""
    settings = environment.settings
    kinds = environment.offered_kinds & set(SUBTYPES.values())
    paths = {kind: environment.uris.of(kind) for kind in sorted(kinds)}
    sfdis = [int(text) for text in settings.discovery_sfdis]
    return services(settings.discovery_name, port, environment.rules.level, paths, sfdis)
