"""One message out and one back: written, signed, sent, checked, read. Nothing that is not trusted is read."""

from collections.abc import Callable
from datetime import UTC, datetime

from openadr_ven.v2b.document import message_of, parsed
from openadr_ven.v2b.messages import EiResponse, Message, Response, Service
from openadr_ven.v2b.ports import Transport
from openadr_ven.v2b.reading import message as read_message
from openadr_ven.v2b.signature import Signer, Verifier
from openadr_ven.v2b.writing import enveloped, signed_object


class Exchange:
    """A VEN's way to its VTN. With a `signer` messages are signed, with a `verifier` answers must be."""

    def __init__(
        self,
        transport: Transport,
        now: Callable[[], float],
        nonce: Callable[[], str],
        signer: Signer | None = None,
        verifier: Verifier | None = None,
    ) -> None:
        self._transport = transport
        self._now = now
        self._nonce = nonce
        self._signer = signer
        self._verifier = verifier

    @property
    def is_signed(self) -> bool:
        """Whether this VEN signs."""
        return self._signer is not None

    async def ask(self, service: Service, message: Message) -> Message:
        """The answer of the VTN. Raises TransportError, or MessageError for an answer that is not taken.

        To an oadrResponse of ours a VTN may answer with nothing at all.
        """
        sent = signed_object(message)
        signature = ""
        if self._signer is not None:
            signature = self._signer.sign(sent, stamp(self._now()), self._nonce())
        body = await self._transport.send(service, enveloped(sent, signature))
        if not body and isinstance(message, Response):
            return Response(response=EiResponse())
        root = parsed(body)
        if self._verifier is not None:
            root = self._verifier.verified(root, self._now(), self._transport.peer)
        return read_message(message_of(root))


def stamp(now: float) -> str:
    """A time of sending, with its fraction."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
