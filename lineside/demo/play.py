"""The demonstration: starts every process, tells what happens, and judges at the end what was seen."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineside.demo import story
from lineside.demo.children import Child, ChildError, start, tail
from lineside.demo.hearing import hear_client, hear_operator, tell_seen
from lineside.demo.observer import Observer
from lineside.demo.site import SERVER_FOLDER, make_site, operator_client, write_client
from lineside.demo.stage import Stage
from lineside.demo.timeline import Timeline
from lineside.demo.upstream import Upstream
from lineside.demo.ven_folder import make_identities
from lineside.demo.verdict import Row, default_row, row_of, step_text, table
from sep2_server.operator import ApiError

if TYPE_CHECKING:
    from lineside.demo.steps import Told

READY_S = 20.0
SETTLE_S = 6.0
CAN_PROFILE = "pylontech_lv"
Answers = dict[str, tuple[int, ...]]
"""The Responses of each scene, by its name."""


async def play(*, once: bool, keep: Path | None = None) -> int:
    """Play the story; 0 if all of it was seen. Without `once` the system stays up afterwards until Ctrl-C."""
    folder = Path(tempfile.mkdtemp(prefix="lineside-demo-")) if keep is None else keep
    folder.mkdir(parents=True, exist_ok=True)
    timeline = Timeline()
    try:
        async with AsyncExitStack() as stack:
            stage = _stage(folder, timeline)
            upstream = Upstream(stage)
            await _set_up(stack, stage)
            told, answers = await _perform(stack, stage, upstream)
            seen_all = _judge(stage, _rows(stage, upstream, answers), told, upstream.reasons(told))
            if not once:
                await _stay(stage)
            await stage.tasks.stop()
    except ChildError as flaw:
        timeline.tell("demo", f"stopped: {flaw}")
        return 1
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    return 0 if seen_all else 1


def _stage(folder: Path, timeline: Timeline) -> Stage:
    timeline.title("lineside demo: from the utility and the operator to the registers, and back")
    site = make_site(folder)
    make_identities(folder)
    timeline.tell("demo", "fresh certificates: chains of 4 for server and devices, another root for OpenADR")
    return Stage(folder, timeline, site, Observer(lambda seen: tell_seen(timeline, seen)))


async def _set_up(stack: AsyncExitStack, stage: Stage) -> None:
    """Start everything, each as a process of its own."""
    stack.push_async_callback(stage.tasks.stop)
    await _start(stage, stack, "server", "server", "run", "--config", str(stage.folder / SERVER_FOLDER))
    inverter = await _start(stage, stack, "inverter", "sim", "inverter", "--irradiance", "1")
    battery = await _start(stage, stack, "pack", "sim", "battery")
    await _server_is_up(stage)
    where = {"pv": await inverter.first_line(), "battery": await battery.first_line()}
    for name, place in where.items():
        can = f", CAN at 127.0.0.1:{place['can_port']}" if "can_port" in place else ""
        stage.timeline.tell(name, f"inverter at Modbus 127.0.0.1:{place['modbus_port']}{can}")
        stage.tasks.start(stage.observer.watch_registers(name, "127.0.0.1", int(str(place["modbus_port"]))))
    can_port = int(str(where["battery"]["can_port"]))
    stage.tasks.start(stage.observer.watch_bus("battery", "127.0.0.1", can_port, CAN_PROFILE))
    await _run_operator(stage, stack, "prepare")
    for name, place in where.items():
        config = write_client(stage.site, name, place)
        client = await _start(stage, stack, name, "client", "run", "--events", "--config", str(config))
        stage.tasks.start(client.listen(lambda who, line: hear_client(stage, who, line)))
    stack.push_async_callback(stage.tasks.stop)  # who watches ends before what is watched


async def _perform(stack: AsyncExitStack, stage: Stage, upstream: Upstream) -> tuple[list[Told], Answers]:
    """Let operator and utility play, and wait for the last answers: what became of the event, and these."""
    following = asyncio.ensure_future(upstream.follow(stack))
    try:
        async with AsyncExitStack() as playing:
            await _run_operator(stage, playing, "play")
        answers = await _answers(stage)
        return await following, answers
    finally:
        following.cancel()
        await asyncio.wait([following])


async def _answers(stage: Stage) -> Answers:
    """The Responses to each of the operator's controls, once all are there or the time is over."""
    until = time.monotonic() + story.LENGTH_S
    api = operator_client(stage.folder / SERVER_FOLDER)
    answers: Answers = {}
    while time.monotonic() < until:
        for scene in story.SCENES:
            told = await asyncio.to_thread(api.get, "controls", stage.mrids.get(scene.name, ""), "responses")
            statuses: Any = told.get("responses", [])
            answers[scene.name] = tuple(int(r["status"]) for r in statuses)
        if all(answers[s.name] == s.responses for s in story.SCENES):
            break
        await asyncio.sleep(0.5)
    return answers


