"""When a control starts and how long it lasts, as operators say it."""

from datetime import datetime

from sep2_server.operator.errors import BadRequest
from sep2_server.operator.quantities import span_s

LONGEST_S = 2**32 - 1
_HINT = "allowed: s since 1970 UTC, ISO 8601 with its offset (2026-07-01T12:00:00Z), or 'now'"
_START_HINT = f"{_HINT}; 'after-last' for a new control"


def duration_s(given: int | str, place: str) -> int:
    """Seconds of a duration, given in seconds or as a text such as `5m`. BadRequest outside 1 to 2^32 - 1."""
    seconds = given if isinstance(given, int) else _span(given, place)
    if not 1 <= seconds <= LONGEST_S:
        raise BadRequest(
            f"{place}: {seconds} s is outside 1 to {LONGEST_S} s", "give a longer or shorter time"
        )
    return seconds


def moment_of(given: int | str, place: str, now: int) -> int:
    """A moment, s since 1970 UTC, given as that, in ISO 8601 or as `now`. BadRequest for what is none."""
    if given == "now":
        return now
    return given if isinstance(given, int) else _moment(given, place, _HINT)


def start_at(start: int | str | None, within: int | str | None, now: int) -> int:
    """When it starts, s since 1970 UTC: at `start`, or `within` some time from now, or now."""
    if start is not None and within is not None:
        raise BadRequest("start: both start and in are given", "give one of them, or none for now")
    if within is not None:
        return now + (within if isinstance(within, int) else _span(within, "in"))
    if start is None or start == "now":
        return now
    return start if isinstance(start, int) else _moment(start, "start", _START_HINT)


def _span(text: str, place: str) -> int:
    try:
        return span_s(text)
    except ValueError as flaw:
        raise BadRequest(f"{place}: {text!r} cannot be read", f"allowed: seconds, or {flaw}") from flaw


def _moment(text: str, place: str, hint: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as flaw:
        raise BadRequest(f"{place}: {text!r} is no time", hint) from flaw
    if moment.tzinfo is None:
        raise BadRequest(f"{place}: {text!r} has no offset from UTC", hint)
    return int(moment.timestamp())
