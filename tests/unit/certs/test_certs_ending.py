"""A connection is cut in whatever state it is."""

import asyncio

from certs.ending import cut


class Open(asyncio.Transport):
    """A transport that is open."""

    is_aborted = False

    def abort(self) -> None:
        self.is_aborted = True


class ClosedTwice(asyncio.Transport):
    """As Python before 3.11.3 leaves a TLS transport that was closed twice."""

    def abort(self) -> None:
        None._abort()  # type: ignore[attr-defined]


def test_an_open_connection_is_aborted() -> None:
    transport = Open()
    cut(transport)
    assert transport.is_aborted


def test_one_that_was_closed_twice_is_left_to_end() -> None:
    cut(ClosedTwice())
