"""An operator that the user writes: a command called as `COMMAND ACT`, or a factory at `module:factory`.

A command gets what the act needs as a JSON object on its standard input and may print a JSON object. Exit
code 0: done; 3: it has no such act (the case is skipped); anything else: it failed, standard error says why.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import re
import shlex
import shutil
from typing import TYPE_CHECKING, Final, cast

from conformance_tests.errors import Skipped, TargetError, UsageError
from conformance_tests.server.operator_acts import Acts, Json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance_tests.server.operator import Operator

NO_SUCH_ACT: Final = 3
BOUND_S: Final = 120.0
_MOST_OCTETS: Final = 1 << 20
_ENTRY_POINT: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_OPTIONAL: Final = frozenset({"begin", "end"})


def hook_operator(text: str) -> Operator:
    """The operator of a command line, or of `module:factory`; UsageError where there is none."""
    return _from_entry_point(text) if _ENTRY_POINT.fullmatch(text) else CommandOperator(command_of(text))


def command_of(text: str) -> Sequence[str]:
    """The words of a command line whose program exists; UsageError says what is wrong with it."""
    try:
        words = shlex.split(text)
    except ValueError as flaw:
        raise UsageError(f"{text!r}: {flaw}; give a command as for a shell") from None
    if not words or shutil.which(words[0]) is None:
        raise UsageError(f"{text!r}: no such program; give an executable file, or MODULE:FACTORY")
    return words


def _from_entry_point(text: str) -> Operator:
    module, _, name = text.partition(":")
    try:
        factory = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as flaw:
        raise UsageError(f"{text}: {flaw}; give MODULE:FACTORY as Python can import it") from None
    if not callable(factory):
        raise UsageError(f"{text} is not callable; give a function without arguments that makes the operator")
    operator = factory()
    lacks = [name for name in ("begin", "end", "publish", "ensure_device") if not hasattr(operator, name)]
    if lacks:
        raise UsageError(f"{text}: what it makes is no operator: it has no {', '.join(lacks)}")
    return cast("Operator", operator)


class CommandOperator(Acts):
    """Acts by a command of the user, one call each."""

    def __init__(self, command: Sequence[str], *, bound_s: float = BOUND_S) -> None:
        self._command = tuple(command)
        self._bound_s = bound_s

    async def do(self, act: str, given: Mapping[str, Json]) -> Mapping[str, Json]:
        """Call the command for one act."""
        code, out, err = await run_command([*self._command, act], json.dumps(given).encode(), self._bound_s)
        if code == NO_SUCH_ACT:
            if act in _OPTIONAL:
                return {}
            raise Skipped(f"the operator's command has no act {act}")
        why = err.decode(errors="replace").strip()[-400:]
        if code != 0:
            raise TargetError(
                f"the operator's command ended with {code} at {act}: {why or 'it said nothing'}"
            )
        return _told(act, out)


def _told(act: str, out: bytes) -> Mapping[str, Json]:
    if not out.strip():
        return {}
    try:
        told = json.loads(out)
    except ValueError:
        raise TargetError(f"the operator's command printed no JSON at {act}: {out[:80]!r}") from None
    if not isinstance(told, dict):
        raise TargetError(f"the operator's command printed no JSON object at {act}")
    return told


async def run_command(command: Sequence[str], octets: bytes, bound_s: float) -> tuple[int, bytes, bytes]:
    """Exit code, standard output and error of a command; TargetError where it takes longer than `bound_s`."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    except OSError as flaw:
        raise TargetError(f"{command[0]}: {flaw}") from None
    try:
        async with asyncio.timeout(bound_s):
            out, err = await process.communicate(octets)
    except TimeoutError:
        raise TargetError(f"{' '.join(command)}: not done within {bound_s:g} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return process.returncode or 0, out[:_MOST_OCTETS], err[:_MOST_OCTETS]
