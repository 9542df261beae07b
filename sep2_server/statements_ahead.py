"""Statements that find what a clock that was ahead has begun or ended: it was set back since.

Declared as those in `statements`.
"""

from typing import Final

from sqlalchemy import literal_column, select

from sep2_server import tables as t
from sep2_server.rows import FOR_GOOD, OVER
from sep2_server.terms import IS_ACTIVE, NO_SKIP, param

_R = t.resource.c


_IS_OVER = _R.status == literal_column(str(OVER))

AHEAD: Final = (
    select(t.resource).where(IS_ACTIVE, _R.starts > param("now")).limit(param("limit")).offset(NO_SKIP)
)
"""Rows that were written as active."""
NOT_OVER: Final = select(_R.id).where(_R.status < literal_column(str(OVER)))
"""Row ids of events that are not over."""
OVER_AHEAD: Final = (
    select(t.resource)
    .where(_R.next_at.is_not(None), _R.next_at > param("until"), _R.next_at < literal_column(str(FOR_GOOD)))
    .where(_IS_OVER, _R.ends > param("now"))
    .where(_R.id + NO_SKIP > param("after"))
    .order_by(_R.id + NO_SKIP)
    .limit(param("limit"))
    .offset(NO_SKIP)
)
"""Events that were ended; `until`: when those that end at `now` leave or are forgotten."""
SPANS_AHEAD: Final = (
    select(t.resource)
    .where(_R.next_at.is_not(None), _R.next_at > param("now") + literal_column(str(FOR_GOOD)))
    .limit(param("limit"))
    .offset(NO_SKIP)
)
"""What has an interval, is listed for good, and was ended."""
