"""Where a server notifies the runner in the procedures of CSIP-AUS: an address for each subscription."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from conformance_tests.aus.server_notices import Arrival

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from conformance_tests.server.bench import ServerBench
    from conformance_tests.server.listener import Listener

TAKEN: Final = 204
REFUSED: Final = 503


@dataclass(frozen=True, slots=True)
class TaggedInbox:
    """What came at the addresses of subscriptions, each a path of its own at the listener of the run."""

    listener: Listener

    def uri_of(self, tag: str) -> str:
        """The notificationURI of a subscription."""
        return f"{self.listener.origin}{_path(tag)}"

    def arrived(self, tag: str) -> Sequence[Arrival]:
        """All that came for a subscription and was taken, in its order."""
        return [
            Arrival(method=one.method, content_type=one.header("content-type"), body=one.body)
            for one in self.listener.taken.get(_path(tag), [])
        ]

    def take(self, tag: str, *, taken: bool) -> None:
        """Answer with a 2xx from now on, or with a 5xx."""
        self.listener.statuses[_path(tag)] = TAKEN if taken else REFUSED


def _path(tag: str) -> str:
    return f"/{quote(tag)}"


@asynccontextmanager
async def inbox_of(bench: ServerBench) -> AsyncIterator[TaggedInbox]:
    """An inbox at the address of the run, with the certificate of the aggregator, as long as it is entered.

    UsageError where the address cannot be listened at.
    """
    async with bench.listening(bench.aggregator) as listener:
        listener.status = TAKEN
        yield TaggedInbox(listener)
