"""One profile at one path: what the server stores has neither, and gets or loses both here, at its edge.

Stored bodies and URIs are those of the store's profile without a path before them. A mount leaves out what
its profile does not know, writes the namespace of its version, and puts its path before the server's URIs.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, TypeVar
from urllib.parse import urlsplit

from schemas import Codec, Link, Profile, csip_aus, spec_of
from sep2_server.messages import Answer
from sep2_server.profiles import BASE_PROFILE, ServerProfile
from sep2_server.strangers import decoded

T = TypeVar("T")
Rewrite = Callable[[bytes], bytes]

_HREF: Final = re.compile(rb'<[^<>/][^<>]*? (?:href|replyTo)="/[^<>]*>')
_ATTRIBUTE: Final = re.compile(rb' (href|replyTo)="/')
_URI_ELEMENT: Final = re.compile(rb"<(subscribedResource|subscriptionURI|newResourceURI|fileURI)>/")
_URI_FIELDS: Final = frozenset({"subscribedResource"})
"""URIs of the server that a client may send as text, links apart."""


@dataclass(frozen=True)
class Mount:
    """A profile at a path; `prefix` is empty at the root. `store` is the codec of what is stored."""

    store: Codec
    prefix: str = ""
    rules: ServerProfile = BASE_PROFILE
    codec: Codec = field(init=False)

    def __post_init__(self) -> None:
        is_same = self.rules.xml is self.store.profile
        object.__setattr__(self, "codec", self.store if is_same else Codec(self.rules.xml))

    @property
    def is_plain(self) -> bool:
        """True where clients see what is stored as it is."""
        return not self._rewrites

    def rendered(self, document: bytes) -> bytes:
        """A document of the store as the clients of this mount get it."""
        for rewrite in self._rewrites:
            document = rewrite(document)
        return document

    def href(self, uri: str) -> str:
        """A URI of the store as the clients of this mount know it."""
        return self.prefix + uri if uri.startswith("/") else uri

    def answered(self, answer: Answer, method: str = "POST") -> Answer:
        """The answer to a write with the status that the profile says and a Location of this mount."""
        status = self._statuses.get((method, answer.status, bool(answer.headers)), answer.status)
        if status != answer.status:
            answer = replace(answer, status=status)
        if not self.prefix or not answer.headers:
            return answer
        headers = tuple((n, self.href(v) if n == "Location" else v) for n, v in answer.headers)
        return replace(answer, headers=headers)

    def decode(self, body: bytes, expected: tuple[type, ...], *, most: int) -> object:
        """The resource in a body from a client of this mount, as the store knows it. Raises Malformed."""
        if self.codec is self.store and not self.prefix:
            return decoded(self.codec.judge, body, expected, most)
        additions = self.rules.xml.additions
        wanted = tuple(additions.get(cls.__name__, cls) for cls in expected)
        value: object = decoded(self.codec.judge, body, wanted, most)
        if isinstance(value, csip_aus.ConnectionPointV11):
            return csip_aus.ConnectionPoint(href=value.href, connectionPointId=value.id)
        if self.prefix:
            self._strip(value)
        return value

    def stored_uri(self, uri: str) -> str:
        """A URI that a client of this mount sent, relative or absolute, as the store knows it."""
        parts = urlsplit(uri)
        if not self.prefix or not parts.path.startswith(self.prefix + "/"):
            return uri
        return parts._replace(path=parts.path[len(self.prefix) :]).geturl()

    def _strip(self, value: object) -> None:
        """Take the path out of the links and URIs in a value."""
        if isinstance(value, Link):
            value.href = self.stored_uri(value.href)
        for f in spec_of(type(value)):
            held = getattr(value, f.attr)
            if f.name in _URI_FIELDS and isinstance(held, str):
                setattr(value, f.attr, self.stored_uri(held))
            for item in held if isinstance(held, list) else [held]:
                if f.target is not None and item is not None:
                    self._strip(item)

    @cached_property
    def _statuses(self) -> dict[tuple[str, int, bool], int]:
        """By method, status and whether there is a Location: the status that the profile says."""
        rules = self.rules
        return {
            ("PUT", 204, False): rules.put_status,
            ("DELETE", 204, False): rules.delete_status,
        }

    @cached_property
    def _rewrites(self) -> tuple[Rewrite, ...]:
        """What is to be done to a document, one after the other."""
        steps: list[Rewrite] = []
        if self.codec is not self.store:
            unknown = _elements(self.store.profile) - _elements(self.codec.profile)
            renamed = self.codec.profile.additions.get("ConnectionPoint") is csip_aus.ConnectionPointV11
            if renamed:
                unknown -= {"connectionPointId"}
                steps.append(_renaming("connectionPointId", "id", self.codec.profile.prefix))
            if unknown:
                steps.append(_leaving_out(unknown, self.store.profile.prefix))
            steps.append(_declaring(self.store.spaces, self.codec.spaces))
        if self.prefix:
            steps.append(_prefixing(self.prefix.encode()))
        return tuple(steps)


def _elements(profile: Profile) -> set[str]:
    """Names of the elements in the namespace of a profile's extensions."""
    classes = (*profile.extensions, *profile.additions.values())
    return {f.name for cls in classes for f in spec_of(cls) if f.foreign and not f.is_attribute}


def _renaming(old: str, new: str, prefix: str) -> Rewrite:
    pattern = re.compile(rf"<(/?){prefix}:{old}>".encode())
    return lambda document: pattern.sub(rf"<\g<1>{prefix}:{new}>".encode(), document)


def _leaving_out(names: set[str], prefix: str) -> Rewrite:
    """Take elements out with all that they hold. Text of ours has no `<`, so none is taken for an element."""
    either = "|".join(sorted(names))
    pattern = re.compile(
        rf"<{prefix}:({either})(?: [^<>]*)?(?:/>|(?<!/)>.*?</{prefix}:\1>)".encode(), re.DOTALL
    )
    return lambda document: pattern.sub(b"", document)


def _declaring(old: str, new: str) -> Rewrite:
    return lambda document: document.replace(old.encode(), new.encode(), 1)


def _prefixing(prefix: bytes) -> Rewrite:
    """Put a path before the URIs in tags; text that looks like an attribute stands in none."""
    attribute, element = rb' \1="' + prefix + b"/", rb"<\1>" + prefix + b"/"

    def in_tag(tag: re.Match[bytes]) -> bytes:
        return _ATTRIBUTE.sub(attribute, tag[0])

    return lambda document: _URI_ELEMENT.sub(element, _HREF.sub(in_tag, document))
