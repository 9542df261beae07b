"""Media types: which of ours a client accepts, and at which level. IEEE 2030.5-2018, 4.5."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sep2_server.body_codecs import XML, BodyCodec, BodyCodecs
from sep2_server.errors import NotAcceptable, WrongMediaType

BASE_LEVEL: Final = "-s1"
"""Level of a client that knows the base schema and no extension, in lower case."""
REMEMBERED: Final = 256
"""Accept headers whose meaning is kept."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a client is answered; `key` tells forms apart.

    `is_base`: it accepts level -S1 and no other, and must not be sent foreign elements.
    """

    codec: BodyCodec
    is_base: bool
    key: str


class Forms:
    """Finds the form that a client accepts; levels count where there are extensions to leave out."""

    def __init__(self, codecs: BodyCodecs, *, has_extensions: bool) -> None:
        self._codecs = codecs
        self._has_extensions = has_extensions
        self._find = lru_cache(maxsize=REMEMBERED)(self._found)
        self.plain = Form(XML, is_base=False, key=XML.media_type)

    def of(self, accept: str | None) -> Form:
        """The form of the best quality, at equal quality of the server's order. NotAcceptable without any.

        No header stands for everything, a quality of 0 excludes. Of one type at several levels the best
        quality counts.
        """
        form = self.plain if accept is None else self._find(accept)
        if form is None:
            raise NotAcceptable(f"nothing of {(accept or '')[:120]!r} is served here")
        return form

    def of_error(self, accept: str | None) -> Form:
        """The form of an Error: as for all else, and XML for who accepts nothing of ours."""
        return (self.plain if accept is None else self._find(accept)) or self.plain

    def _found(self, accept: str) -> Form | None:
        ranges = [_pieces(part) for part in accept.split(",")]
        weighed = [(_weight(ranges, codec.media_type), codec) for codec in self._codecs.all]
        best, codec = max(weighed, key=lambda one: one[0])
        if best <= 0:
            return None
        levels = [level for kind, weight, level in ranges if kind == codec.media_type and weight > 0]
        is_base = self._has_extensions and bool(levels) and all(level == BASE_LEVEL for level in levels)
        return Form(codec, is_base, codec.media_type + (BASE_LEVEL if is_base else ""))


def require_plain_coding(content_encoding: str) -> None:
    """Raise WrongMediaType for a body that is compressed: no content coding is read here. RFC 9110, 8.4."""
    if content_encoding.strip().lower() not in {"", "identity"}:
        raise WrongMediaType(f"content coding {content_encoding[:40]!r} is not read here")


def _weight(ranges: list[tuple[str, float, str]], media_type: str) -> float:
    """Quality of a media type: what names it counts before what includes it."""
    for named in (media_type, "application/*", "*/*"):
        weights = [weight for kind, weight, _ in ranges if kind == named]
        if weights:
            return max(weights)
    return 0.0


def _pieces(part: str) -> tuple[str, float, str]:
    """Media type, quality and level of one range of an Accept header; an empty level where none is said.

    What is no quality from 0 to 1 is one of 0: the range is not accepted.
    """
    kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
    named = {name.strip(): value.strip(' "') for name, _, value in (p.partition("=") for p in parameters)}
    try:
        quality = float(named.get("q", "1"))
    except ValueError:
        quality = 0.0
    return kind, quality if 0 <= quality <= 1 else 0.0, named.get("level", "")
