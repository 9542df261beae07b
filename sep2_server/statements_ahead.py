"""Statements that find what a clock that was ahead has begun or ended: it was set back since.

Declared as those in `statements`.
"""

from typing import Any, Final

from sqlalchemy import BindParameter, bindparam, literal_column, select

from schemas.codes import EventState
from sep2_server import tables as t
from sep2_server.rows import FOR_GOOD, OVER

_R = t.resource.c


def _p(name: str) -> BindParameter[Any]:
    return bindparam(name)


_NO_SKIP: Any = literal_column("0")
_IS_OVER = _R.status == literal_column(str(OVER))
_IS_ACTIVE = _R.status == literal_column(str(int(EventState.ACTIVE)))

AHEAD: Final = select(t.resource).where(_IS_ACTIVE, _R.starts > _p("now")).limit(_p("limit")).offset(_NO_SKIP)
"""Rows that were written as active."""
NOT_OVER: Final = select(_R.id).where(_R.status < literal_column(str(OVER)))
"""Row ids of events that are not over."""
OVER_AHEAD: Final = (
    select(t.resource)
    .where(_R.next_at.is_not(None), _R.next_at > _p("until"), _R.next_at < literal_column(str(FOR_GOOD)))
    .where(_IS_OVER, _R.ends > _p("now"))
    .where(_R.id + _NO_SKIP > _p("after"))
    .order_by(_R.id + _NO_SKIP)
    .limit(_p("limit"))
    .offset(_NO_SKIP)
)
"""Events that were ended; `until`: when those that end at `now` leave or are forgotten."""
SPANS_AHEAD: Final = (
    select(t.resource)
    .where(_R.next_at.is_not(None), _R.next_at > _p("now") + literal_column(str(FOR_GOOD)))
    .limit(_p("limit"))
    .offset(_NO_SKIP)
)
"""What has an interval, is listed for good, and was ended."""
