"""The tables of the store: one generic table of encoded resources and a few narrow ones.

Only SQLAlchemy Core, no dialect: the same declarations serve SQLite and PostgreSQL. What is declared
here is made by `migrations`, which a table or column that is new here must be added to.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, SmallInteger, Table, Text

metadata = MetaData()
_Key = BigInteger().with_variant(Integer, "sqlite")
_Text = Text().with_variant(Text(collation="C"), "postgresql")

resource = Table(
    "resource",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=False),
    Column("href", _Text, nullable=False, unique=True),
    Column("kind", _Text, nullable=False, comment="id of the route: DERControl, DERControlList"),
    Column("list_id", _Key, comment="the list that it is an item of; null once it left the list"),
    Column("scope", _Key, nullable=False, comment="EndDevice of the client who sees it in a list; 0 all"),
    Column("sort_key", LargeBinary, nullable=False, comment="order in the list, as octets"),
    Column("owner_id", _Key, comment="EndDevice, or program, through which it is reached"),
    Column("mrid", _Text, comment="mRID as 32 upper-case hex digits"),
    Column("version", Integer, nullable=False, comment="1 at creation, +1 at each write"),
    Column("status", SmallInteger, comment="EventStatus.currentStatus; 5 once the event is over"),
    Column("starts", BigInteger, comment="earliest effective start, s since 1970 UTC"),
    Column("ends", BigInteger, comment="latest effective end, s since 1970 UTC"),
    Column("next_at", BigInteger, comment="when time alone changes the row, s since 1970 UTC"),
    Column("body", LargeBinary, nullable=False, comment="the element as XML, without namespaces"),
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
    Column("amount", Integer, nullable=False, comment="how many items the list has in this scope"),
)

member = Table(
    "member",
    metadata,
    Column("list_id", _Key, primary_key=True, comment="a list beside the one an item is stored in"),
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
    Column("version", Integer, nullable=False, comment="0: deleted"),
    sqlite_autoincrement=True,
)

client = Table(
    "client",
    metadata,
    Column("lfdi", _Text, primary_key=True),
    Column("sfdi", BigInteger, nullable=False),
    Column("name", _Text, nullable=False, unique=True),
    Column("role", _Text, nullable=False, comment="device or aggregator"),
    Column("end_device_id", _Key, nullable=False, unique=True),
    Column("aggregator_id", _Key, comment="EndDevice of the aggregator that speaks for it"),
    Column("certificate", _Text, comment="PEM, where the operator gave one"),
    Column("enrolled_at", BigInteger, nullable=False, comment="s since 1970 UTC"),
)
Index("client_by_sfdi", client.c.sfdi)
Index("client_by_aggregator", client.c.aggregator_id)

device_group = Table(
    "device_group",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=False),
    Column("name", _Text, nullable=False, unique=True),
    Column("program_list_id", _Key, nullable=False, comment="DERProgramList of its programs"),
)

assignment = Table(
    "assignment",
    metadata,
    Column("group_id", _Key, primary_key=True),
    Column("end_device_id", _Key, primary_key=True),
    Column("assignments_id", _Key, nullable=False, comment="FunctionSetAssignments of the device"),
)
Index("assignment_by_device", assignment.c.end_device_id)

reading = Table(
    "reading",
    metadata,
    Column("reading_set_id", _Key, primary_key=True),
    Column("sort_key", LargeBinary, primary_key=True),
    Column("position", Integer, primary_key=True, comment="place in the post; part of its URI"),
    Column("time", BigInteger, comment="start of its period, s since 1970 UTC"),
    Column("duration", BigInteger, comment="s"),
    Column("value", BigInteger),
    Column("quality", _Text),
    Column("body", LargeBinary, nullable=False),
)

report = Table(
    "report",
    metadata,
    Column("response_id", _Key, primary_key=True, autoincrement=False),
    Column("subject", _Text, nullable=False, comment="mRID of the event as 32 upper-case hex digits"),
    Column("end_device_id", _Key, nullable=False),
    Column("status", SmallInteger),
    Column("created", BigInteger, comment="by the device's word, s since 1970 UTC"),
    Column("received", BigInteger, nullable=False, comment="s since 1970 UTC"),
)
Index("report_by_subject", report.c.subject, report.c.response_id)
Index("report_by_device", report.c.end_device_id, report.c.subject)

sequence = Table(
    "sequence",
    metadata,
    Column("name", _Text, primary_key=True),
    Column("value", BigInteger, nullable=False, comment="the last number that was given away"),
)

option = Table(
    "option",
    metadata,
    Column("name", _Text, primary_key=True),
    Column("value", _Text, nullable=False),
)
"""What is changed at run time (poll rates), and the version of the tables."""

lease = Table(
    "lease",
    metadata,
    Column("name", _Text, primary_key=True),
    Column("holder", _Text, nullable=False, comment="the process that has it"),
    Column("until", BigInteger, nullable=False, comment="by the clock of leases, ms since 1970 UTC"),
)

consumer = Table(
    "consumer",
    metadata,
    Column("name", _Text, primary_key=True),
    Column("seq", _Key, nullable=False, comment="last place in the change feed that it has dealt with"),
)
"""Who reads the change feed at its own pace: what it has not read is kept."""
