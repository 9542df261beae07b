"""A server with one of everything, full lists and a fleet, in a process of its own.

    python -m bench.full_house FOLDER

prints the port once all is stored, and serves until it is told to end. The certificates are in FOLDER/pki:
`device`, `other`, `boss` (the aggregator of device and fleet).
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Final

from certs import Pki
from tests.integration.crowded_lists import crowd
from tests.integration.fleet_house import FULL, Fleet
from tests.integration.lived_in_house import SETTINGS, furnish
from tests.integration.sep2_harness import running

DEVICE, OTHER, AGGREGATOR = "device", "other", "boss"
PROFILE: Final = "csip"


async def _serve(folder: Path) -> None:
    pki = Pki.create(folder / "pki", depth=3)
    given = {**SETTINGS, **FULL, "profile": PROFILE}
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with running(folder, pki, **given) as bench:
        house = await furnish(bench, device=DEVICE, aggregator=AGGREGATOR)
        await bench.enrol(OTHER)
        await crowd(house)
        await Fleet(house).fill()
        print(bench.server.port, flush=True)
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
