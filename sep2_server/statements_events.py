"""Statements about events by their times: what overlaps, and what is due."""

from functools import cache
from typing import Any, Final

from sqlalchemy import Select, and_, func, literal_column, select
from sqlalchemy.sql.elements import ColumnElement

from sep2_server import tables as t
from sep2_server.rows import OVER
from sep2_server.terms import NO_SKIP, param

_R = t.resource.c


_IN_LIST = _R.list_id == param("list_id")


def _longest(list_id: ColumnElement[int]) -> ColumnElement[int]:
    """How long the longest event of a list may be in force, s; the span of an event is within that."""
    one = t.resource.alias("longest")
    length = one.c.ends - one.c.starts
    events = and_(one.c.list_id == list_id, one.c.status < literal_column(str(OVER)), length.is_not(None))
    found = select(length).where(events).order_by(length.desc()).limit(literal_column("1"))
    return found.offset(NO_SKIP).correlate(t.resource).scalar_subquery()


OVERLAPPING: Final = select(t.resource).where(
    _IN_LIST,
    _R.status < literal_column(str(OVER)),
    _R.starts < param("ends"),
    _R.ends > param("starts"),
    _R.starts > param("starts") - _longest(param("list_id")),
)

_IS_OPEN: Final = (
    _IN_LIST,
    _R.status < literal_column(str(OVER)),
    _R.status.in_((literal_column("0"), literal_column("1"))),
)
COUNT_OPEN: Final = select(func.count()).select_from(t.resource).where(*_IS_OPEN)
LAST_OPEN: Final = (
    select(t.resource).where(*_IS_OPEN).order_by(_R.starts.desc()).limit(literal_column("1")).offset(NO_SKIP)
)
"""The event of a list that starts last, of those that are scheduled or active."""


@cache
def with_siblings(number: int) -> Select[Any]:
    """Which of so many events (`i0` and so on) overlap with another of their list that is not over."""
    other = t.resource.alias()
    rival = (
        select(other.c.id)
        .where(
            other.c.list_id == _R.list_id,
            other.c.status < literal_column(str(OVER)),
            other.c.starts < _R.ends,
            other.c.ends > _R.starts,
            other.c.starts > _R.starts - _longest(_R.list_id),
            other.c.id != _R.id,
        )
        .correlate(t.resource)
    )
    return select(_R.id).where(_R.id.in_([param(f"i{n}") for n in range(number)]), rival.exists())


NEXT_IN_LIST: Final = select(func.min(_R.next_at)).where(
    _R.list_id == param("list_id"), _R.next_at.is_not(None)
)
DUE: Final = (
    select(t.resource)
    .where(_R.next_at.is_not(None), _R.next_at <= param("now"))
    .order_by(_R.next_at)
    .limit(param("limit"))
    .offset(NO_SKIP)
)
DUE_IN_LIST: Final = DUE.where(_R.list_id == param("list_id"))
NEXT_DUE: Final = select(func.min(_R.next_at)).where(_R.next_at.is_not(None))
LEFT: Final = (
    select(t.resource)
    .where(_R.owner_id == param("owner_id"), _R.kind == param("kind"), _R.list_id.is_(None))
    .order_by(_R.id.desc())
    .limit(param("limit"))
    .offset(param("skip"))
)
"""Events of one owner that have left their list, those that came last first."""
