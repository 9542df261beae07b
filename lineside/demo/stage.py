"""What the demonstration knows while it runs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from lineside.demo.observer import Observer
    from lineside.demo.site import Site
    from lineside.demo.timeline import Timeline

AGAIN_S = 0.5


class BackgroundTasks:
    """What listens and watches beside the story."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run until `stop`."""
        self._tasks.append(asyncio.create_task(work))

    async def stop(self) -> None:
        """End all, and raise what one of them failed with.

        A cancellation may be lost in `asyncio.wait_for` (before Python 3.12), so it is said again until it is
        heard.
        """
        tasks, self._tasks = self._tasks, []
        running = set(tasks)
        while running:
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=AGAIN_S)
        for task in tasks:
            if not task.cancelled() and (flaw := task.exception()):
                raise flaw


@dataclass(slots=True)
class Stage:
    """The folder, what is told and seen, and the mRIDs and active spans (s) of the scenes."""

    folder: Path
    timeline: Timeline
    site: Site
    observer: Observer
    mrids: dict[str, str] = field(default_factory=dict)
    active: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    told: set[tuple[str, str]] = field(default_factory=set)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the operator begins to play."""
    tasks: BackgroundTasks = field(default_factory=BackgroundTasks)
