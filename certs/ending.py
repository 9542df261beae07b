"""The end of a connection that says no goodbye."""

import asyncio
import contextlib


def cut(transport: asyncio.WriteTransport) -> None:
    """Close a connection at once, in whatever state it is.

    Python before 3.11.3 cannot abort a TLS transport that was closed twice: it has let go of it already, and
    its end goes on by itself.
    """
    with contextlib.suppress(AttributeError):
        transport.abort()
