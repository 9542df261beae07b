"""What every resource is made of: Resource, links, lists, identified and respondable objects, Error."""

from typing import Annotated

from schemas import codes as c
from schemas.fields import Attr, Codes, Default, Unit, resource
from schemas.types import (
    AnyURI,
    HexBinary8,
    String32,
    SubscribableType,
    UInt16,
    UInt32,
    VersionType,
    mRIDType,
)


@resource
class Resource:
    """Addressable unit of information; `href` is its address, given by the server and ignored on input."""

    href: Attr[AnyURI] | None = None


@resource
class Link:
    """Reference to a resource: relative, or absolute where another server holds it."""

    href: Attr[AnyURI]


@resource
class ListLink(Link):
    """Reference to a list; `all` counts what this reader may see there (absent where the list is remote)."""

    all: Attr[UInt32] | None = None


@resource
class List(Resource):
    """Page of a list: `all` items are visible to the reader, `results` of them are here."""

    all: Attr[UInt32]
    results: Attr[UInt32]


@resource
class SubscribableResource(Resource):
    """Resource that may be subscribed to; `subscribable` 0 none, 1 unconditional, 2 conditional, 3 both."""

    subscribable: Attr[Annotated[SubscribableType, Default(0)]] | None = None


@resource
class SubscribableList(SubscribableResource):
    """Page of a list that may be subscribed to."""

    all: Attr[UInt32]
    results: Attr[UInt32]


@resource
class IdentifiedObject(Resource):
    """Resource with an identity for life (`mRID`, low 32 bits: PEN of its creator) and a version."""

    mRID: mRIDType
    description: String32 | None = None
    version: VersionType | None = None


@resource
class SubscribableIdentifiedObject(SubscribableResource):
    """Identified object that may be subscribed to."""

    mRID: mRIDType
    description: String32 | None = None
    version: VersionType | None = None


@resource
class RespondableResource(Resource):
    """Resource that asks for Responses at `replyTo`; bits: 0 received, 1 specific, 2 user."""

    replyTo: Attr[AnyURI] | None = None
    responseRequired: Attr[Annotated[HexBinary8, Default("00")]] | None = None


@resource
class RespondableIdentifiedObject(RespondableResource):
    """Identified object that asks for Responses."""

    mRID: mRIDType
    description: String32 | None = None
    version: VersionType | None = None


@resource
class RespondableSubscribableIdentifiedObject(RespondableResource):
    """Identified object that asks for Responses and may be subscribed to."""

    subscribable: Attr[Annotated[SubscribableType, Default(0)]] | None = None
    mRID: mRIDType
    description: String32 | None = None
    version: VersionType | None = None


@resource
class Error:
    """Body of an error answer: why a request failed and, when busy, how long to wait."""

    maxRetryDuration: Annotated[UInt16, Unit("s")] | None = None
    reasonCode: Annotated[UInt16, Codes(c.ErrorReason)]
