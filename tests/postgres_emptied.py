"""How a database of a test becomes as new: cheaper than a copy of the template, which is some hundred files.

What the template holds comes back by the statements that `Emptying.of` makes of it. A database whose tables a
test has changed has another shape than the template and is not used again.
"""

from dataclasses import dataclass

from sqlalchemy import text

from sep2_server.connection import Connection

_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
_SHAPE = text(
    "SELECT md5(string_agg(attrelid || ' ' || attname || ' ' || atttypid, ',' ORDER BY attrelid, attnum))"
    " FROM pg_attribute WHERE attrelid >= 16384"
)
_OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_SEQUENCES = text(
    "SELECT format('SELECT setval(%L, %s, %s)', sequencename, coalesce(last_value, start_value),"
    " CASE WHEN last_value IS NULL THEN 'false' ELSE 'true' END) FROM pg_sequences"
)
_KEPT = (
    "SELECT format('INSERT INTO {0} SELECT * FROM json_populate_recordset(null::{0}, %L)', json_agg(t))"
    " FROM {0} t HAVING count(*) > 0"
)


@dataclass(frozen=True, slots=True)
class Emptying:
    """The shape of the template, and the commands that make a database of this shape equal to it."""

    shape: str
    commands: str

    @classmethod
    def of(cls, template: Connection) -> "Emptying":
        """What the template is now."""
        commands = ["SET session_replication_role = replica"]
        names = [str(row[0]) for row in template.run(text(f"{_TABLES} ORDER BY relname")).fetchall()]
        commands += [f"DELETE FROM {name}" for name in names]  # noqa: S608 - names out of the catalogue
        for name in names:
            kept = template.run(text(_KEPT.format(name))).fetchone()
            commands += [] if kept is None else [str(kept[0])]
        commands += [str(row[0]) for row in template.run(_SEQUENCES).fetchall()]
        return cls(_shape_of(template), "; ".join([*commands, "RESET session_replication_role"]))

    def do(self, database: Connection) -> bool:
        """Make a database as new, whoever is connected to it; whether that could be."""
        while database.run(_OTHERS).fetchall():
            pass
        if _shape_of(database) != self.shape:
            return False
        database.control(self.commands)
        return True


def _shape_of(database: Connection) -> str:
    found = database.run(_SHAPE).fetchone()
    return "" if found is None else str(found[0])
