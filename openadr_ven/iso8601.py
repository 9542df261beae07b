"""Times and durations as OpenADR writes them, in whole seconds.

OpenADR 2.0b, R1 (UTC, no decimals in durations, fractions of a second arrive and are cut off); OpenADR 3.1.0
(start 0001-01-01, duration P9999Y).
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

ENDLESS_YEARS: Final = 9999
"""From so many years on a duration has no end: peers write it out with months, days and hours too."""
_YEAR_S, _MONTH_S, _WEEK_S, _DAY_S = 365 * 86400, 30 * 86400, 7 * 86400, 86400
_DURATION: Final = re.compile(
    r"(?P<sign>[+-]?)P(?:(?P<y>\d+)Y)?(?:(?P<mo>\d+)M)?(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?"
    r"(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+)(?:\.\d+)?S)?)?"
)
_SIZES: Final = {"y": _YEAR_S, "mo": _MONTH_S, "w": _WEEK_S, "d": _DAY_S, "h": 3600, "m": 60, "s": 1}
_INSTANT: Final = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?:[T ](?P<time>\d{2}:\d{2}:\d{2})(?P<fraction>\.\d+)?)?"
    r"(?P<zone>Z|[+-]\d{2}:?\d{2})?"
)
_NOW_DAYS: Final = frozenset({"0001-01-01", "0000-00-00"})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def duration_s(text: str) -> int | None:
    """A duration, s; None for one without end (P9999Y). Years count 365 days and months 30.

    Fractions of a second are cut off. Raises ValueError for what is no duration.
    """
    found = _DURATION.fullmatch(text.strip())
    parts = {} if found is None else {name: found[name] for name in _SIZES if found[name] is not None}
    if found is None or not parts:
        raise ValueError(f"{text!r} is no ISO 8601 duration")
    if int(parts.get("y", 0)) >= ENDLESS_YEARS and found["sign"] != "-":
        return None
    total_s = sum(int(digits) * _SIZES[name] for name, digits in parts.items())
    return -total_s if found["sign"] == "-" else total_s


def instant_us(text: str) -> int | None:
    """A time, microseconds since 1970 UTC; None for 0001-01-01 and 0000-00-00: now, or after what precedes.

    A time without a zone is UTC. Raises ValueError for what is no time.
    """
    found = _INSTANT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no ISO 8601 time")
    if found["day"] in _NOW_DAYS:
        return None
    zone = "+00:00" if found["zone"] in {None, "Z"} else found["zone"]
    fraction_us = int((found["fraction"] or ".0")[1:7].ljust(6, "0"))
    moment = datetime.fromisoformat(f"{found['day']}T{found['time'] or '00:00:00'}{zone}")
    return (moment - _EPOCH) // timedelta(microseconds=1) + fraction_us


def instant(text: str) -> int | None:
    """A time, s since 1970 UTC, with the fraction cut off; None and errors as of `instant_us`."""
    found_us = instant_us(text)
    return None if found_us is None else found_us // 1_000_000


def instant_text(at: int) -> str:
    """A time, s since 1970 UTC, as both standards write it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration_text(seconds: int) -> str:
    """A duration, s, in seconds only: a form that every reader takes."""
    return f"-PT{-seconds}S" if seconds < 0 else f"PT{seconds}S"
