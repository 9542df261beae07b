"""Who announces itself as `_smartenergy._tcp` by DNS-SD over multicast; needs the extra `discovery`."""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from conformance_tests.errors import Skipped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SERVICE: Final = "_smartenergy._tcp.local."
LISTEN_S: Final = 4.0
_ANSWER_MS: Final = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """One announcement: name, port, and the keys of its TXT record."""

    name: str
    port: int
    texts: Mapping[str, str] = field(default_factory=dict)


async def announced(host: str) -> Sequence[Announced]:
    """All announcements that are heard within some seconds on the networks of this machine.

    A host that is this machine itself is looked for on loopback. Skipped without the extra `discovery`.
    """
    try:
        from zeroconf import InterfaceChoice, ServiceStateChange  # noqa: PLC0415 - an extra
        from zeroconf.asyncio import (  # noqa: PLC0415 - an extra
            AsyncServiceBrowser,
            AsyncServiceInfo,
            AsyncZeroconf,
        )
    except ImportError:
        raise Skipped("needs the extra `discovery`: pip install lineside[discovery]") from None
    names: set[str] = set()

    def heard(zeroconf: object, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        del zeroconf, service_type
        if state_change is not ServiceStateChange.Removed:
            names.add(name)

    where = [host] if _is_loopback(host) else InterfaceChoice.All
    async with AsyncZeroconf(interfaces=where) as network:
        browser = AsyncServiceBrowser(network.zeroconf, SERVICE, handlers=[heard])
        await asyncio.sleep(LISTEN_S)
        await browser.async_cancel()
        found = []
        for name in sorted(names):
            info = AsyncServiceInfo(SERVICE, name)
            if await info.async_request(network.zeroconf, _ANSWER_MS):
                found.append(_told(info))
    return found


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Info(Protocol):
    """What is known of an announcement."""

    name: str
    port: int | None

    @property
    def properties(self) -> dict[bytes, bytes | None]:
        """The keys of its TXT record."""
        ...


def _told(info: _Info) -> Announced:
    texts = {
        key.decode(errors="replace"): (value or b"").decode(errors="replace")
        for key, value in info.properties.items()
    }
    return Announced(name=info.name, port=info.port or 0, texts=texts)
