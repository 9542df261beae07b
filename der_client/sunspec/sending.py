"""Blocks that were worked out before, on their way to a device while nobody waits for them."""

import asyncio
from collections.abc import Sequence

from der_client.sunspec.bus import Answer
from der_client.sunspec.requests import write_request
from der_client.sunspec.scan import Failure
from der_client.sunspec.transport import ModbusTransport
from der_client.sunspec.turns import Urgency
from der_client.sunspec.writes import Block


class Sending:
    """One block after the other, none after one that failed; `done` when there is nothing to wait for."""

    def __init__(self, transport: ModbusTransport, blocks: Sequence[Block]) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.failure: Failure | None = None
        self._transport = transport
        self._requests = [write_request(block.address, block.words) for block in blocks]
        self._send()

    @property
    def has_arrived(self) -> bool:
        """True if the device acknowledged every block."""
        return self.failure is None and not self._requests

    def _send(self) -> None:
        if self.failure is not None or not self._requests:
            if not self.done.done():
                self.done.set_result(None)
            return
        self._transport.send(self._requests[0], Urgency.WRITE).add_done_callback(self._answered)

    def _answered(self, answer: Answer) -> None:
        result = self._transport.taken(self._requests.pop(0), answer.result())
        self.failure = result if isinstance(result, Failure) else None
        self._send()
