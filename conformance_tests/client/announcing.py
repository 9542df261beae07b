"""The scripted server is announced by multicast DNS, for clients that look for their server themselves.

`zeroconf` is LGPL-2.1-or-later and no part of Lineside: it is the extra `discovery`, loaded when needed.
IEEE 2030.5-2018, 7 (resource discovery); CSIP test procedures 1.3, COMM-001.
"""

from __future__ import annotations

import importlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from conformance_tests.errors import Skipped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SERVICE: Final = "_smartenergy._tcp.local."
NAME: Final = "lineside-conformance"


@asynccontextmanager
async def announced(host: str, port: int, dcap: str) -> AsyncIterator[None]:
    """Tell of a server at an address (an IP address of ours) until the end. Skipped without the extra."""
    try:
        library: Any = importlib.import_module("zeroconf.asyncio")
    except ImportError:
        raise Skipped("install lineside[discovery] to announce the server by multicast DNS") from None
    speaker = library.AsyncZeroconf(interfaces=[host])
    info = library.AsyncServiceInfo(
        SERVICE,
        f"{NAME}.{SERVICE}",
        port=port,
        properties={"txtvers": "1", "dcap": dcap, "https": str(port), "level": "-S1"},
        server=f"{NAME}.local.",
        parsed_addresses=[host],
    )
    try:
        await (await speaker.async_register_service(info))
        yield
        await (await speaker.async_unregister_service(info))
    finally:
        await speaker.async_close()
