"""The utility's side of the demonstration: VTN and VEN as processes, and its event followed step by step."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

from lineside.demo import story
from lineside.demo.children import ChildError, start, tail
from lineside.demo.site import SERVER_FOLDER, operator_client
from lineside.demo.steps import Evidence, Line, Step, Told, steps_of
from lineside.demo.story import VEN, VTN, VTN_SOCKET
from lineside.demo.ven_folder import write_ven
from owner import ask
from sep2_server.operator import ApiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AsyncExitStack
    from pathlib import Path

    from lineside.demo.stage import Stage

LOOK_S: Final = 0.25
REPEATED: Final = frozenset({story.STATUS, story.USAGE})
"""What the VTN hears again and again: told where it is new for the event."""


class Upstream:
    """VTN and VEN, and what was seen of the event."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.evidence = Evidence(scene=story.EVENT)

    async def _start(self, stack: AsyncExitStack) -> None:
        """Start the VTN, and the VEN once that listens. ChildError where it does not."""
        stage = self._stage
        vtn = await start(VTN, stage.folder, str(stage.folder), module="lineside.demo.vtn")
        stack.push_async_callback(vtn.stop)
        port = int(str((await vtn.first_line())["port"]))
        stage.timeline.tell(VTN, f"OpenADR 2.0b at https://127.0.0.1:{port} (mutual TLS, signed)")
        stage.tasks.start(vtn.listen(lambda _, line: self.hear(line)))
        config = write_ven(stage.site, port)
        ven = await start(VEN, stage.folder, "-v", "ven", "run", "--config", str(config))
        stack.push_async_callback(ven.stop)

    def hear(self, line: Line) -> None:
        """Keep what the VTN says, and tell it."""
        self.evidence.heard.append(line)
        key = (f"{VTN} {line.get('event')}", str(line["detail"]))
        if line["what"] not in REPEATED or key not in self._stage.told:
            self._stage.told.add(key)
            self._stage.timeline.tell(VTN, f"{line['what']}: {line['detail']}")

    async def follow(self, stack: AsyncExitStack) -> list[Told]:
        """Let the utility play while the operator does, and look for each step until one is not seen.

        VTN and VEN stay up until the stack is closed.
        """
        await self._stage.begun.wait()
        at = asyncio.get_running_loop().time() + story.EVENT.at_s
        await self._start(stack)
        first, *others = steps_of(story.EVENT)
        told = await followed([first], self.evidence, self._look)
        if told[-1].proof is not None:
            await asyncio.sleep(at - asyncio.get_running_loop().time())
            await self._publish()
            told += await followed(others, self.evidence, self._look)
        return told

    def reasons(self, told: Sequence[Told]) -> list[str]:
        """Why the event was not seen through: the step, and the last that VTN and VEN said."""
        flaws = [one.flaw for one in told if one.flaw]
        logs = [tail(self._stage.folder / f"{name}.log") for name in (VTN, VEN)] if flaws else []
        return flaws + [text for text in logs if text]

    async def _publish(self) -> None:
        scene = story.EVENT
        watts = round(self.evidence.load_w)
        order = {"resource": scene.device, "watts": watts, "in_s": scene.in_s, "for_s": scene.duration_s}
        try:
            answer: Line = await ask(self._stage.folder / VTN_SOCKET, order)
        except (OSError, TimeoutError, ValueError) as flaw:
            raise ChildError(f"the VTN takes no order: {flaw}") from flaw
        self.evidence.event = None if "error" in answer else answer

    async def _look(self) -> None:
        """See what the server and the observer have of the event now."""
        seen, stage = self.evidence, self._stage
        if seen.event is None:
            return
        api = operator_client(stage.folder / SERVER_FOLDER)
        with contextlib.suppress(ApiError, OSError):
            if seen.control is None:
                told = await asyncio.to_thread(api.get, "groups", seen.scene.device, "controls")
                self._note_control(told, str(seen.event["event"]))
            else:
                told = await asyncio.to_thread(api.get, "controls", str(seen.control["mRID"]), "responses")
                statuses: Any = told.get("responses", [])
                seen.responses = tuple(int(one["status"]) for one in statuses)
        since, until = stage.active.get((seen.scene.device, seen.scene.name), (0.0, 0.0))
        seen.registers = stage.observer.values(seen.scene.device, seen.scene.register.point, since, until)

    def _note_control(self, told: dict[str, Any], name: str) -> None:
        found = next((one for one in told["controls"] if one.get("description") == name), None)
        if found is not None:
            self.evidence.control = found
            self._stage.mrids[self.evidence.scene.name] = str(found["mRID"])
            self._stage.timeline.tell("server", f"DERControl of {name}: {_modes(found)}  {found['href']}")


def _modes(control: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in control["modes"].items())


async def followed(
    steps: Sequence[Step], evidence: Evidence, look: Callable[[], Awaitable[None]]
) -> list[Told]:
    """Look for one step after the other, each within its time; the first that is not seen ends it."""
    told: list[Told] = []
    for step in steps:
        told.append(Told(step=step, proof=await _proof(step, evidence, look)))
        if told[-1].proof is None:
            break
    return told


async def _proof(step: Step, evidence: Evidence, look: Callable[[], Awaitable[None]]) -> str | None:
    loop = asyncio.get_running_loop()
    until = loop.time() + step.within_s
    while True:
        await look()
        found = step.proof(evidence)
        if found is not None or loop.time() >= until:
            return found
        await asyncio.sleep(LOOK_S)


async def order_event(folder: Path, order: dict[str, object]) -> Line:
    """What the VTN of a demonstration that runs answers to an order. OSError where there is none."""
    return await ask(folder / VTN_SOCKET, order)
