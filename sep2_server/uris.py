"""URIs: the default ones of the declarations, or scrambled ones so that no client can rely on those.

A scrambled URI is one segment: a keyed check of the default URI and the URI under a key stream that hangs on
that check. It tells nothing of its neighbours, and needs no table.
"""

import base64
import binascii
import hashlib
import re
import string
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from function_sets import ROUTES, Route, route_of
from sep2_server.extra_routes import EXTRA_ROUTES

ENTRY: Final = "/dcap"
"""DeviceCapability stays where clients are configured to look for it."""
MOST_KEPT: Final = 8192
"""URIs that are kept in either direction."""
LONGEST: Final = 300
"""Characters of a path; none of ours is as long, and a longer one of a client is not kept."""
_CHECK_OCTETS: Final = 8
_ESCAPED: Final = re.compile("%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset(string.ascii_letters + string.digits + "-._~")


def _by_head() -> dict[tuple[object, ...], list[Route]]:
    found: dict[tuple[object, ...], list[Route]] = {}
    for route in EXTRA_ROUTES.values():
        segments = route.path.split("/")
        found.setdefault((len(segments), segments[1]), []).append(route)
    return found


_ALL_ROUTES: Final = {**ROUTES, **EXTRA_ROUTES}
_EXTRA: Final = _by_head()
"""The routes beside the standard's by their first segment and their length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a URI stands for: its route, the default URI and the values of the placeholders in order."""

    route: Route
    path: str
    parts: tuple[str, ...]


def target_of(raw_path: str) -> str:
    """Path and query of a request line, whose target may be a whole URI. RFC 9112, 3.2."""
    if raw_path.startswith("/"):
        return raw_path
    _, _, rest = raw_path.partition("://")
    return "/" + rest.partition("/")[2]


def normal(path: str) -> str:
    """A path without needless escapes: `/%74m` is `/tm`. RFC 3986, 6.2.2.2."""
    return _ESCAPED.sub(_unescaped, path) if "%" in path else path


def route_named(kind: str) -> Route:
    """The route with an id, of the standard or beside it."""
    return _ALL_ROUTES[kind]


class Uris:
    """Makes URIs and finds what they stand for."""

    def __init__(self, salt: str = "") -> None:
        self._salt = salt.encode()
        self._kept = lru_cache(MOST_KEPT)(self._made)

    @property
    def fingerprint(self) -> str:
        """What tells one way of making URIs from another without telling the salt."""
        return hashlib.sha256(b"uris" + self._salt).hexdigest()[:16]

    def of(self, kind: str, parts: Iterable[object] = ()) -> str:
        """URI of a resource by the id of its route and the values of the placeholders."""
        return self._kept(kind, tuple(parts))

    def _made(self, kind: str, parts: tuple[object, ...]) -> str:
        path = _ALL_ROUTES[kind].filled(parts)
        return self._public(path) if self._salt else path

    def find(self, uri: str) -> Place | None:
        """What a URI stands for, None where it fits no route."""
        path = self._default(uri)
        return None if path is None or len(path) > LONGEST else _place_of(path)

    def beside(self, place: Place, kind: str) -> str:
        """URI of another kind of resource with the same placeholders, as far as it has them."""
        route = route_named(kind)
        return self.of(kind, place.parts[: route.path.count("{")])

    def owner(self, place: Place) -> str | None:
        """URI of the EndDevice, program or usage point at the head of a URI; None for a list of those."""
        head = place.path.split("/")[1:3]
        return self._public("/" + "/".join(head)) if len(head) == 2 else None

    def parent(self, place: Place) -> str | None:
        """URI one segment up; None where there is none."""
        above = place.path.rpartition("/")[0]
        return self._public(above) if above else None

    def _public(self, path: str) -> str:
        if not self._salt or path == ENTRY:
            return path
        check = self._check(path.encode())
        hidden = base64.urlsafe_b64encode(check + self._veil(path.encode(), check))
        return "/" + hidden.decode().rstrip("=")

    def _default(self, uri: str) -> str | None:
        """The default URI of a scrambled one, which has one spelling: the last letter has bits to spare."""
        if not self._salt or uri == ENTRY:
            return uri
        text = uri[1:]
        try:
            hidden = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        check, veiled = hidden[:_CHECK_OCTETS], hidden[_CHECK_OCTETS:]
        path = self._veil(veiled, check)
        if self._check(path) != check:
            return None
        default = path.decode()
        return default if self._public(default) == uri else None

    def _check(self, path: bytes) -> bytes:
        return hashlib.blake2b(path, key=self._salt[:64], digest_size=_CHECK_OCTETS).digest()

    def _veil(self, text: bytes, check: bytes) -> bytes:
        stream = hashlib.shake_128(self._salt + check).digest(len(text))
        return bytes(a ^ b for a, b in zip(text, stream, strict=True))


def _unescaped(escape: re.Match[str]) -> str:
    letter = chr(int(escape[1], 16))
    return letter if letter in _UNRESERVED else escape[0].upper()


@lru_cache(MOST_KEPT)
def _place_of(path: str) -> Place | None:
    found = route_of(path)
    if found is not None:
        return Place(route=found[0], path=path, parts=tuple(found[1].values()))
    segments = path.split("/")
    for route in _EXTRA.get((len(segments), *segments[1:2]), ()):
        parts = _parts(route.path.split("/"), segments)
        if parts is not None:
            return Place(route=route, path=path, parts=parts)
    return None


def _parts(pattern: list[str], segments: list[str]) -> tuple[str, ...] | None:
    """The segments that stand for placeholders; None where the path does not fit."""
    if len(pattern) != len(segments) or not all(segments[1:]):
        return None
    pairs = list(zip(pattern, segments, strict=True))
    if any(a != b for a, b in pairs if not a.startswith("{")):
        return None
    return tuple(b for a, b in pairs if a.startswith("{"))
