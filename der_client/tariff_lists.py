"""Which lists of rate components a list of prices makes out of date. Pure. CSIP-AUS v1.3, PRC-05.

Intervals are polled more often than the tariffs and their components, and may be of a component that was not
there when those were read.
"""

from collections.abc import Iterator, Mapping

from der_client.list_pages import items_of
from der_client.nodes import combined_link
from schemas import Resource, TariffProfile, TariffProfileList, TimeTariffIntervalList
from schemas.csip_aus import TimeTariffIntervalV13


def outdated(href: str, prices: Resource, held: Mapping[str, Resource | None]) -> Iterator[str]:
    """RateComponentLists of tariffs whose combined list is `prices`, at `href`, with components not held."""
    if not isinstance(prices, TimeTariffIntervalList):
        return
    named = {
        one.RateComponentLink.href
        for one in prices.TimeTariffInterval_
        if isinstance(one, TimeTariffIntervalV13) and one.RateComponentLink is not None
    }
    for tariff in _tariffs(held):
        combined, components = combined_link(tariff), tariff.RateComponentListLink_
        if combined is None or combined.href != href or components is None:
            continue
        if named - {one.href for one in items_of(held.get(components.href))}:
            yield components.href


def _tariffs(held: Mapping[str, Resource | None]) -> Iterator[TariffProfile]:
    for one in held.values():
        if isinstance(one, TariffProfileList):
            yield from (item for item in items_of(one) if isinstance(item, TariffProfile))
