"""Errors of the 2.0b wire.

WireError
 +- MessageError        the peer's message cannot be taken; `code` says why in the words of the profile
 |   +- Malformed           454  no XML, too large, not valid by the schema
 |   +- NotExpected         450  a message that this exchange does not have
 |   |   +- Unknown               the VTN does not know this VEN (any more): it registers again
 |   +- Untrusted           463  unsigned, wrongly signed, by another, or seen before
 +- TransportError      nothing came back, or no answer of the service; it may be tried again
 |   +- Refused             the peer said no by HTTP: `status`; to send the same again is in vain
"""

from openadr_ven.events import Code


class WireError(Exception):
    """What can go wrong between a VEN and its VTN."""


class MessageError(WireError):
    """A message of the peer that is not taken."""

    code: Code = Code.COMPLIANCE_OTHER


class Malformed(MessageError):
    """No document of the profile. OpenADR 2.0b, HTTP 406."""

    code = Code.INVALID_DATA


class NotExpected(MessageError):
    """A valid message in the wrong place."""

    code = Code.OUT_OF_SEQUENCE


class Unknown(NotExpected):
    """The VTN does not know this VEN (any more)."""


class Untrusted(MessageError):
    """Nobody knows from whom it is, or it came before. OpenADR 2.0b, R514."""

    code = Code.NOT_AUTHORISED


class TransportError(WireError):
    """No answer: down, hanging, busy (503), failed (500)."""


class Refused(TransportError):
    """An HTTP status that will not change by itself."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
