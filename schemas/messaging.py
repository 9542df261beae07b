"""Text messages. IEEE 2030.5-2018, 10.6."""

from dataclasses import field

from schemas.events import Event
from schemas.fields import Attr, resource
from schemas.links_metering import ActiveTextMessageListLink, TextMessageListLink
from schemas.resources import SubscribableIdentifiedObject, SubscribableList
from schemas.types import LocaleType, PollRate, PrimacyType, PriorityType, String, String20


@resource
class MessagingProgram(SubscribableIdentifiedObject):
    """Group of text messages with one primacy and language."""

    ActiveTextMessageListLink_: ActiveTextMessageListLink | None = None
    locale: LocaleType
    primacy: PrimacyType
    TextMessageListLink_: TextMessageListLink | None = None


@resource
class MessagingProgramList(SubscribableList):
    """Page of messaging programs."""

    pollRate: Attr[PollRate] | None = None
    MessagingProgram_: list[MessagingProgram] = field(default_factory=list)


@resource
class TextMessage(Event):
    """Message to be shown; never superseded."""

    originator: String20 | None = None
    priority: PriorityType
    textMessage: String


@resource
class TextMessageList(SubscribableList):
    """Page of text messages."""

    TextMessage_: list[TextMessage] = field(default_factory=list)
