"""Sessions of PostgreSQL: how one is opened, and how it is noticed that nobody is at the other end."""

import socket
from asyncio import AbstractEventLoop
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final
from urllib.parse import urlencode

from sep2_server.address import PostgresAddress

CONNECT_S: Final = 3.0
SILENT_S: Final = 10
"""How long the machine of the database may acknowledge nothing: its power or the network may be gone."""
_IDLE_S: Final = 4
_PROBE_S: Final = 2
_OPTIONS: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE_S),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _PROBE_S),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, (SILENT_S - _IDLE_S) // _PROBE_S),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * SILENT_S),
)


async def opened(
    driver: ModuleType, address: PostgresAddress, loop: AbstractEventLoop, settings: Mapping[str, str]
) -> Any:  # noqa: ANN401
    """A new session, in which something can be written. Errors are those of the driver."""
    session = await driver.connect(
        dsn=f"postgresql://?{urlencode(address.tls)}" if address.tls else None,
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        database=address.name,
        timeout=CONNECT_S,
        loop=loop,
        statement_cache_size=0,
        server_settings=settings,
        target_session_attrs="read-write",
    )
    _end_where_silent(session)
    return session


def _end_where_silent(session: Any) -> None:  # noqa: ANN401
    """Let the system end the connection of a session whose other end says nothing for `SILENT_S`.

    A question may take as long as it takes: the machine of the database acknowledges it at once.
    """
    connected = session._transport.get_extra_info("socket")  # noqa: SLF001
    if connected is not None and connected.family != socket.AF_UNIX:
        for level, option, value in _OPTIONS:
            connected.setsockopt(level, option, value)
