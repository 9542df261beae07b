"""Statements for operators: who follows a curve, what they were answered, and what is left to do."""

from typing import Final

from sqlalchemy import bindparam, delete, insert, literal_column, select

from sep2_server.tables import answered, follower, linking, removal, resource

_F = follower.c
_A = answered.c
FOLLOWERS: Final = (
    select(resource)
    .select_from(follower.join(resource, resource.c.id == _F.resource_id))
    .where(_F.href == bindparam("href"), _F.resource_id > bindparam("after_id"))
    .order_by(_F.resource_id)
    .limit(bindparam("limit"))
    .offset(literal_column("0"))
)
INSERT_FOLLOWER: Final = insert(follower)
DELETE_FOLLOWER: Final = delete(follower).where(
    _F.href == bindparam("href"), _F.resource_id == bindparam("resource_id")
)
NEXT_LINKING: Final = (
    select(linking).order_by(linking.c.group_id).limit(literal_column("1")).offset(literal_column("0"))
)
INSERT_LINKING: Final = insert(linking)
DELETE_LINKING: Final = delete(linking).where(linking.c.group_id == bindparam("group_id"))
NEXT_REMOVAL: Final = (
    select(removal.c.id).order_by(removal.c.id).limit(literal_column("1")).offset(literal_column("0"))
)
REMOVAL: Final = select(removal.c.id).where(removal.c.id == bindparam("id"))
INSERT_REMOVAL: Final = insert(removal)
DELETE_REMOVAL: Final = delete(removal).where(removal.c.id == bindparam("id"))

_IS_KEY = (_A.who == bindparam("who"), _A.key == bindparam("key"))
ANSWERED: Final = select(answered).where(*_IS_KEY)
INSERT_ANSWERED: Final = insert(answered)
ANSWERED_BEFORE: Final = (
    select(_A.who, _A.key)
    .where(_A.at < bindparam("before"))
    .order_by(_A.at)
    .limit(bindparam("limit"))
    .offset(literal_column("0"))
)
DELETE_ANSWERED: Final = delete(answered).where(*_IS_KEY)
