"""The tables of the store: one generic table of encoded resources and a few narrow ones.

Only SQLAlchemy Core, no dialect: the same declarations serve SQLite and PostgreSQL. What is declared
here is made by `migrations`, which a table or column that is new here must be added to.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    literal_column,
)

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
    resource.c.owner_id,
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

IS_POINT = resource.c.kind.in_([literal_column("'UsagePoint'"), literal_column("'MirrorUsagePoint'")])
"""What a device has in the lists at the root that all usage points, and all mirrors, are in."""
Index("resource_points", resource.c.owner_id, sqlite_where=IS_POINT, postgresql_where=IS_POINT)
_IS_LISTED = resource.c.status < 5
"""An event that is not over."""
Index(
    "resource_by_start",
    resource.c.list_id,
    resource.c.starts,
    sqlite_where=_IS_LISTED,
    postgresql_where=_IS_LISTED,
)
Index(
    "resource_by_length",
    resource.c.list_id,
    resource.c.ends - resource.c.starts,
    sqlite_where=_IS_LISTED,
    postgresql_where=_IS_LISTED,
)
"""The longest event of a list bounds how long before a time those begin that are in force then."""
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
)

group_list = Table(
    "group_list",
    metadata,
    Column("group_id", _Key, primary_key=True),
    Column("kind", _Text, primary_key=True, comment="id of the route: GroupDERProgramList, GroupFileList"),
    Column("list_id", _Key, nullable=False, comment="the list that shows the group's programs of this kind"),
)
Index("group_list_by_list", group_list.c.list_id)

assignment = Table(
    "assignment",
    metadata,
    Column("group_id", _Key, primary_key=True),
    Column("end_device_id", _Key, primary_key=True),
    Column("assignments_id", _Key, nullable=False, comment="FunctionSetAssignments of the device"),
)
Index("assignment_by_device", assignment.c.end_device_id)

viewer_group = Table(
    "viewer_group",
    metadata,
    Column("viewer_id", _Key, primary_key=True, comment="EndDevice of a client"),
    Column("group_id", _Key, primary_key=True),
    Column("devices", Integer, nullable=False, comment="members that the client is or speaks for"),
)
"""The groups of a client, so that reading its rights does not cost by the devices that it speaks for."""

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
    Column("day", Integer, comment="of its time or arrival: days since 1970 UTC; null: never forgotten"),
)
Index("reading_by_day", reading.c.day, reading.c.reading_set_id)

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

subscription = Table(
    "subscription",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=False, comment="row id of the Subscription"),
    Column("list_id", _Key, nullable=False, comment="the SubscriptionList that it is in"),
    Column("client_id", _Key, nullable=False, comment="EndDevice of the client that is notified"),
    Column("owner_id", _Key, nullable=False, comment="EndDevice whose list it is in"),
    Column("uri", _Text, nullable=False, comment="subscriptionURI, absolute"),
    Column("resource", _Text, nullable=False, comment="subscribedResource as the client wrote it"),
    Column("path", _Text, nullable=False, comment="URI of the subscribed resource as the store knows it"),
    Column("notification_uri", _Text, nullable=False),
    Column("most", BigInteger, nullable=False, comment="limit: most items of a list"),
    Column("level", _Text, nullable=False, comment="+S1 or -S1"),
    Column("encoding", SmallInteger, nullable=False),
    Column("low", BigInteger, comment="Condition.lowerThreshold; null: unconditional"),
    Column("high", BigInteger, comment="Condition.upperThreshold"),
    Column("seen", _Text, comment="what decides whether a change matters, as it was last"),
    Column("renewed_at", BigInteger, nullable=False, comment="s since 1970 UTC"),
    Column("mount", _Text, nullable=False, comment="path of the profile that the client is served at"),
    Column("status", SmallInteger, nullable=False, comment="0, or the status of the last notification"),
    Column("moved_to", _Text, comment="newResourceURI of status 2"),
)
Index("subscription_by_client", subscription.c.client_id)
Index("subscription_by_owner", subscription.c.owner_id)
Index("subscription_in_list", subscription.c.list_id, subscription.c.path)
Index("subscription_by_renewal", subscription.c.renewed_at)

watch = Table(
    "watch",
    metadata,
    Column("subject_id", _Key, primary_key=True, comment="a resource, a list or an EndDevice"),
    Column("scope", _Key, primary_key=True, comment="of the items of a list; -1 resource, -2 rights"),
    Column("subscription_id", _Key, primary_key=True),
    Column("owner_id", _Key, comment="only items that are reached through this EndDevice"),
    Column("since", _Key, nullable=False, comment="changes behind this one are told"),
)
"""What the matcher looks changes up in."""
Index("watch_by_subscription", watch.c.subscription_id)

outbox = Table(
    "outbox",
    metadata,
    Column("subscription_id", _Key, primary_key=True, autoincrement=False),
    Column("due", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("first_at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("attempts", Integer, nullable=False, comment="deliveries that failed so far"),
    Column("revision", BigInteger, nullable=False, comment="+1 at each change that it stands for"),
    Column("claim", _Text, comment="the notifier that delivers it"),
    Column("claimed_until", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("error", _Text, comment="why the last delivery failed"),
)
"""Notifications that are owed: at most one for each subscription."""
Index("outbox_due", outbox.c.due, outbox.c.first_at)
Index("outbox_by_claim", outbox.c.claim)

lane = Table(
    "lane",
    metadata,
    Column("name", _Text, primary_key=True, comment="a subscriber at one of its listeners"),
    Column("claim", _Text, comment="the notifier that alone delivers there; null: nobody does"),
    Column("until", BigInteger, nullable=False, comment="ms since 1970 UTC"),
)
"""Subscribers that are being told, or of whom a notification waits for another attempt."""
Index("lane_by_until", lane.c.until)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=True),
    Column("subscription_id", _Key, nullable=False),
    Column("client_id", _Key, nullable=False),
    Column("resource", _Text, nullable=False),
    Column("notification_uri", _Text, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", _Text, nullable=False),
    Column("first_at", BigInteger, nullable=False, comment="s since 1970 UTC"),
    Column("given_up_at", BigInteger, nullable=False, comment="s since 1970 UTC"),
    sqlite_autoincrement=True,
)
"""Notifications that were given up."""
Index("dead_letter_by_client", dead_letter.c.client_id)
Index("dead_letter_by_subscription", dead_letter.c.subscription_id, dead_letter.c.id)

dropped_letter = Table(
    "dropped_letter",
    metadata,
    Column("client_id", _Key, primary_key=True, autoincrement=False, comment="0: of all clients"),
    Column("amount", BigInteger, nullable=False),
)
"""How many dead letters were dropped because there were too many, or they were too old."""

notification_host = Table(
    "notification_host",
    metadata,
    Column("client_id", _Key, primary_key=True, comment="EndDevice of the client"),
    Column("place", _Text, primary_key=True, comment="host, address or network, with or without a port"),
)
"""Where the operator lets notifications of a client go."""

blocked = Table(
    "blocked",
    metadata,
    Column("lfdi", _Text, primary_key=True, comment="40 upper-case hex digits, enrolled or not"),
    Column("reason", _Text, nullable=False),
    Column("since", BigInteger, nullable=False, comment="s since 1970 UTC"),
)

disabled = Table(
    "disabled",
    metadata,
    Column("end_device_id", _Key, primary_key=True, autoincrement=False),
)
"""EndDevices whose `enabled` is false: they are not registered any more."""

node = Table(
    "node",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=False, comment="the group of the node"),
    Column("level", _Text, nullable=False, comment="SY, ST, SS, FD, SG, TF or SP"),
    Column("name", _Text, nullable=False),
    Column("parent_id", _Key, nullable=False, comment="node above; 0 at the top"),
)
Index("node_by_parent", node.c.parent_id, node.c.name, unique=True)

follower = Table(
    "follower",
    metadata,
    Column("href", _Text, primary_key=True, comment="URI of a DERCurve, a price or a load program"),
    Column(
        "resource_id",
        _Key,
        primary_key=True,
        comment="a control that is not over, a default, or what a device says",
    ),
)
"""What hangs on which resource: looked up by that, whatever controls and devices there are."""

answered = Table(
    "answered",
    metadata,
    Column("who", _Text, primary_key=True, comment="name and hash of the token"),
    Column("key", _Text, primary_key=True, comment="Idempotency-Key as it was sent"),
    Column("fingerprint", LargeBinary, nullable=False, comment="SHA-256 of what was asked for"),
    Column("answer", LargeBinary, nullable=False, comment="JSON, compressed (zlib)"),
    Column("at", BigInteger, nullable=False, comment="s since 1970 UTC"),
)
"""What operators were answered, so that a repetition gets the same and nothing is done twice."""
Index("answered_by_time", answered.c.at)

linking = Table(
    "linking",
    metadata,
    Column("group_id", _Key, primary_key=True, autoincrement=False),
    Column("after_id", _Key, nullable=False, comment="EndDevice of the last member that was done"),
)
"""Groups whose members have yet to be given links to the lists that the group has now."""

removal = Table(
    "removal",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=False, comment="a list, MeterReading or EndDevice"),
)
"""What is gone, and what was in it or below it has yet to be removed."""
