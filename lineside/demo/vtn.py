"""The VTN of the demonstration, as a process of its own: OpenADR 2.0b, mutual TLS, signed both ways.

`python -m lineside.demo.vtn FOLDER` serves with the certificates of FOLDER/openadr, and writes a line of JSON
for each thing that it did or heard. Orders come by a Unix socket that its owner alone may use.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from certs import Credentials, Pki, openadr_server_context
from lineside.demo.story import OPENADR_PKI, VTN, VTN_SOCKET
from lineside.demo.utility_event import event_of, lines_of, order_of, requests_of
from openadr_ven.v2b import ReplayGuard, ReportOffer, Signer, Verifier
from openadr_ven.v2b import messages as m
from openadr_ven.vtn.v2b import Vtn
from openadr_ven.vtn.v2b_http import VtnServer
from owner import opened

if TYPE_CHECKING:
    from lineside.demo.steps import Line

POLL_S: Final = 1
PATIENCE_S: Final = 10.0
MOST_BYTES: Final = 65_536


class Utility:
    """The VTN, and the person at it."""

    def __init__(self, own: Credentials) -> None:
        signer = Signer.of_files(own.certificate_path, own.key_path)
        self.vtn = Vtn(poll_s=POLL_S, signer=signer, verifier=Verifier(ReplayGuard()), hears=self._hears)
        self._offers: tuple[ReportOffer, ...] = ()
        self._count = 0

    def publish(self, asked: object) -> Line:
        """Publish an event, and ask for the telemetry that goes with it. ValueError for a wrong order."""
        order = order_of(asked)
        now = int(time.time())
        self._count += 1
        event = event_of(order, f"event-{self._count}", now)
        self.vtn.events = {n: e for n, e in self.vtn.events.items() if _end(e.start, e.duration_s) > now}
        self.vtn.publish(event)
        asks = m.CreateReport(requestID=f"{event.eventID} telemetry", requests=requests_of(order, event))
        self.vtn.send(asks)
        line = {
            "what": "published",
            "detail": f"{event.eventID}: LOAD_DISPATCH setpoint {order.watts} W for {order.resource},"
            f" in {order.in_s} s for {order.for_s} s",
            "event": event.eventID,
            "start": event.start,
            "duration_s": order.for_s,
        }
        _tell(line)
        return line

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one order, a line of JSON, and say what became of it."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                asked = await reader.readline()
                answer: Line
                try:
                    answer = self.publish(json.loads(asked))
                except ValueError as flaw:
                    answer = {"error": str(flaw)}
                writer.write((json.dumps(answer) + "\n").encode())
                await writer.drain()
        except (TimeoutError, ValueError, OSError) as flaw:
            sys.stderr.write(f"an order was cut off: {flaw}\n")
        finally:
            writer.close()

    def _hears(self, message: m.Message, answer: m.Message) -> None:
        """Tell what is worth it. What was heard is not kept: this VTN may stay up for long."""
        self.vtn.heard.clear()
        if isinstance(message, m.RegisterReport):
            self._offers = message.offers
        for line in lines_of(message, answer, self._offers):
            _tell(line)


async def serve(folder: Path) -> None:
    """Listen until told to stop; the first line says where."""
    pki = Pki.open(folder / OPENADR_PKI)
    own = pki.credentials(VTN)
    utility = Utility(own)
    context = openadr_server_context([(own.certificate_path, own.key_path)], own.root_path)
    server = VtnServer(utility.vtn, context)
    await server.start()
    door = folder / VTN_SOCKET
    try:
        async with await asyncio.start_unix_server(utility.serve, sock=opened(door), limit=MOST_BYTES):
            _tell({"what": "ready", "detail": f"OpenADR 2.0b at port {server.port}", "port": server.port})
            await _told_to_stop()
    finally:
        door.unlink(missing_ok=True)
        await server.stop()


async def _told_to_stop() -> None:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()


def _end(start: int | None, duration_s: int | None) -> int:
    return (start or 0) + (duration_s or 0)


def _tell(line: Line) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
