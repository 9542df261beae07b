"""The end of connections: those at the other end may take part in it, for a while."""

import asyncio
from collections.abc import Iterable
from typing import Final, Protocol

GOODBYE_S: Final = 0.5
"""How long the other end has to answer the end of TLS."""


class Parting(Protocol):
    """A connection; `gone` is done once nothing of it is left."""

    gone: asyncio.Future[None]

    def close(self) -> None:
        """End it; the other end may answer."""

    def abort(self) -> None:
        """Cut it."""


async def end_all(connections: Iterable[Parting]) -> None:
    """Close connections; one whose end is not answered in time is cut."""
    left = list(connections)
    for one in left:
        one.close()
    if left:
        await asyncio.wait([one.gone for one in left], timeout=GOODBYE_S)
    for one in left:
        one.abort()
