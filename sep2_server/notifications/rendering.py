"""The document of a Notification: what a GET answers at that moment, in an envelope. IEEE 2030.5-2018, 14."""

import re
from functools import lru_cache
from typing import Final

from schemas import Codec, Notification
from schemas.codes import NotificationStatus
from sep2_server.dispatch import Dispatcher
from sep2_server.documents import base_document
from sep2_server.messages import Answer, Request
from sep2_server.notifications.entries import Subscribed
from sep2_server.profiles import ServerProfile
from sep2_server.reader import Reader

KEPT: Final = 1024
"""Resources kept in the form that they have inside of a Notification."""
LARGE_OCTETS: Final = 16_384
KEPT_LARGE: Final = 16
"""Resources of more octets that are kept: who subscribe to one list share it."""
_XSI: Final = b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_HEAD: Final = re.compile(rb"<([\w:]+)")
_STATUS: Final = b"<status>"


class Lost(Exception):
    """The client may no longer see the resource, or it is not there."""


class Withheld(Exception):
    """Nothing may be told to the client for now; what is owed to it is kept."""


class Renderer:
    """Makes the documents of one mount's notifications; each resource once for all who see the same of it."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._codec = dispatcher.environment.mount.codec
        self._element = lru_cache(maxsize=KEPT)(self._made)
        self._large_element = lru_cache(maxsize=KEPT_LARGE)(self._made)
        self._is_list = lru_cache(maxsize=KEPT)(self._looked_up)

    @property
    def rules(self) -> ServerProfile:
        """What the profile of the mount decides."""
        return self._dispatcher.environment.rules

    def document(self, reader: Reader, subscribed: Subscribed, lfdi: str, now: int) -> bytes:
        """The Notification that is owed to a subscription.

        Lost where its client would get no answer, Withheld where it would get none for now; RepairDue
        where time has changed the resource.
        """
        told = Notification(
            subscribedResource=subscribed.resource,
            newResourceURI=subscribed.moved_to,
            status=subscribed.status,
            subscriptionURI=subscribed.uri,
        )
        envelope = self._codec.encode(told)
        if subscribed.status != NotificationStatus.DEFAULT:
            return envelope
        if subscribed.most == 0 and self.rules.notification_limit_0 == "nothing":
            return envelope
        answer = self._answer(reader, subscribed, lfdi, now)
        head, status, tail = envelope.partition(_STATUS)
        return head + self._shared(answer.body, base_alone=subscribed.level == "-S1") + status + tail

    def _answer(self, reader: Reader, subscribed: Subscribed, lfdi: str, now: int) -> Answer:
        request = Request(
            method="GET",
            path=subscribed.path,
            query=f"l={subscribed.most}" if self._is_list(subscribed.path) else "",
            lfdi=lfdi,
            now=now,
        )
        answer = self._dispatcher.answer(reader, request)
        if self._dispatcher.is_blocked(lfdi) or (isinstance(answer, Answer) and answer.status >= 500):
            raise Withheld(f"{lfdi} is blocked, or the server is out of service")
        if not isinstance(answer, Answer) or answer.status != 200:
            raise Lost(subscribed.path)
        return answer

    def _looked_up(self, path: str) -> bool:
        place = self._dispatcher.environment.uris.find(path)
        return place is not None and place.route.is_list

    def _shared(self, document: bytes, *, base_alone: bool) -> bytes:
        made = self._element if len(document) <= LARGE_OCTETS else self._large_element
        return made(document, base_alone)

    def _made(self, document: bytes, base_alone: bool) -> bytes:
        if base_alone and self._codec.profile.extension_namespace:
            document = base_document(document)
        return as_resource(self._codec, document)


def as_resource(codec: Codec, document: bytes) -> bytes:
    """A document as the `Resource` of a Notification: its type in `xsi:type`, the namespaces left outside."""
    head = _HEAD.match(document)
    name = head[1] if head else b""
    attributes, closing, rest = document[1 + len(name) :].partition(b">")
    attributes = attributes.replace(codec.spaces.encode(), b"", 1)
    opening = b'<Resource%s xsi:type="%s"%s' % (_XSI, name, attributes)
    if attributes.endswith(b"/"):
        return opening + closing + rest
    return opening + closing + rest.removesuffix(b"</" + name + b">") + b"</Resource>"
