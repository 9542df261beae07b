"""A device of plain registers that adopts curves, behind Modbus TCP, with the driver for it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from der_client.sunspec import MappingSettings, SunSpecDevice, SunSpecSettings, TransportSettings
from der_client.sunspec.model import Model
from der_client.sunspec.permissions import Permissions
from der_client.sunspec.simulator import ModbusServer
from der_client.sunspec.simulator.bank import IllegalRequestError, put

QUICK = SunSpecSettings(
    transport=TransportSettings(timeout_s=0.5, backoff_s=0.05),
    readback_s=0.3,
    readback_pause_s=0.01,
    adopt_s=0.3,
    adopt_pause_s=0.01,
    mapping=MappingSettings(permissions=Permissions(allow_grid_code_writes=True)),
)


class Shelf:
    """The registers of a device that adopts curves: `result` is what it says then, `obeys` whether it does.

    `single` refuses function code 16 as a device does that knows code 6 only; `busy` refuses all writes.
    """

    def __init__(self, models: Sequence[Model], *, result: int = 1, obeys: bool = True) -> None:
        self.models = {model.model_id: model for model in models}
        self.chain = models
        self.result = result
        self.obeys = obeys
        self.single = False
        self.busy = False
        self.refused = 0
        self.longest = 0
        self.most = 0
        self.writes: list[str] = []

    def read(self, address: int, count: int) -> list[int]:
        self.longest = max(self.longest, count)
        flat = [0x5375, 0x6E53, *(word for model in self.chain for word in model.words), 0xFFFF, 0]
        if address < 40000 or address + count > 40000 + len(flat):
            raise IllegalRequestError(2, "outside")
        return flat[address - 40000 : address - 40000 + count]

    def write(self, address: int, words: Sequence[int]) -> None:
        self.most = max(self.most, len(words))
        if self.busy:
            raise IllegalRequestError(6, "busy")
        if len(words) > 1 and self.single:
            self.refused += 1
            raise IllegalRequestError(1, "function code 6 only")
        model = next(m for m in self.chain if m.address <= address < m.end)
        start = address - model.address
        model.update(start, words)
        points = model.layout.points if model.layout else ()
        names = [p.name for p in points if start <= p.offset < start + len(words)]
        self.writes.append(f"{model.model_id}.{names[0] if names else start}")
        if "RvrtTms" in names:
            put(model, "RvrtRem", model.integer("RvrtTms") or 0)
        if names == ["AdptCrvReq"]:
            self.adopt(model, words[0])

    def adopt(self, model: Model, number: int) -> None:
        """Bring a stored curve into force, where it obeys."""
        put(model, "AdptCrvRslt", self.result)
        source = f"Crv[{number - 1}]."
        points = [p for p in (model.layout.points if model.layout else ()) if p.name.startswith(source)]
        for point in [p for p in points if self.obeys and p.writable]:
            shown = model.point("Crv[0]." + point.name.removeprefix(source))
            words = model.raw(point.name)
            assert shown is not None
            assert words is not None
            model.update(shown.offset, words)


@asynccontextmanager
async def served(shelf: Shelf, settings: SunSpecSettings = QUICK) -> AsyncIterator[SunSpecDevice]:
    """A driver for a device on a shelf."""
    server = await ModbusServer({1: shelf}).start()
    device = SunSpecDevice("der", "127.0.0.1", server.port, settings=settings)
    try:
        yield device
    finally:
        await device.close()
        await server.close()


async def until(is_so: Callable[[], bool], within_s: float = 5.0) -> None:
    """Wait for a fact that the event loop brings about."""
    async with asyncio.timeout(within_s):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0)
