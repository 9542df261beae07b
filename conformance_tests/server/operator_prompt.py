"""A person as operator: is told what to do, does it, and says that it is done."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Final, TextIO

from conformance_tests.errors import Skipped, TargetError, UsageError
from conformance_tests.server.operator_acts import Acts, Json

if TYPE_CHECKING:
    from collections.abc import Mapping

BOUND_S: Final = 600.0
_ASKS: Final[Mapping[str, str]] = {
    "ensure-device": "register {lFDI} with PIN {pIN} and {ders} DER, and take it out of all groups",
    "remove-device": "remove the device {lFDI} with all under it",
    "assign": "give the device {lFDI} a FunctionSetAssignments with the program {group}, primacy {primacy}",
    "unassign": "take the FunctionSetAssignments of the program {group} from the device {lFDI}",
    "set-primacy": "set the primacy of the program {group} to {primacy}",
    "set-default": "set the DefaultDERControl of the program {group}; none where none is shown",
    "add-curve": "add this DERCurve to the program {group}",
    "publish": "publish a DERControl in the program {group}: start {start}, duration {duration} s",
    "cancel": "cancel the DERControl {mRID}",
    "cancel-all": "cancel every DERControl that is not over",
    "set-rates": "set these rates (s), for the device {lFDI} where they are its own",
    "block": "refuse the certificate {lFDI} (blocked true), or let it in again (false)",
    "forget-readings": "drop all readings of the client {lFDI}",
    "responses": "look up the Responses to the DERControl {mRID}",
    "cancel-subscription": "end the subscription of {lFDI} to {subscribedResource} with status {status}",
}
_WANTS: Final[Mapping[str, str]] = {
    "add-curve": "href",
    "publish": "mRID",
    "responses": "responses",
}
"""What a person has to type in after an act."""


def prompt_operator(source: TextIO = sys.stdin, out: TextIO = sys.stderr) -> PromptOperator:
    """The person at the terminal; UsageError where there is none."""
    if not source.isatty():
        raise UsageError("--operator prompt needs a terminal; use --operator api or hook in a script")
    return PromptOperator(source, out)


class PromptOperator(Acts):
    """Tells a person each act and waits for Enter, `s` (skip the case) or `f` (it failed)."""

    def __init__(self, source: TextIO, out: TextIO, *, bound_s: float = BOUND_S) -> None:
        self._source = source
        self._out = out
        self._bound_s = bound_s

    async def do(self, act: str, given: Mapping[str, Json]) -> Mapping[str, Json]:
        """Tell the person and wait."""
        if act in {"begin", "end"}:
            return {}
        self._out.write(f"\noperator: please {_ASKS[act].format(**given)}\n")
        for name, value in given.items():
            if isinstance(value, dict | list):
                self._out.write(f"  {name}: {json.dumps(value)}\n")
        wanted = _WANTS.get(act)
        done = f"type its {wanted}" if wanted in {"href", "mRID"} else "Enter when it is done"
        if wanted == "responses":
            done = "type them as LFDI:STATUS, with spaces between"
        self._out.write(f"  {done}; s to skip the case, f where it failed: ")
        self._out.flush()
        answer = await typed_line(self._source, self._bound_s, "the operator")
        if answer == "s":
            raise Skipped(f"the operator skipped: {act}")
        if answer == "f":
            raise TargetError(f"the operator could not: {act}")
        return _typed(wanted, answer)


async def typed_line(source: TextIO, bound_s: float, who: str) -> str:
    """What is typed, without the end of the line; the terminal is read by the loop.

    TargetError where nothing comes within `bound_s`, or the terminal was closed; `who` was asked.
    """
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        if not typed.done():
            typed.set_result(source.readline())

    loop.add_reader(source.fileno(), read)
    try:
        async with asyncio.timeout(bound_s):
            line = await typed
    except TimeoutError:
        raise TargetError(f"{who} did not answer within {bound_s:g} s") from None
    finally:
        loop.remove_reader(source.fileno())
    if not line:
        raise TargetError(f"the terminal of {who} was closed")
    return line.strip()


def _typed(wanted: str | None, answer: str) -> Mapping[str, Json]:
    if wanted is None:
        return {}
    if wanted != "responses":
        if not answer:
            raise TargetError(f"the operator gave no {wanted}")
        return {wanted: answer}
    rows: list[Json] = []
    for pair in answer.split():
        lfdi, _, status = pair.partition(":")
        if not status.isdigit():
            raise TargetError(f"{pair!r} is not LFDI:STATUS")
        rows.append({"lFDI": lfdi, "status": int(status)})
    return {"responses": rows}
