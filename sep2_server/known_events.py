"""Events that others of their list are compared with, decoded once while their row stays as it is."""

from functools import lru_cache
from typing import Final

from function_sets import Standing, standing_of
from schemas import Codec, Event
from sep2_server.environment import Environment
from sep2_server.rows import Row
from sep2_server.uris import route_named

MOST_KNOWN: Final = 2000
"""Events that are kept, some 2 kB each; those of one list that overlap are rarely as many."""


def known_event(environment: Environment, row: Row) -> Standing:
    """The event that a row holds, with what others ask of it. It is shared: nobody changes it."""
    is_higher = environment.settings.profile.mrid_tie_break == "higher"
    return _known(environment.codec, route_named(row.kind).type, row.body, is_higher)


@lru_cache(MOST_KNOWN)
def _known(codec: Codec, cls: type[Event], body: bytes, is_higher: bool) -> Standing:
    return standing_of(codec.decode_fragment(body, cls), is_higher=is_higher)
