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


class BackgroundTasks:
    """What listens and watches beside the story."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run until `stop`."""
        self._tasks.append(asyncio.create_task(work))

    async def stop(self) -> None:
        """End all, and raise what one of them failed with."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


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
    tasks: BackgroundTasks = field(default_factory=BackgroundTasks)
