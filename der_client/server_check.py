"""The rules of certificates that a TLS handshake alone does not hold, applied to each new connection.

Who the server is, is kept: it alone may send Notifications.
"""

import asyncio
import logging
from pathlib import Path

from certs import PeerJudge

log = logging.getLogger(__name__)


class ServerCheck:
    """Says after a handshake, before the first request, whether the server's chain is to be refused.

    IEEE 2030.5-2018, 6.11.
    """

    def __init__(self, roots: Path) -> None:
        self._judge = PeerJudge(roots)
        self.lfdis: set[str] = set()
        """LFDIs of the servers that were connected to."""

    def refusal(self, transport: asyncio.BaseTransport) -> str | None:
        """Why to refuse the peer of this connection, or None."""
        lfdi, reason = self._judge.judged(transport.get_extra_info("ssl_object"))
        if reason is not None:
            log.warning("server certificate refused: %s", reason.text)
            return reason.text
        if lfdi is not None:
            self.lfdis.add(str(lfdi))
        return None
