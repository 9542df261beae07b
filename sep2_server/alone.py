"""Whether nobody else has a database open: a server that has would go on with what it knows in memory."""

import time
from sqlite3 import OperationalError
from typing import Final

from sqlalchemy import text

from sep2_server.connection import Connection
from sep2_server.errors import StoreError

WAIT_S: Final = 2.0
"""How long sessions may take to end whose server has just stopped."""
_STEP_S: Final = 0.05
_OTHERS: Final = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = current_setting('application_name') AND pid <> pg_backend_pid()"
)
_OUT_OF_LOG: Final = text("PRAGMA journal_mode=DELETE")
_INTO_LOG: Final = text("PRAGMA journal_mode=WAL")


def require_alone(db: Connection, wait_s: float = WAIT_S) -> None:
    """Return once no other program of ours has the database open; StoreError where one goes on to."""
    is_alone = _has_file_alone if db.dialect == "sqlite" else _has_sessions_alone
    for _ in range(int(wait_s / _STEP_S)):
        if is_alone(db):
            return
        time.sleep(_STEP_S)
    raise StoreError("the database is in use: stop the server, all its workers and all commands first")


def _has_sessions_alone(db: Connection) -> bool:
    return db.number(_OTHERS) == 0


def _has_file_alone(db: Connection) -> bool:
    """Whether the file can be taken out of its log: SQLite does that for the only connection alone."""
    try:
        db.run(_OUT_OF_LOG).fetchall()
    except OperationalError:
        return False
    db.run(_INTO_LOG).fetchall()
    return True
