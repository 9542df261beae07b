"""The media types that bodies are written in and read from, each with its codec. IEEE 2030.5-2018, 4.5.

Everything inside works with XML; a codec stands at the edge. One of `application/sep-exi` joins by being
given to `BodyCodecs`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from schemas import MEDIA_TYPE
from schemas.codes import Encoding
from sep2_server.errors import BadRequest, WrongMediaType

EXI_MEDIA_TYPE: Final = "application/sep-exi"
"""EXI 1.0 with the schema of the standard, not strict."""


class BodyCodec(Protocol):
    """From XML documents to the bodies of one media type and back."""

    @property
    def media_type(self) -> str:
        """Media type without parameters, in lower case."""

    @property
    def encoding(self) -> int:
        """What `Subscription.encoding` calls it."""

    def encode(self, document: bytes) -> bytes:
        """The body that holds an XML document of ours."""

    def decode(self, body: bytes, *, most: int) -> bytes:
        """The XML document in a body, of at most `most` octets. schemas.Malformed where there is none."""


@dataclass(frozen=True, slots=True)
class XmlBody:
    """XML, which is a document as it is."""

    media_type: str = MEDIA_TYPE
    encoding: int = Encoding.APPLICATION_PER_SEP_XML

    def encode(self, document: bytes) -> bytes:
        """The document."""
        return document

    def decode(self, body: bytes, *, most: int) -> bytes:
        """The body; whoever parses it looks at its size."""
        del most
        return body


XML: Final = XmlBody()


class BodyCodecs:
    """The codecs of a server in its order of preference: XML is there and comes first."""

    def __init__(self, further: Iterable[BodyCodec] = ()) -> None:
        self.all: tuple[BodyCodec, ...] = (XML, *further)
        self._by_type = {codec.media_type: codec for codec in self.all}
        self._by_encoding = {codec.encoding: codec for codec in self.all}
        if len(self._by_type) < len(self.all) or len(self._by_encoding) < len(self.all):
            raise ValueError("two codecs of one media type, or of one encoding")

    @property
    def encodings(self) -> frozenset[int]:
        """What a Subscription may have as its encoding."""
        return frozenset(self._by_encoding)

    def of_encoding(self, encoding: int) -> BodyCodec | None:
        """The codec that a Subscription asks for, None where there is none."""
        return self._by_encoding.get(encoding)

    def reading(self, content_type: str | None) -> BodyCodec:
        """The codec of a body. WrongMediaType where there is none, BadRequest for a body without a type."""
        if content_type is None:
            raise BadRequest("a body without Content-Type")
        codec = self._by_type.get(content_type.partition(";")[0].strip().lower())
        if codec is None:
            raise WrongMediaType(f"{content_type[:120]!r} is not read here")
        return codec


XML_ALONE: Final = BodyCodecs()
