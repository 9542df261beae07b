"""What a bus needs of the line below it: something that opens, sends one request and hands in its answer."""

from typing import Protocol


class Receiver(Protocol):
    """The bus, as a link sees it."""

    def answered(self, pdu: bytes) -> None:
        """The answer to the request that was sent last."""
        ...

    def spoiled(self, detail: str) -> None:
        """What came instead of the answer cannot be one: it is not waited for any longer."""
        ...

    def lost(self, detail: str) -> None:
        """The connection is gone."""
        ...


class Link(Protocol):
    """An open connection or serial port with one request on it at a time."""

    @property
    def is_open(self) -> bool:
        """False once the connection is gone."""
        ...

    def send(self, unit: int, pdu: bytes) -> None:
        """Send a request and take only an answer to it from now on."""
        ...

    def ignore(self) -> None:
        """Wait no longer for the answer to the last request: one that comes late is thrown away."""
        ...

    def pause_s(self, now_s: float) -> float:
        """How long the line must stay silent before the next request, s."""
        ...

    def span_s(self, pdu: bytes) -> float:
        """How long a request and its answer take on the wire, s."""
        ...

    async def close(self) -> None:
        """Let go of the line; nothing is received after that."""
        ...

    def abort(self) -> None:
        """As `close`, at once and without a word to the other side."""
        ...


class Line(Protocol):
    """Where a bus is: how it is opened, and what people call it."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def is_connection(self) -> bool:
        """True if silence may mean that the connection is dead, so that it is opened anew."""
        ...

    @property
    def has_broadcast(self) -> bool:
        """True if all units take what is written to unit 0, and none answers."""
        ...

    async def open(self, receiver: Receiver) -> Link:
        """An open link. OSError where there is none; the bus bounds how long it takes."""
        ...
