"""A person as observer: is asked what the device does, and says yes, no, or that it cannot be seen."""

from __future__ import annotations

import sys
from typing import Final, TextIO

from conformance_tests.client.observer import Observation
from conformance_tests.errors import UsageError
from conformance_tests.server.operator_prompt import typed_line

ANSWERS: Final = {"y": True, "yes": True, "n": False, "no": False}
BOUND_S: Final = 600.0
WHO: Final = "who watches the device"


def prompt_observer(source: TextIO = sys.stdin, out: TextIO = sys.stderr) -> PromptObserver:
    """The person at the terminal; UsageError where there is none."""
    if not source.isatty():
        raise UsageError("--observe prompt needs a terminal; use --observe modbus or hook in a script")
    return PromptObserver(source, out)


class PromptObserver:
    """Asks a person."""

    def __init__(self, source: TextIO, out: TextIO, *, bound_s: float = BOUND_S) -> None:
        self._source = source
        self._out = out
        self._bound_s = bound_s

    async def observe(self, lfdi: str) -> Observation:
        """Nothing by itself: each thing is asked for."""
        del lfdi
        return Observation()

    async def confirm(self, lfdi: str, question: str) -> bool | None:
        """What a person says: y, n, or anything else for what cannot be seen. TargetError: no answer."""
        self._out.write(f"\nat the device {lfdi[:8]}: {question} [y/n, Enter: cannot be seen] ")
        self._out.flush()
        return ANSWERS.get((await typed_line(self._source, self._bound_s, WHO)).lower())

    async def cause(self, lfdi: str, what: str) -> bool:
        """Ask a person to make something happen; False for `s`. TargetError without an answer."""
        self._out.write(f"\nat the device {lfdi[:8]}: please cause {what}. Enter when done, s: impossible ")
        self._out.flush()
        return (await typed_line(self._source, self._bound_s, WHO)).lower() != "s"
