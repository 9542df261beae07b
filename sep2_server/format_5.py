"""What migration 5 moves: the one list of programs of each group becomes one of its lists. Frozen."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    insert,
    select,
    union_all,
)
from sqlalchemy import literal_column as literal
from sqlalchemy.sql.expression import ClauseElement

from sep2_server.format_1 import assignment, client, device_group

metadata = MetaData()
_Key = BigInteger().with_variant(Integer, "sqlite")
_Text = Text().with_variant(Text(collation="C"), "postgresql")

group_list = Table(
    "group_list",
    metadata,
    Column("group_id", _Key, primary_key=True),
    Column("kind", _Text, primary_key=True),
    Column("list_id", _Key, nullable=False),
)
Index("group_list_by_list", group_list.c.list_id)

viewer_group = Table(
    "viewer_group",
    metadata,
    Column("viewer_id", _Key, primary_key=True),
    Column("group_id", _Key, primary_key=True),
    Column("devices", Integer, nullable=False),
)

_MEMBERS = union_all(
    select(assignment.c.end_device_id.label("viewer_id"), assignment.c.group_id),
    select(client.c.aggregator_id, assignment.c.group_id)
    .select_from(assignment.join(client, client.c.end_device_id == assignment.c.end_device_id))
    .where(client.c.aggregator_id.is_not(None)),
).subquery()
MOVED: Final[tuple[ClauseElement, ...]] = (
    insert(group_list).from_select(
        ["group_id", "kind", "list_id"],
        select(device_group.c.id, literal("'GroupDERProgramList'"), device_group.c.program_list_id),
    ),
    insert(viewer_group).from_select(
        ["viewer_id", "group_id", "devices"],
        select(_MEMBERS.c.viewer_id, _MEMBERS.c.group_id, func.count()).group_by(
            _MEMBERS.c.viewer_id, _MEMBERS.c.group_id
        ),
    ),
)
NO_LIST: Final = "ALTER TABLE device_group DROP COLUMN program_list_id"
