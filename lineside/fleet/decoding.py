"""Documents read once for all devices of a process: most devices are sent the same bytes."""

from __future__ import annotations

from collections import OrderedDict
from copy import copy
from typing import TYPE_CHECKING, Final

from lineside.fleet.tour import items_of
from schemas import BASE, Codec, Resource, spec_of

if TYPE_CHECKING:
    from schemas import Profile

MOST: Final = 2048


class Decoder:
    """A codec that remembers what it has read. Nobody changes what it gives."""

    def __init__(self, profile: Profile = BASE) -> None:
        self._codec = Codec(profile)
        self._known: OrderedDict[tuple[bytes, type[Resource]], Resource] = OrderedDict()

    def decoded(self, body: bytes, cls: type[Resource]) -> Resource:
        """The resource in a document. Malformed."""
        key = (body, cls)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._codec.decode(body, cls)
            if len(self._known) > MOST:
                self._known.popitem(last=False)
        return known

    def encoded(self, value: Resource) -> bytes:
        """The document of a resource."""
        return self._codec.encode(value)

    def joined(self, first: Resource, second: Resource) -> Resource:
        """One list with the items of two pages."""
        whole = copy(first)
        attribute = next(f.attr for f in spec_of(type(first)) if f.is_list)
        setattr(whole, attribute, [*items_of(first), *items_of(second)])
        return whole
