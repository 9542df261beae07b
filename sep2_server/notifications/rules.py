"""What a subscription may ask for and when it is told; pure functions. IEEE 2030.5-2018, 14."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

from schemas import LONGEST_URI, Condition, Subscription
from schemas.codes import ErrorReason, SubscribableType
from sep2_server.errors import BadRequest

VALUE: Final = 0
"""Condition.attributeIdentifier of the value of a reading."""
_ENCODINGS: Final = {0: "XML", 1: "EXI"}
LEVELS: Final = frozenset({"+S1", "-S1"})
_AUTHORITY: Final = re.compile(r"[A-Za-z0-9.\-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")


def require_sound(asked: Subscription, kind: SubscribableType, encodings: frozenset[int]) -> None:
    """Raise BadRequest for a subscription that cannot be served to a resource of this kind.

    `encodings` are what notifications can be written in: XML (0), and EXI (1) where there is a codec for it.
    A Condition that the resource does not support has reasonCode 3. IEEE 2030.5-2018, 14.
    """
    if asked.encoding not in encodings:
        there = ", ".join(map(_named, sorted(encodings)))
        raise BadRequest(f"encoding {_named(asked.encoding)} cannot be written; there is {there}")
    if asked.level not in LEVELS:
        raise BadRequest(f"level {asked.level!r}; there are +S1 and -S1")
    if kind is SubscribableType.NONE:
        raise BadRequest(f"{asked.subscribedResource[:120]} is not subscribable")
    if asked.Condition_ is not None:
        _require_condition(asked.Condition_, kind)


def _named(encoding: int) -> str:
    return f"{encoding} ({_ENCODINGS[encoding]})" if encoding in _ENCODINGS else str(encoding)


def _require_condition(condition: Condition, kind: SubscribableType) -> None:
    if kind not in {SubscribableType.CONDITIONAL, SubscribableType.BOTH}:
        raise BadRequest(
            "no condition can be held against this resource", ErrorReason.CONDITION_NOT_SUPPORTED
        )
    if condition.attributeIdentifier != VALUE:
        raise BadRequest(
            f"attributeIdentifier {condition.attributeIdentifier}: only 0, the value, can be watched",
            ErrorReason.CONDITION_NOT_SUPPORTED,
        )
    if condition.lowerThreshold > condition.upperThreshold:
        raise BadRequest("lowerThreshold is above upperThreshold")


def local_path(resource: str, authorities: frozenset[str]) -> str:
    """Path of a subscribedResource on this server, its query left out.

    BadRequest where it names another server: `authorities` are ours, as `host:port` or `host`.
    """
    parts = split(resource, "subscribedResource")
    is_ours = parts.scheme in {"https", "http"} and parts.netloc.lower() in authorities
    if (parts.scheme or parts.netloc) and not is_ours:
        raise BadRequest("subscribedResource is not on this server")
    if not parts.path.startswith("/"):
        raise BadRequest("subscribedResource has no path")
    return parts.path


def without_query(resource: str) -> str:
    """A subscribedResource as it stands in its notifications."""
    return resource.partition("#")[0].partition("?")[0]


def require_notification_uri(uri: str, *, allow_http: bool) -> SplitResult:
    """The parts of a notificationURI. BadRequest unless it is an absolute URI that can be posted to."""
    parts = split(uri, "notificationURI")
    schemes = {"https", "http"} if allow_http else {"https"}
    if parts.scheme not in schemes or not parts.netloc:
        raise BadRequest(f"notificationURI is not an absolute {' or '.join(sorted(schemes))} URI")
    if "@" in parts.netloc:
        raise BadRequest("notificationURI has credentials")
    if not _AUTHORITY.fullmatch(parts.netloc) or parts.fragment:
        raise BadRequest("notificationURI names no host, or has a fragment")
    return parts


def split(uri: str, name: str) -> SplitResult:
    """The parts of a URI. BadRequest for what is none: spaces, control characters, a port that cannot be."""
    if len(uri) > LONGEST_URI or not uri.isascii() or not uri.isprintable() or set(uri) & set(' "<>\\^`{|}'):
        raise BadRequest(f"{name} is no URI")
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError as flaw:
        raise BadRequest(f"{name} is no URI: {flaw}") from flaw
    return parts


def is_inside(value: int, low: int, high: int) -> bool:
    """Whether a value lies in the window of a Condition, its thresholds included."""
    return low <= value <= high


def crosses(seen: str | None, value: int, low: int, high: int) -> bool:
    """Whether a value has left the window or come back since it was `seen` last.

    The edge is told, not the level: a value that stays outside is told once. IEEE 2030.5-2018, 14.
    """
    return sight(value, low, high) != (seen or sight(low, low, high))


def sight(value: int, low: int, high: int) -> str:
    """What of a value decides whether the next one matters."""
    return "in" if is_inside(value, low, high) else "out"


def retry_at(now_ms: int, attempts: int, delays_s: Sequence[int]) -> int | None:
    """When a notification that has failed `attempts` times is tried again, ms; None: it is given up.

    CSIP-AUS: after 10 s, 100 s, 300 s and 30 min.
    """
    return now_ms + 1000 * delays_s[attempts - 1] if attempts <= len(delays_s) else None
