"""The tables as migration 1 makes them. Frozen: what comes later is a migration of its own."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, SmallInteger, Table, Text

metadata = MetaData()
_Key = BigInteger().with_variant(Integer, "sqlite")
_Text = Text().with_variant(Text(collation="C"), "postgresql")

resource = Table(
    "resource",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=False),
    Column("href", _Text, nullable=False, unique=True),
    Column("kind", _Text, nullable=False),
    Column("list_id", _Key),
    Column("scope", _Key, nullable=False),
    Column("sort_key", LargeBinary, nullable=False),
    Column("owner_id", _Key),
    Column("mrid", _Text),
    Column("version", Integer, nullable=False),
    Column("status", SmallInteger),
    Column("starts", BigInteger),
    Column("ends", BigInteger),
    Column("next_at", BigInteger),
    Column("body", LargeBinary, nullable=False),
)
Index("resource_in_list", resource.c.list_id, resource.c.scope, resource.c.sort_key, resource.c.id)
Index("resource_by_owner", resource.c.owner_id, resource.c.id)
Index("resource_by_kind", resource.c.kind, resource.c.id)
Index(
    "resource_by_mrid",
    resource.c.mrid,
    sqlite_where=resource.c.mrid.is_not(None),
    postgresql_where=resource.c.mrid.is_not(None),
)
Index(
    "resource_due",
    resource.c.next_at,
    sqlite_where=resource.c.next_at.is_not(None),
    postgresql_where=resource.c.next_at.is_not(None),
)
Index(
    "resource_due_in_list",
    resource.c.list_id,
    resource.c.next_at,
    sqlite_where=resource.c.next_at.is_not(None),
    postgresql_where=resource.c.next_at.is_not(None),
)

Index(
    "resource_active",
    resource.c.list_id,
    resource.c.scope,
    resource.c.sort_key,
    resource.c.id,
    sqlite_where=resource.c.status == 1,
    postgresql_where=resource.c.status == 1,
)

tally = Table(
    "tally",
    metadata,
    Column("list_id", _Key, primary_key=True),
    Column("scope", _Key, primary_key=True),
    Column("amount", Integer, nullable=False),
)

member = Table(
    "member",
    metadata,
    Column("list_id", _Key, primary_key=True),
    Column("sort_key", LargeBinary, primary_key=True),
    Column("resource_id", _Key, primary_key=True),
)
Index("member_by_resource", member.c.resource_id)

change = Table(
    "change",
    metadata,
    Column("seq", _Key, primary_key=True, autoincrement=True),
    Column("resource_id", _Key, nullable=False),
    Column("kind", _Text, nullable=False),
    Column("list_id", _Key),
    Column("scope", _Key, nullable=False),
    Column("owner_id", _Key),
    Column("version", Integer, nullable=False),
    sqlite_autoincrement=True,
)

client = Table(
    "client",
    metadata,
    Column("lfdi", _Text, primary_key=True),
    Column("sfdi", BigInteger, nullable=False),
    Column("name", _Text, nullable=False, unique=True),
    Column("role", _Text, nullable=False),
    Column("end_device_id", _Key, nullable=False, unique=True),
    Column("aggregator_id", _Key),
    Column("certificate", _Text),
    Column("enrolled_at", BigInteger, nullable=False),
)
Index("client_by_sfdi", client.c.sfdi)
Index("client_by_aggregator", client.c.aggregator_id)

device_group = Table(
    "device_group",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=False),
    Column("name", _Text, nullable=False, unique=True),
    Column("program_list_id", _Key, nullable=False),
)

assignment = Table(
    "assignment",
    metadata,
    Column("group_id", _Key, primary_key=True),
    Column("end_device_id", _Key, primary_key=True),
    Column("assignments_id", _Key, nullable=False),
)
Index("assignment_by_device", assignment.c.end_device_id)

reading = Table(
    "reading",
    metadata,
    Column("reading_set_id", _Key, primary_key=True),
    Column("sort_key", LargeBinary, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("time", BigInteger),
    Column("duration", BigInteger),
    Column("value", BigInteger),
    Column("quality", _Text),
    Column("body", LargeBinary, nullable=False),
)

report = Table(
    "report",
    metadata,
    Column("response_id", _Key, primary_key=True, autoincrement=False),
    Column("subject", _Text, nullable=False),
    Column("end_device_id", _Key, nullable=False),
    Column("status", SmallInteger),
    Column("created", BigInteger),
    Column("received", BigInteger, nullable=False),
)
Index("report_by_subject", report.c.subject, report.c.response_id)
Index("report_by_device", report.c.end_device_id, report.c.subject)

sequence = Table(
    "sequence",
    metadata,
    Column("name", _Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

option = Table(
    "option",
    metadata,
    Column("name", _Text, primary_key=True),
    Column("value", _Text, nullable=False),
)
