"""Tables of migration 3 that later ones changed: notifications that are owed or were given up. Frozen."""

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, SmallInteger, Table, Text

metadata = MetaData()
_Key = BigInteger().with_variant(Integer, "sqlite")
_Text = Text().with_variant(Text(collation="C"), "postgresql")

outbox = Table(
    "outbox",
    metadata,
    Column("subscription_id", _Key, primary_key=True, autoincrement=False),
    Column("due", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("claim", _Text),
    Column("claimed_until", BigInteger, nullable=False),
    Column("error", _Text),
)
Index("outbox_due", outbox.c.due)
Index("outbox_by_claim", outbox.c.claim)

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
    Column("first_at", BigInteger, nullable=False),
    Column("given_up_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
Index("dead_letter_by_client", dead_letter.c.client_id)
