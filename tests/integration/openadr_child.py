"""A 2.0b VEN in a process of its own: `python openadr_child.py PORT FILE`, until it is killed."""

import asyncio
import sys
import uuid
from decimal import Decimal
from pathlib import Path

from openadr_ven.events import uniform
from openadr_ven.memory import FileMemory
from openadr_ven.v2b.client import Settings, Ven
from openadr_ven.v2b.desk import Desk
from openadr_ven.v2b.exchange import Exchange
from openadr_ven.v2b.http import HttpTransport
from openadr_ven.v2b.ports import SystemClock
from tests.unit.openadr_ven.v2b.conversations import USAGE
from tests.unit.openadr_ven.v2b.world import SITE, Meters


def new_id() -> str:
    return uuid.uuid4().hex


async def main(port: str, kept: Path) -> None:
    clock = SystemClock()
    async with HttpTransport(f"http://127.0.0.1:{port}", None) as transport:
        await Ven(
            Settings(venName="Site", enrolment=SITE, draw=uniform(lambda: 0.5), offers=(USAGE,)),
            Exchange(transport, clock.now, new_id),
            Desk(FileMemory(kept), clock, new_id),
            clock,
            Meters(values={"battery-w": Decimal(7)}),
            chance=lambda: 0.0,
            new_id=new_id,
        ).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
