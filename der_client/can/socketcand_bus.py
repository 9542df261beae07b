"""python-can's socketcand bus made safe: alone it floods the log without an answer and spins on a dead peer.

Shell, blocking: only called from the reader thread of `bus`.
"""

from __future__ import annotations

import select
import socket

import can

_PROBE_S = 2.0
_HANDSHAKE = (("", "< hi >"), ("< open {channel} >", "< ok >"), ("< rawmode >", "< ok >"))
_SOCKET_ATTRIBUTE = "_SocketCanDaemonBus__socket"


def probe_socketcand(host: str, port: int, channel: str) -> None:
    """Go through the handshake on a connection of our own. `OSError` or `can.CanError` if it fails."""
    with socket.create_connection((host, port), timeout=_PROBE_S) as connection:
        for command, answer in _HANDSHAKE:
            connection.sendall(command.format(channel=channel).encode("ascii"))
            got = connection.recv(256).decode("ascii", "replace")
            if not got.startswith(answer):
                raise can.CanInitializationError(f"expected {answer!r}, got {got!r}")


def receive_socketcand(bus: can.BusABC, timeout_s: float) -> can.Message | None:
    """The next message within `timeout_s`; `can.CanOperationError` once the server is gone."""
    message = bus.recv(0.0)
    if message is not None or not _has_bytes(bus, timeout_s):
        return message
    return bus.recv(0.0)


def _has_bytes(bus: can.BusABC, timeout_s: float) -> bool:
    connection = getattr(bus, _SOCKET_ATTRIBUTE, None)
    if not isinstance(connection, socket.socket):
        raise can.CanOperationError("this version of python-can does not show its socket")
    if not select.select([connection], [], [], timeout_s)[0]:
        return False
    if not connection.recv(1, socket.MSG_PEEK):
        raise can.CanOperationError("the server closed the connection")
    return True
