"""Media types: what a client accepts and what it sends. IEEE 2030.5-2018, 4.5."""

from functools import lru_cache
from typing import Final

from schemas import MEDIA_TYPE
from sep2_server.errors import BadRequest, NotAcceptable, WrongMediaType

BASE_LEVEL: Final = "-s1"
"""Level of a client that knows the base schema and no extension, in lower case."""


def require_acceptable(accept: str | None) -> None:
    """Raise NotAcceptable for an Accept header that application/sep+xml does not match.

    No header stands for everything, a quality of 0 excludes. Parameters such as `level` do not count: of one
    type at several levels the best quality does.
    """
    if accept is not None and not _accepts(accept):
        raise NotAcceptable(f"nothing of {accept[:120]!r} is served here")


def require_plain_coding(content_encoding: str) -> None:
    """Raise WrongMediaType for a body that is compressed: no content coding is read here. RFC 9110, 8.4."""
    if content_encoding.strip().lower() not in {"", "identity"}:
        raise WrongMediaType(f"content coding {content_encoding[:40]!r} is not read here")


def require_readable(content_type: str | None) -> None:
    """Raise WrongMediaType for a body that is not application/sep+xml, BadRequest for one without a type."""
    if content_type is None:
        raise BadRequest("a body without Content-Type")
    if content_type.partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise WrongMediaType(f"{content_type[:120]!r} is not read here")


@lru_cache(maxsize=256)
def takes_base_alone(accept: str | None) -> bool:
    """Whether a client understands no more than the base schema: it accepts level -S1 and no other.

    It must not be sent foreign elements. IEEE 2030.5-2018, 4.5.
    """
    ranges = [] if accept is None else [_pieces(part) for part in accept.split(",")]
    levels = [level for kind, _, level in ranges if kind == MEDIA_TYPE]
    return bool(levels) and all(level == BASE_LEVEL for level in levels)


@lru_cache(maxsize=256)
def _accepts(accept: str) -> bool:
    weights: dict[str, float] = {}
    for kind, weight, _ in map(_pieces, accept.split(",")):
        weights[kind] = max(weight, weights.get(kind, 0.0))
    named = [weights[kind] for kind in (MEDIA_TYPE, "application/*", "*/*") if kind in weights]
    return bool(named) and named[0] > 0


def _pieces(part: str) -> tuple[str, float, str]:
    """Media type, quality and level of one range of an Accept header; an empty level where none is said."""
    kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
    named = {name.strip(): value.strip(' "') for name, _, value in (p.partition("=") for p in parameters)}
    try:
        return kind, float(named.get("q", "1")), named.get("level", "")
    except ValueError:
        return kind, 0.0, named.get("level", "")
