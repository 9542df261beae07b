"""Statements on the time series of readings."""

from typing import Final

from sqlalchemy import bindparam, delete, literal_column, null, select, update

from sep2_server.tables import reading

_C = reading.c
OLD_SETS: Final = (
    select(_C.reading_set_id, _C.day)
    .where(_C.day < bindparam("day"))
    .group_by(_C.day, _C.reading_set_id)
    .order_by(_C.day, _C.reading_set_id)
    .limit(bindparam("limit"))
    .offset(literal_column("0"))
)
DELETE_OLD: Final = delete(reading).where(
    _C.day < bindparam("day"), _C.reading_set_id == bindparam("reading_set_id")
)
DELETE_UNTO: Final = delete(reading).where(
    _C.reading_set_id == bindparam("reading_set_id"), _C.sort_key <= bindparam("last_key")
)
KEEP: Final = update(reading).where(_C.reading_set_id == bindparam("of_set")).values(day=null())
"""Values without a day are not forgotten by day."""
READING_AT: Final = select(reading).where(
    _C.reading_set_id == bindparam("reading_set_id"),
    _C.sort_key == bindparam("sort_key"),
    _C.position == bindparam("position"),
)
REMOVE_AT: Final = delete(reading).where(
    _C.reading_set_id == bindparam("reading_set_id"),
    _C.sort_key == bindparam("sort_key"),
    _C.position == bindparam("position"),
)
