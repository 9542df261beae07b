"""Statements on the programs of who speaks for many devices, which are as many as those."""

from typing import Final

from sqlalchemy import exists, literal_column, select

from sep2_server import tables as t
from sep2_server.rows import EVERYBODY
from sep2_server.terms import NO_SKIP, param

_G, _M, _R, _V = t.group_list.c, t.member.c, t.resource.c, t.viewer_group.c
_IS_MEMBER = exists().where(_V.viewer_id == param("viewer_id"), _V.group_id == _G.group_id)
_HAS_GROUP = exists().where(_G.list_id == _M.list_id, _IS_MEMBER)
HAS_LIST: Final = select(_G.list_id).where(_G.list_id == param("list_id"), _IS_MEMBER)
"""Whether a list is one of a group that a client, or a device it speaks for, is in."""
HAS_PROGRAM: Final = (
    select(_M.resource_id)
    .where(_M.resource_id == param("program_id"), _HAS_GROUP)
    .limit(literal_column("1"))
    .offset(NO_SKIP)
)
"""Whether one of those lists shows a program: by the groups that have it, which are few, not by those."""
_SHOWN = t.viewer_group.join(t.group_list, _G.group_id == _V.group_id).join(
    t.member, _M.list_id == _G.list_id
)
_OF_KIND = (_V.viewer_id == param("viewer_id"), _G.kind == param("kind"))
PROGRAMS_IN_ORDER: Final = (
    select(_M.sort_key, _M.resource_id)
    .select_from(_SHOWN)
    .where(*_OF_KIND)
    .distinct()
    .order_by(_M.sort_key, _M.resource_id)
)
"""The programs in the group lists of a kind, in their order: each group of the client is looked at."""
FEW_IN_ORDER: Final = (
    select(_R.sort_key, _R.id)
    .where(_R.list_id == param("list_id"), _R.scope == literal_column(str(EVERYBODY)))
    .where(exists().where(_M.resource_id == _R.id, _HAS_GROUP))
    .order_by(_R.sort_key, _R.id)
)
"""The same out of the list of all programs, where those are few: each of them is looked at."""
PROGRAM_VERSIONS: Final = (
    select(_M.resource_id, _R.version)
    .select_from(_SHOWN.join(t.resource, _R.id == _M.resource_id))
    .where(*_OF_KIND)
    .distinct()
    .order_by(_M.resource_id)
)
"""The programs in the group lists of a kind and their versions, by row id."""
