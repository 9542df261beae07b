"""Lists: the query of a page, the order of items as bytes, and the page itself. IEEE 2030.5-2018, annex B."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Final, NamedTuple, TypeVar
from urllib.parse import parse_qsl

from function_sets.model import Key, Route, attribute_path
from schemas import Field, spec_of

T = TypeVar("T")
Getter = Callable[[object], object]

DEFAULT_LIMIT: Final = 1
_NUMBER_OCTETS: Final = 9
_HEX_OCTETS: Final = 21
_OFFSET: Final = 1 << 63
_INVERT: Final = bytes(255 - n for n in range(256))
_MOST_NUMBER: Final = (1 << 63) - 1
_MOST_START: Final = 1 << 62
"""Behind the end of every list, and so far from the largest number that a limit may be added."""
_MOST_DIGITS: Final = 20


class BadQueryError(ValueError):
    """A query parameter is no whole number from 0; the answer is 400."""

    status = 400


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a client asks of a list: first item (`s`), most items (`l`), and only items later than `a` (s)."""

    start: int = 0
    limit: int = DEFAULT_LIMIT
    after: int | None = None

    def capped(self, most: int) -> "ListQuery":
        """The query with the limit that the server allows."""
        return self if self.limit <= most else replace(self, limit=most)


_PLAIN: Final = ListQuery()
_NAMES: Final = {"s": "start", "l": "limit", "a": "after"}


def parse_query(query: str | Sequence[tuple[str, str]]) -> ListQuery:
    """The query of a list; the first of repeated parameters counts, unknown ones are ignored.

    Raises BadQueryError for a parameter that is no whole number from 0.
    """
    if not query:
        return _PLAIN
    pairs = _pairs_of(query) if isinstance(query, str) else query
    found: dict[str, int] = {}
    for name, text in pairs:
        if name in _NAMES and _NAMES[name] not in found:
            found[_NAMES[name]] = _number(name, text)
    return ListQuery(**found)


def _pairs_of(query: str) -> Sequence[Sequence[str]]:
    if "%" in query or "+" in query:
        return parse_qsl(query, keep_blank_values=True)
    return [pair.partition("=")[::2] for pair in query.split("&")]


def page(items: Sequence[T], query: ListQuery) -> Sequence[T]:
    """The items of one page; past the end there are none."""
    return items[query.start : query.start + query.limit]


def sort_key(route: Route, item: object, href: str | None = None) -> bytes:
    """Bytes that sort as the declared order of the list says: `sorted(items, key=...)` is the page order.

    Numbers sort as numbers, mRIDs and other hex as unsigned numbers, text by its UTF-8 octets, an absent
    value before all others; a descending key has all its octets inverted. `href` stands for the item's own.
    """
    held = _ENCODERS.get(route.id)
    if held is None or held[0] is not route.order:
        encoders = tuple(_encoder(route, key) for key in route.order)
        held = _ENCODERS[route.id] = (route.order, encoders)
    return b"".join([_encoded(encoder, item, href) for encoder in held[1]])


class AfterBounds(NamedTuple):
    """Sort keys of the items later than a time: from `low` (None: the least) up to, without, `high`."""

    low: bytes | None
    high: bytes | None


def after_bounds(route: Route, after: int) -> AfterBounds | None:
    """Where the items with a primary time key later than `after` lie; None where the list has no such key.

    `a` is defined on lists whose first key is a time; it is ignored elsewhere.
    """
    if route.after is None or not route.order or route.order[0].path != route.after:
        return None
    time = min(after, _MOST_NUMBER - 1)
    if route.order[0].descending:
        return AfterBounds(None, _inverted(b"\x01" + _number_bytes(time)))
    return AfterBounds(b"\x01" + _number_bytes(time + 1), None)


class _Encoder(NamedTuple):
    get: Getter | None
    kind: str
    descending: bool


_ENCODERS: dict[str, tuple[tuple[Key, ...], tuple[_Encoder, ...]]] = {}


def readable_query(query: str) -> ListQuery:
    """The query of a list by what can be read of it: a parameter that is no whole number is as if absent."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return parse_query([(name, text) for name, text in pairs if name in _NAMES and _is_whole(name, text)])


def _is_whole(name: str, text: str) -> bool:
    try:
        _number(name, text)
    except BadQueryError:
        return False
    return True


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise BadQueryError(f"{name}={text[:20]!r} is not a whole number from 0")
    number = int(text) if len(text) <= _MOST_DIGITS else int(text.lstrip("0")[:_MOST_DIGITS] or "0")
    return min(number, _MOST_START if name == "s" else _MOST_NUMBER)


def _encoder(route: Route, key: Key) -> _Encoder:
    if route.item is None or key.path == "href":
        return _Encoder(None, "href", key.descending)
    path = attribute_path(route.item, key.path)
    return _Encoder(attrgetter(".".join(path)), _kind(route.item, key.path), key.descending)


def _kind(cls: type, dotted: str) -> str:
    *above, last = dotted.split(".")
    for name in above:
        cls = _field(cls, name).target or cls
    scalar = _field(cls, last).scalar
    primitive = scalar.primitive if scalar else ""
    if primitive == "xs:hexBinary":
        return "hex"
    return "text" if primitive in {"xs:string", "xs:anyURI"} else "number"


def _field(cls: type, name: str) -> Field:
    return next(f for f in spec_of(cls) if f.name == name)


def _encoded(encoder: _Encoder, item: object, href: str | None) -> bytes:
    get, kind, descending = encoder
    value = (href if href is not None else getattr(item, "href", None)) if get is None else _value(get, item)
    data = b"\x00" if value is None else b"\x01" + _ENCODE[kind](value)
    return _inverted(data) if descending else data


def _value(get: Getter, item: object) -> object:
    try:
        return get(item)
    except AttributeError:
        return None


def _inverted(data: bytes) -> bytes:
    return data.translate(_INVERT)


def _number_bytes(value: object) -> bytes:
    return (int(str(value)) + _OFFSET).to_bytes(_NUMBER_OCTETS, "big")


def _hex_bytes(value: object) -> bytes:
    return int(str(value) or "0", 16).to_bytes(_HEX_OCTETS, "big")


def _text_bytes(value: object) -> bytes:
    return str(value).encode().replace(b"\x00", b"\x00\xff") + b"\x00\x00"


_ENCODE: Final = {"number": _number_bytes, "hex": _hex_bytes, "text": _text_bytes, "href": _text_bytes}