def _rows(stage: Stage, upstream: Upstream, answers: Answers) -> list[Row]:
    observer = stage.observer
    wanted = story.DEFAULT_REGISTER
    rows = [
        default_row(story.DEFAULT_NAME, name, wanted, observer.values(name, wanted.point, 0, time.time()))
        for name in story.DEVICES
    ]
    answers = {**answers, story.EVENT.name: upstream.evidence.responses}
    for scene in (*story.SCENES, story.EVENT):
        since, until = stage.active.get((scene.device, scene.name), [0.0, 0.0])
        registers = observer.values(scene.device, scene.register.point, since, until)
        name = "" if scene.frame is None else f"{scene.frame.message}.{scene.frame.signal}"
        frames = observer.values(scene.device, name, since, until)
        rows.append(row_of(scene, answers.get(scene.name, ()), registers, frames))
    return rows


def _judge(stage: Stage, rows: list[Row], told: list[Told], reasons: list[str]) -> bool:
    stage.timeline.title(
        "what was asked and what was seen (1 received, 2 started, 3 completed, 6 cancelled, 7 superseded)"
    )
    stage.timeline.out.write(table(rows) + "\n")
    stage.timeline.title("what became of the utility's event")
    stage.timeline.out.write("\n".join([*map(step_text, told), *reasons]) + "\n")
    reported = _reported(stage)
    stage.timeline.title("what the devices reported to the server")
    stage.timeline.out.write("\n".join(text for _, text in reported) + "\n")
    flaws = [flaw for row in rows for flaw in row.flaws] + [text for fine, text in reported if not fine]
    flaws += reasons
    ended = (
        f"all seen in {time.time() - stage.timeline.started_s:.0f} s"
        if not flaws
        else f"{len(flaws)} not seen"
    )
    stage.timeline.title(ended)
    return not flaws


def _reported(stage: Stage) -> list[tuple[bool, str]]:
    """Status and latest readings of both devices, as the operator reads them."""
    api = operator_client(stage.folder / SERVER_FOLDER)
    lines = []
    for name in story.DEVICES:
        ders: Any = api.get("devices", name).get("DER") or [{}]
        readings: Any = api.get("devices", name, "readings").get("readings", [])
        kinds = [
            k for k in ("DERCapability", "DERSettings", "DERStatus", "DERAvailability") if ders[0].get(k)
        ]
        values = [f"{r['value']} {r['unit']}" for r in readings if r.get("value") is not None]
        text = f"{name:<9} {', '.join(kinds)}\n{'':<9} readings {', '.join(values[:8]) or 'none'}"
        lines.append((len(kinds) == 4 and bool(values), text))
    return lines


async def _stay(stage: Stage) -> None:
    folder = stage.folder / SERVER_FOLDER
    stage.timeline.out.write(
        f"\nthe system stays up; Ctrl-C ends it. Talk to it from another terminal:\n"
        f"  lineside op devices --config {folder}\n"
        f"  lineside op publish site --max-w 40% --in 5s --for 1m --config {folder}\n"
        f"  lineside op readings battery --config {folder}\n"
        f"  lineside demo event battery -1500 --for 30 --folder {stage.folder}\n"
        f"  lineside ven status --config {stage.folder}/ven/ven.toml\n"
        f"  lineside client discover https://127.0.0.1:{stage.site.port}/dcap"
        f" --identity {stage.folder}/pki/pv\n"
    )
    stage.timeline.out.flush()
    await asyncio.Event().wait()


async def _start(stage: Stage, stack: AsyncExitStack, name: str, *arguments: str) -> Child:
    child = await start(name, stage.folder, *arguments)
    stack.push_async_callback(child.stop)
    return child


async def _server_is_up(stage: Stage) -> None:
    """Wait until the operator API answers."""
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        try:
            await asyncio.to_thread(lambda: operator_client(stage.folder / SERVER_FOLDER).get("status"))
        except (ApiError, OSError) as flaw:
            last = flaw
            await asyncio.sleep(0.1)
        else:
            stage.timeline.tell(
                "server", f"IEEE 2030.5 at https://127.0.0.1:{stage.site.port}/dcap (mutual TLS)"
            )
            return
    raise ChildError(f"the server did not get ready: {last}; {tail(stage.folder / 'server.log')}")


async def _run_operator(stage: Stage, stack: AsyncExitStack, *arguments: str) -> None:
    """Run the operator's process to its end, telling what it does."""
    child = await start("operator", stage.folder, str(stage.folder), *arguments, module="lineside.demo.act")
    stack.push_async_callback(child.stop)
    await child.listen(lambda _, line: hear_operator(stage, line))
    if await child.wait():
        raise ChildError(f"the operator failed: {tail(child.log)}")
