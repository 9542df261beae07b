"""Which statements have to see the rows that wait to be written together."""

from functools import cache
from typing import Final

from sqlalchemy import Table
from sqlalchemy.sql.expression import ClauseElement
from sqlalchemy.sql.util import find_tables

WAITING: Final = frozenset({"resource", "tally", "reading", "report"})
"""The tables whose rows wait."""


@cache
def needs_rows(statement: ClauseElement) -> bool:
    """Whether a statement may read or write what waits; of a text that is not known."""
    found = find_tables(
        statement, include_joins=True, include_selects=True, include_crud=True, check_columns=True
    )
    return not found or not WAITING.isdisjoint(table.name for table in found if isinstance(table, Table))
