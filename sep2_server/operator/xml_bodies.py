"""Resources that an operator sends as documents of the standard (`application/sep+xml`) beside JSON."""

from typing import Any

from schemas import Codec, Malformed, Profile, json_of
from sep2_server.below import below
from sep2_server.operator.body import Document
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.planting import MADE_HERE
from sep2_server.strangers import decoded
from sep2_server.uris import route_named

MOST_OCTETS = 1 << 20
IDENTITY = "mRID"
FILLED_IN = frozenset({"responseRequired"})
"""Fields that have a value where nothing is said."""


def given_of(desk: Desk, body: object, kind: str) -> object:
    """What a body says of a new resource of a kind, as JSON says it. BadRequest for no such document."""
    return _wire(desk, body, kind) if isinstance(body, Document) else body


def replacing(desk: Desk, body: object, kind: str, held: object) -> object:
    """What a body puts over a resource: a document replaces it, so what is not in it goes.

    What the server makes stays, and so does the mRID: BadRequest for another one.
    """
    if not isinstance(body, Document):
        return body
    new, old = _wire(desk, body, kind), json_of(held)
    if IDENTITY in new and int(str(new[IDENTITY]), 16) != int(str(old.get(IDENTITY, "0")), 16):
        raise BadRequest(f"mRID: {new[IDENTITY]} is not that of the resource", "it is for life: leave it")
    kept = MADE_HERE | {IDENTITY} | {one.attr.rstrip("_") for one in below(kind)}
    gone = {name: None for name in old if name not in new and name not in FILLED_IN}
    return {name: value for name, value in {**gone, **new}.items() if name not in kept}


def _wire(desk: Desk, body: Document, kind: str) -> dict[str, Any]:
    cls = route_named(kind).type
    try:
        value: object = decoded(Codec(_profile_of(desk, body)).judge, body.octets, cls, MOST_OCTETS)
    except Malformed as flaw:
        raise BadRequest(f"body: {flaw}", f"send a {cls.__name__} as the schema has it, or JSON") from flaw
    return json_of(value)


def _profile_of(desk: Desk, body: Document) -> Profile:
    """The profile whose extensions stand in a document: that of a version which is served here."""
    environment = desk.environment
    known = [environment.codec.profile, *(one.xml for one in environment.settings.all_profiles.values())]
    for profile in known:
        space = profile.extension_namespace
        if space and f'"{space}"'.encode() in body.octets.replace(b"'", b'"'):
            return profile
    return environment.codec.profile
