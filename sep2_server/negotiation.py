"""Media types: what a client accepts and what it sends. IEEE 2030.5-2018, 4.5."""

from functools import lru_cache

from schemas import MEDIA_TYPE
from sep2_server.errors import BadRequest, NotAcceptable, WrongMediaType


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
def _accepts(accept: str) -> bool:
    weights: dict[str, float] = {}
    for kind, weight in map(_range_of, accept.split(",")):
        weights[kind] = max(weight, weights.get(kind, 0.0))
    named = [weights[kind] for kind in (MEDIA_TYPE, "application/*", "*/*") if kind in weights]
    return bool(named) and named[0] > 0


def _range_of(part: str) -> tuple[str, float]:
    kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weights = [p.partition("=")[2].strip() for p in parameters if p.partition("=")[0].strip() == "q"]
    try:
        return kind, float(weights[0]) if weights else 1.0
    except ValueError:
        return kind, 0.0
