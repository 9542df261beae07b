"""A fleet in several processes: each runs a share of the devices and sends what it measured."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import uvloop

from lineside.fleet.share import run_share
from lineside.fleet.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from lineside.fleet.share import Plan

LAST_WAIT_S: Final = 30.0
STOPS: Final = (signal.SIGINT, signal.SIGTERM)


def run_fleet(plan: Plan, processes: int, heard: Callable[[Tally], None]) -> Tally:
    """Run a fleet to its end; `heard` is told each second. RuntimeError where a process fails."""
    if processes == 1:
        return uvloop.run(_run_until_told(plan, heard))
    return _run_children([share_of(plan, n, processes) for n in range(processes)], heard)


def share_of(plan: Plan, number: int, processes: int) -> Plan:
    """The part of one process."""
    identities = plan.identities[number::processes]
    share = len(identities) / len(plan.identities)
    return replace(
        plan,
        identities=identities,
        rate=None if plan.rate is None else plan.rate * share,
        seed=plan.seed + number,
    )


def _run_children(shares: list[Plan], heard: Callable[[Tally], None]) -> Tally:
    context = multiprocessing.get_context("spawn")
    children: list[BaseProcess] = []
    pipes: list[Connection] = []
    before = {number: signal.signal(number, lambda *_: _end(children)) for number in STOPS}
    try:
        for share in shares:
            mine, theirs = context.Pipe(duplex=False)
            children.append(context.Process(target=_run_child, args=(share, theirs), daemon=True))
            children[-1].start()
            theirs.close()
            pipes.append(mine)
        latest = _collect(pipes, heard)
    finally:
        for child in children:
            child.join(LAST_WAIT_S)
        for number, handler in before.items():
            signal.signal(number, handler)
    if any(child.exitcode for child in children):
        raise RuntimeError("a process of the fleet failed; its error stands above")
    return latest


def _end(children: list[BaseProcess]) -> None:
    """Ask the children to stop; each still sends what it measured."""
    for child in children:
        child.terminate()


def _collect(pipes: list[Connection], heard: Callable[[Tally], None]) -> Tally:
    """What all processes measured, told whenever each of them has told; the last word at the end."""
    latest: dict[int, Tally] = {}
    is_open = dict(enumerate(pipes))
    while is_open:
        for place, pipe in tuple(is_open.items()):
            try:
                latest[place] = pipe.recv()
            except EOFError:
                del is_open[place]
        if is_open:
            heard(_whole(latest))
    return _whole(latest)


def _whole(latest: dict[int, Tally]) -> Tally:
    whole = Tally()
    for tally in latest.values():
        whole.merge(tally)
    return whole


def _run_child(plan: Plan, pipe: Connection) -> None:
    """Run a share in a process of its own."""
    with pipe:
        pipe.send(uvloop.run(_run_until_told(plan, pipe.send)))


async def _run_until_told(plan: Plan, heard: Callable[[Tally], None]) -> Tally:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOPS:
        loop.add_signal_handler(number, stop.set)
    return await run_share(plan, heard, stop)
