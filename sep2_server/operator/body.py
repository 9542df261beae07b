"""Bodies of requests: JSON, one JSON value per line, or a document; their digest for the audit log. Pure."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from sep2_server.operator.errors import BadRequest

LINES: Final = "application/x-ndjson"
JSON: Final = "application/json"
SEP_XML: Final = "application/sep+xml"
SECRETS: Final = frozenset({"pIN", "secret"})
"""Fields that no digest covers: few digits are found from a digest by trying."""
DEEPEST: Final = 64
"""Most objects and lists in each other: far more than any request needs, and what reads them recurs."""
_UNFIT: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""A character that no document of XML 1.0 can carry."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document of the standard, as it was sent."""

    octets: bytes


def body_of(body: bytes | None, content_type: str) -> object:
    """What a request sends, None where that is nothing; lines become a list. BadRequest for no JSON.

    `body` is None where it was larger than the API reads.
    """
    if body is None:
        raise BadRequest("body: larger than the API reads", "allowed: 1 MiB")
    if not body:
        return None
    if content_type == LINES:
        return [
            _value(line, f"line {number}") for number, line in enumerate(body.splitlines(), 1) if line.strip()
        ]
    if content_type == SEP_XML:
        return Document(body)
    if content_type != JSON:
        raise BadRequest(
            f"Content-Type: {content_type[:60]}",
            f"allowed: {JSON}, {LINES} for bulk requests, {SEP_XML} for resources",
        )
    return _value(body, "body")


def digest_of(body: object) -> str | None:
    """SHA-256 of a body without its secrets, its names in order; None without a body."""
    if body is None:
        return None
    if isinstance(body, Document):
        return hashlib.sha256(body.octets).hexdigest()
    return hashlib.sha256(canonical(_without_secrets(body))).hexdigest()


def canonical(value: object) -> bytes:
    """A JSON value as octets that are the same in whatever order its names are."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode(errors="surrogatepass")


def _value(text: bytes, place: str) -> object:
    try:
        value = cast("object", json.loads(text))
        if is_deep(value):
            raise BadRequest(f"{place}: nested more than {DEEPEST} deep", "no request is so deep")
        require_fit(_texts(value), place)
    except (ValueError, RecursionError) as flaw:
        raise BadRequest(f"{place}: not JSON ({flaw})", "send JSON in UTF-8") from flaw
    return value


def is_deep(value: object, room: int = DEEPEST) -> bool:
    """Whether more objects and lists of a JSON value are in each other than there is `room` for."""
    if not isinstance(value, dict | list):
        return False
    return not room or any(is_deep(held, room - 1) for held in _held(value))


def require_fit(texts: Iterable[str], place: str) -> None:
    """Raise BadRequest for a text with a character that no document for devices can carry."""
    for text in texts:
        found = _UNFIT.search(text)
        if found is not None:
            raise BadRequest(f"{place}: the character U+{ord(found[0]):04X}", "leave out control characters")


def _texts(value: object) -> Iterator[str]:
    """All texts in a JSON value, names of fields among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, held in value.items():
            yield name
            yield from _texts(held)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _held(value: dict[Any, Any] | list[Any]) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value


def _without_secrets(value: object) -> object:
    if isinstance(value, dict):
        return {name: None if name in SECRETS else _without_secrets(held) for name, held in value.items()}
    return [_without_secrets(item) for item in value] if isinstance(value, list) else value
