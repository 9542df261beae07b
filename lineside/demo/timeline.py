"""The timeline: one line for each thing that happens, as it happens, in at most 100 columns."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TextIO

COLUMNS = 100
WHO = 9


@dataclass(slots=True)
class Timeline:
    """Prints lines of time since the start (s), who, and what."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    started_s: float = field(default_factory=time.time)

    def tell(self, who: str, what: str, *, at_s: float | None = None) -> None:
        """One line; `at_s` is the wall-clock time of what happened, now where it is not given."""
        since_s = (time.time() if at_s is None else at_s) - self.started_s
        text = f"{since_s:6.1f} s  {who:<{WHO}} {what}"
        self.out.write(f"{text if len(text) <= COLUMNS else text[: COLUMNS - 3] + '...'}\n")
        self.out.flush()

    def title(self, text: str) -> None:
        """A line that stands out."""
        self.out.write(f"\n{text}\n{'-' * min(len(text), COLUMNS)}\n")
        self.out.flush()
