"""A client that costs as little as can be: requests and answers as octets on a TLS socket that blocks."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl

BIG = 1 << 18


class Wire:
    """One connection, kept; with `session` it is resumed."""

    def __init__(
        self,
        port: int,
        context: ssl.SSLContext,
        session: ssl.SSLSession | None = None,
        *,
        is_shaken: bool = True,
    ) -> None:
        """`is_shaken`: with the handshake, which `shake_hands` makes up for otherwise."""
        plain = socket.create_connection(("127.0.0.1", port), timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.context = context
        self.socket = context.wrap_socket(
            plain, server_hostname=None, session=session, do_handshake_on_connect=is_shaken
        )
        self._held = b""

    @property
    def session(self) -> ssl.SSLSession | None:
        """What another connection of this context can resume."""
        return self.socket.session

    def close(self) -> None:
        """Close it."""
        self.socket.close()

    def get(self, path: str) -> bytes:
        """The body at a path; RuntimeError where the answer is not 200."""
        status, body = self.exchange(request("GET", path))
        if status != 200:
            raise RuntimeError(f"GET {path}: {status}")
        return body

    def exchange(self, octets: bytes) -> tuple[int, bytes]:
        """Send one request, take its answer: status and body."""
        self.socket.sendall(octets)
        status, _, body = self.take()
        return status, body

    def take(self) -> tuple[int, bytes, bytes]:
        """One answer: status, head, body."""
        held = self._held
        while (end := held.find(b"\r\n\r\n")) < 0:
            held += self._more()
        head = held[:end]
        at = head.lower().find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        while len(held) < end + 4 + length:
            held += self._more()
        self._held = held[end + 4 + length :]
        return int(head[9:12]), head, held[end + 4 : end + 4 + length]

    def skip(self, octets: int) -> None:
        """Read so many octets and forget them."""
        while len(self._held) < octets:
            self._held += self._more()
        self._held = self._held[octets:]

    def _more(self) -> bytes:
        octets = self.socket.recv(BIG)
        if not octets:
            raise RuntimeError("the server closed the connection")
        return octets


def shake_hands(wires: list[Wire]) -> None:
    """The handshakes of connections at the same time."""
    waiting = {wire.socket for wire in wires}
    for each in waiting:
        each.setblocking(False)
    while waiting:
        for each in tuple(waiting):
            with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                each.do_handshake()
                each.settimeout(60)
                waiting.remove(each)
        if waiting:
            select.select(waiting, [], [], 60)


def request(method: str, path: str, body: bytes = b"") -> bytes:
    """The octets of a request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/sep+xml\r\n"
    if body:
        head += f"Content-Type: application/sep+xml\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body
