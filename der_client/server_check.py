"""The rules of certificates that a TLS handshake alone does not hold, applied to each new connection.

Who the server is, is kept: it alone may send Notifications.
"""

import asyncio
import logging
from pathlib import Path

import aiohttp

from certs import KnownIssuers, judged_peer

log = logging.getLogger(__name__)


class ServerCheck(aiohttp.Fingerprint):
    """Closes a connection before its first request if the server's certificate chain is to be refused.

    aiohttp calls `check` once per connection, after the handshake. IEEE 2030.5-2018, 6.11.
    """

    def __init__(self, roots: Path) -> None:
        super().__init__(bytes(32))
        self._issuers = KnownIssuers.from_files(roots)
        self.lfdis: set[str] = set()
        """LFDIs of the servers that were connected to."""

    def check(self, transport: asyncio.Transport) -> None:
        """Refuse the peer of this connection, or do nothing."""
        session = transport.get_extra_info("ssl_object")
        identity, reason = judged_peer(session, self._issuers) if session is not None else (None, None)
        if reason is None:
            if identity is not None:
                self.lfdis.add(str(identity.lfdi))
            return
        host, port, *_ = transport.get_extra_info("peername")
        log.warning("server certificate refused: %s", reason.text)
        raise aiohttp.ServerFingerprintMismatch(b"", b"", host, port)
