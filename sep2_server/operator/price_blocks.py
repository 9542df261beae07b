"""The blocks of consumption of a price interval: the first begins with 0, each at its own value. 10.5.

However they change: one is added, moved or removed.
"""

from typing import Final

from schemas import ConsumptionTariffInterval, Resource
from sep2_server.operator.desk import ALL, Desk
from sep2_server.operator.function_rules import check_blocks
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


def _starts(desk: Desk, list_id: int | None, but: Row | None) -> list[int]:
    """Where the blocks of a list begin, without one of them."""
    rows = [] if list_id is None else desk.reader.items(list_id, limit=ALL)
    others = [row for row in rows if but is None or row.id != but.id]
    return [desk.resource(row, ConsumptionTariffInterval).startValue for row in others]
