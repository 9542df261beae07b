"""Listening sockets, made apart from the event loop so that processes can share a port."""

import resource
import socket
from typing import Final

BACKLOG: Final = 1024
"""Connections that wait to be accepted; the system's own bound is `net.core.somaxconn`."""


def listen(host: str, port: int, *, shared: bool = False) -> list[socket.socket]:
    """Sockets that listen on every address of a host; all have one port, also where 0 lets the system choose.

    With `shared` further sockets may be bound to the same port: the system spreads connections over them.
    OSError where the port is taken or the host has no address here.
    """
    made: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, place in dict.fromkeys(found):
            chosen = port or (made[0].getsockname()[1] if made else 0)
            made.append(_bound(socket.socket(family, kind, protocol), (place[0], chosen, *place[2:]), shared))
    except OSError:
        for one in made:
            one.close()
        raise
    return made


def raise_file_limit() -> int:
    """Let this process have as many open files as the system allows it; how many that are."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def _bound(made: socket.socket, place: tuple[object, ...], shared: bool) -> socket.socket:
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if made.family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(place)
        made.listen(BACKLOG)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
