"""The trace log: every request and answer as text, at DEBUG of the logger `der_client.sunspec.trace`."""

import logging

from der_client.sunspec.requests import READ_HOLDING, WRITE_MULTIPLE, described, result_of
from der_client.sunspec.scan import Failure

log = logging.getLogger(__name__)


def traces() -> bool:
    """True if anybody reads the trace."""
    return log.isEnabledFor(logging.DEBUG)


def trace_request(line: str, unit: int, request: bytes) -> None:
    """Tell what is sent."""
    log.debug("%s unit %s > %s", line, unit, request_text(request))


def trace_answer(line: str, unit: int, request: bytes, answer: bytes) -> None:
    """Tell what came back."""
    log.debug("%s unit %s < %s", line, unit, answer_text(request, answer))


def request_text(request: bytes) -> str:
    """A request with the registers that it writes: `write 40310+2: 0001 0032`."""
    if request[0] == READ_HOLDING:
        return described(request)
    data = request[6:] if request[0] == WRITE_MULTIPLE else request[3:5]
    return f"{described(request)}: {_hex(data)}"


def answer_text(request: bytes, answer: bytes) -> str:
    """An answer: its registers, `done` for a write, or what is wrong with it."""
    result = result_of(request, answer)
    if isinstance(result, Failure):
        return result.detail
    return f"{described(request)}: {_hex(answer[2:]) if result else 'done'}"


def _hex(octets: bytes) -> str:
    return octets.hex(" ", 2).upper()
