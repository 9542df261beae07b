"""The blocks of consumption of a price interval: the first begins with 0, each at its own value. 10.5.

However they change: one is added, moved or removed.
"""

from dataclasses import replace
from typing import Final

from schemas import ConsumptionTariffInterval, Resource
from sep2_server.event_times import event_of
from sep2_server.operator.desk import ALL, OPEN_STATES, Desk
from sep2_server.operator.event_changes import current
from sep2_server.operator.function_rules import check_blocks
from sep2_server.operator.tree import put_item
from sep2_server.rows import Row

KIND: Final = "ConsumptionTariffInterval"


def require_fit(desk: Desk, list_id: int | None, value: Resource, held: Row | None = None) -> None:
    """Raise BadRequest for a block that does not fit to those of its list; `held` is what it replaces."""
    if isinstance(value, ConsumptionTariffInterval):
        check_blocks([*_starts(desk, list_id, held), value.startValue])


def require_dispensable(desk: Desk, row: Row) -> None:
    """Raise BadRequest for the first block of several, which is to be removed."""
    if row.kind == KIND:
        check_blocks(_starts(desk, row.list_id, row))


def changed(desk: Desk, row: Row) -> None:
    """Give the open interval that a block belongs to its next version: so who subscribed to it hears of it.

    Its price is shown with the interval. IEEE 2030.5-2018, 10.2 (version).
    """
    listed = None if row.kind != KIND or row.list_id is None else desk.reader.by_id(row.list_id)
    place = None if listed is None else desk.environment.uris.find(listed.href)
    above = None if place is None else desk.reader.by_href(desk.environment.uris.parent(place) or "")
    if above is not None and above.status in OPEN_STATES:
        above = current(desk, above)
        interval = event_of(desk.environment, above)
        put_item(desk, above, replace(interval, version=(interval.version or 0) + 1))


def _starts(desk: Desk, list_id: int | None, but: Row | None) -> list[int]:
    """Where the blocks of a list begin, without one of them."""
    rows = [] if list_id is None else desk.reader.items(list_id, limit=ALL)
    others = [row for row in rows if but is None or row.id != but.id]
    return [desk.resource(row, ConsumptionTariffInterval).startValue for row in others]
