"""Memory of the processes of a server: how much there is, and the most there was meanwhile."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from tests.integration.process.site_process import SiteProcess
from tests.integration.process.test_idle_connections import resident

LOOK_S: Final = 0.05


@dataclass
class Growth:
    """Resident memory, octets: at the start, at most, and now."""

    start: int
    most: int
    end: int = 0

    @property
    def peak(self) -> int:
        """How much was added at most."""
        return self.most - self.start

    @property
    def kept(self) -> int:
        """How much was kept afterwards."""
        return self.end - self.start


@contextmanager
def watched(site: SiteProcess) -> Iterator[Growth]:
    """What the processes of a server take meanwhile."""
    before = resident(site)
    growth = Growth(before, before)
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_S):
            growth.most = max(growth.most, resident(site))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield growth
    finally:
        over.set()
        looking.join()
        growth.end = resident(site)
        growth.most = max(growth.most, growth.end)
