"""An observer that the user writes: a command, called as `COMMAND observe`, `confirm` or `cause`.

It gets a JSON object on its standard input: `lFDI`, and `question` or `what`. `observe` prints what the
device does: any of `power_w`, `reactive_var`, `power_factor`, `is_connected`, `is_energized`, and `settings`
by mode; `confirm` prints `{"answer": true}`, false or null. Exit code 3: no such call, or it cannot tell.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from conformance_tests.client.observer import Observation
from conformance_tests.errors import TargetError
from conformance_tests.server.operator_hook import NO_SUCH_ACT, command_of, run_command

if TYPE_CHECKING:
    from collections.abc import Mapping

BOUND_S: Final = 60.0
NUMBERS: Final = ("power_w", "reactive_var", "power_factor")
CLAIMS: Final = ("is_connected", "is_energized")


class HookObserver:
    """Watches by a command of the user. UsageError where its program is not there."""

    def __init__(self, command: str, *, bound_s: float = BOUND_S) -> None:
        self._command = tuple(command_of(command))
        self._bound_s = bound_s

    async def observe(self, lfdi: str) -> Observation:
        """What the command prints of a device. TargetError where it fails, or prints something else."""
        told = await self._call("observe", {"lFDI": lfdi})
        return Observation() if told is None else _observation(told)

    async def confirm(self, lfdi: str, question: str) -> bool | None:
        """The answer of the command; None where it has none."""
        told = await self._call("confirm", {"lFDI": lfdi, "question": question})
        answer = None if told is None else told.get("answer")
        return answer if isinstance(answer, bool) else None

    async def cause(self, lfdi: str, what: str) -> bool:
        """Let the command make something happen; False where it cannot."""
        return await self._call("cause", {"lFDI": lfdi, "what": what}) is not None

    async def _call(self, call: str, given: Mapping[str, str]) -> Mapping[str, Any] | None:
        """What the command printed, None where it has no such call. TargetError."""
        code, out, err = await run_command([*self._command, call], json.dumps(given).encode(), self._bound_s)
        if code == NO_SUCH_ACT:
            return None
        if code != 0:
            why = err.decode(errors="replace").strip()[-400:]
            raise TargetError(
                f"the observer's command ended with {code} at {call}: {why or 'it said nothing'}"
            )
        try:
            told = json.loads(out) if out.strip() else {}
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise TargetError(f"the observer's command printed no JSON object at {call}: {out[:80]!r}")
        return told


def _observation(told: Mapping[str, Any]) -> Observation:
    settings = told.get("settings", {})
    numbers = {name: told[name] for name in NUMBERS if told.get(name) is not None}
    claims = {name: told[name] for name in CLAIMS if told.get(name) is not None}
    is_good = (
        isinstance(settings, dict)
        and all(_is_number(value) for value in (*numbers.values(), *settings.values()))
        and all(isinstance(value, bool) for value in claims.values())
    )
    if not is_good:
        raise TargetError(f"the observer's command printed what is no observation: {dict(told)!r:.200}")
    return Observation(**numbers, **claims, settings={str(k): float(v) for k, v in settings.items()})


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
