"""The driver of docs/howto/driver.md, as it stands there, keeps the contract against a device of its kind."""

import asyncio
import importlib.util
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest

from der_client.driver import Driver
from der_client.driver_contract import CHECKS, Check, Held, NotApplicableError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "driver.md"
MAX_W = 4_000.0


@dataclass
class JsonLineDevice:
    """A 4 kW inverter in the sun that keeps a limit for as long as it was told."""

    now_s: float = 0.0
    limit_w: float = MAX_W
    then_w: float = MAX_W
    ends_s: float = float("inf")
    wrongs: set[str] = field(default_factory=set)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def advance(self, seconds: float) -> None:
        self.now_s += seconds
        if self.now_s >= self.ends_s:
            self.limit_w, self.ends_s = self.then_w, float("inf")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with suppress(OSError):
            while line := await reader.readline():
                if "silent" not in self.wrongs:
                    writer.write(self.answer(json.loads(line)))
        writer.close()

    async def leave(self) -> None:
        """Close every connection."""
        for writer in self.writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def answer(self, question: dict[str, object]) -> bytes:
        if "garbage" in self.wrongs:
            return b"\xff\x00{\n"
        if "refuses" in self.wrongs:
            return b'{"error": "busy"}\n'
        if question.get("get") == "identity":
            return self.line(maker="Acme", model="Roof 4", serial="7", max_w=MAX_W)
        if question.get("get") != "state" and "deaf" not in self.wrongs:
            self.obey(question)
        return self.line(power_w=min(MAX_W, self.limit_w), limit_w=self.limit_w)

    def obey(self, order: dict[str, object]) -> None:
        self.limit_w, self.then_w = float(str(order["limit_w"])), float(str(order["then_w"]))
        self.ends_s = self.now_s + float(str(order["for_s"]))

    def line(self, **said: object) -> bytes:
        return json.dumps(said).encode() + b"\n"


@dataclass
class JsonLineRig:
    driver: Driver[object]
    device: JsonLineDevice
    faults: Mapping[str, Callable[[bool], None]]

    def held(self) -> Held:
        limit_w = self.device.limit_w
        limit_pct = None if limit_w >= MAX_W else 100 * limit_w / MAX_W
        return Held(max_w_pct=limit_pct, target_w=None, power_w=min(MAX_W, limit_w))

    async def advance(self, seconds: float) -> None:
        self.device.advance(seconds)

    async def set_reachable(self, *, is_reachable: bool) -> None:
        switch_of(self.device, "silent")(not is_reachable)


def switch_of(device: JsonLineDevice, wrong: str) -> Callable[[bool], None]:
    return lambda is_on: device.wrongs.add(wrong) if is_on else device.wrongs.discard(wrong)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The code of the page as a module."""
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[0]
    path = tmp_path_factory.mktemp("page") / "jsonline.py"
    path.write_text(code)
    spec = importlib.util.spec_from_file_location("jsonline", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@asynccontextmanager
async def jsonline_rig(page: ModuleType) -> AsyncIterator[JsonLineRig]:
    device = JsonLineDevice()
    server = await asyncio.start_server(device.serve, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    settings = page.JsonLineSettings(host="127.0.0.1", port=port, timeout_s=0.2)
    driver: Driver[object] = page.JsonLineDriver.add("roof", settings)
    faults = {wrong: switch_of(device, wrong) for wrong in ("silent", "garbage", "refuses", "deaf")}
    try:
        yield JsonLineRig(driver, device, faults)
    finally:
        await driver.close()
        server.close()
        await device.leave()
        await server.wait_closed()


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_the_driver_of_the_page_keeps_the_contract(check: Check, page: ModuleType) -> None:
    try:
        check.run(lambda: jsonline_rig(page))
    except NotApplicableError as reason:
        pytest.skip(str(reason))
