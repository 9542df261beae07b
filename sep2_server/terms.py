"""What statements of several modules are made of."""

from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, bindparam, literal_column

from schemas.codes import EventState
from sep2_server.tables import resource

NO_SKIP: Final[Any] = literal_column("0")
IS_ACTIVE: Final[ColumnElement[bool]] = resource.c.status == literal_column(str(int(EventState.ACTIVE)))


def param(name: str) -> BindParameter[Any]:
    """A parameter by its name."""
    return bindparam(name)
