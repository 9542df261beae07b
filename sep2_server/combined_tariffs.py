"""CSIP-AUS v1.3 pricing: the intervals of all rate components of a tariff in one list, with prices in them.

TariffProfile links to the list (`ctti`). In it each TimeTariffInterval also has the blocks that it links to,
as a summary, and a link to its RateComponent. All of that is put in at read; nothing of it is stored.
"""

from collections.abc import Iterator
from typing import Any, Final

from schemas import (
    ConsumptionTariffInterval,
    ConsumptionTariffIntervalList,
    Link,
    ListLink,
    TariffProfile,
    TimeTariffInterval,
)
from schemas.csip_aus import COMBINED_LINK
from sep2_server.environment import Environment
from sep2_server.extra_routes import COMBINED_INTERVALS
from sep2_server.reader import Reader
from sep2_server.rows import Row, Span
from sep2_server.uris import Uris

INTERVAL: Final = "TimeTariffInterval"
EVERYWHERE: Final = "all"
"""Value of the rule `price_summary`."""
MOST: Final = 10_000
"""More RateComponents than a tariff has, and more blocks than an interval."""
_TARIFF_START: Final = b"<TariffProfile "
_INTERVAL_START: Final = b"<TimeTariffInterval "


def interval_lists(reader: Reader, uris: Uris, components: Row) -> Iterator[Row]:
    """The TimeTariffIntervalLists of the RateComponents in a list."""
    for component in reader.page(Span(list_id=components.id), limit=MOST):
        place = uris.find(component.href)
        listed = None if place is None else reader.by_href(uris.beside(place, "TimeTariffIntervalList"))
        if listed is not None:
            yield listed


def intervals(reader: Reader, uris: Uris, components: Row, most: int) -> list[Row]:
    """The first intervals of all RateComponents in a list, in the order of a TimeTariffIntervalList."""
    found: list[Row] = []
    for listed in interval_lists(reader, uris, components):
        found += reader.page(Span(list_id=listed.id), limit=most)
    found.sort(key=lambda row: (row.sort_key, row.id))
    return found[:most]


class CombinedTariffs:
    """Puts what v1.3 adds to tariffs into the fragments that one server shows to the clients of a path."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        profile = environment.codec.profile
        self._interval: type[Any] = profile.resolve(TimeTariffInterval)
        self._is_served = COMBINED_INTERVALS in environment.offered_kinds
        self._is_everywhere = self._is_served and environment.rules.price_summary == EVERYWHERE
        self._tariff: type[Any] = profile.resolve(TariffProfile)

    def linked(self, fragment: bytes) -> bytes:
        """A fragment: that of a TariffProfile with the link to its list."""
        if not self._is_served or not fragment.startswith(_TARIFF_START):
            return fragment
        codec, uris = self._environment.codec, self._environment.uris
        value = codec.decode_fragment(fragment, self._tariff)
        place = uris.find(str(value.href))
        if place is not None:
            setattr(value, COMBINED_LINK, ListLink(href=uris.of(COMBINED_INTERVALS, place.parts)))
        return codec.fragment(value)

    def priced(self, reader: Reader, kind: str, fragment: bytes) -> bytes:
        """A fragment in a resource of a kind: that of an interval with its prices where it has them."""
        is_wanted = kind == COMBINED_INTERVALS or self._is_everywhere
        if not is_wanted or not fragment.startswith(_INTERVAL_START):
            return fragment
        environment = self._environment
        value = environment.codec.decode_fragment(fragment, self._interval)
        place = environment.uris.find(str(value.href))
        if place is None:
            return fragment
        listed = reader.by_href(environment.uris.of("ConsumptionTariffIntervalList", place.parts))
        rows = [] if listed is None else reader.page(Span(list_id=listed.id), limit=MOST)
        blocks = [environment.codec.decode_fragment(row.body, ConsumptionTariffInterval) for row in rows]
        value.ConsumptionTariffIntervalListSummary = ConsumptionTariffIntervalList(
            all=len(blocks), results=len(blocks), ConsumptionTariffInterval_=blocks
        )
        value.RateComponentLink = Link(href=environment.uris.of("RateComponent", place.parts[:2]))
        return environment.codec.fragment(value)
