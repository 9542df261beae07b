"""Simulated inverters for the bench, in a process of their own: `python -m bench.inverters 500`.

Each has a port; a line of standard output lists the ports. The registers stand still, so that what is
measured is the client. The last one takes requests and answers none.
"""

from __future__ import annotations

import asyncio
import json
import sys

from der_client.sunspec.simulator import FaultSwitches, Inverter, InverterSettings, ModbusServer, ReplayStore

STORAGE = InverterSettings(charge_w=5_000, discharge_w=5_000, capacity_wh=10_000)
FIRST = 40_000


def registers() -> dict[int, int]:
    """The map of a battery inverter that runs, by address."""
    inverter = Inverter(STORAGE, 0.0)
    inverter.step(1.0)
    end = max(model.end for model in inverter.bank.models.values()) + 2
    return dict(enumerate(inverter.read(FIRST, end - FIRST), FIRST))


async def serve(count: int) -> None:
    """Serve until the process is told to stop."""
    store = ReplayStore(registers())
    servers = [await ModbusServer({1: store}).start() for _ in range(count)]
    servers.append(await ModbusServer({1: store}, FaultSwitches(silent=True)).start())
    sys.stdout.write(json.dumps([server.port for server in servers]) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
