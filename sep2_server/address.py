"""Which database: the path of a SQLite file, or the URL of a PostgreSQL database."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

from sep2_server.setting_values import SettingsError

SCHEMES: Final = ("postgresql://", "postgres://")
DEFAULT_PORT: Final = 5432


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresAddress:
    """A PostgreSQL database; its text does not tell the password. `host` may be the folder of a socket."""

    host: str
    port: int
    name: str
    user: str
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str, password: str | None = None) -> Self:
        """The database of `postgresql://user:password@host:port/name`; SettingsError where it is none.

        `?host=/folder` names the folder of a socket. A password that is given goes before that of the URL.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or DEFAULT_PORT
            host = parse_qs(parts.query).get("host", [parts.hostname or "127.0.0.1"])[0]
        except ValueError as flaw:
            raise SettingsError("database: write postgresql://user:password@host:port/name") from flaw
        name = unquote(parts.path.removeprefix("/"))
        if not name or not parts.username:
            raise SettingsError("database: write postgresql://user:password@host:port/name")
        given = unquote(parts.password) if parts.password else None
        return cls(host=host, port=port, name=name, user=unquote(parts.username), password=password or given)

    def __str__(self) -> str:
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.name}"


def is_url(database: str | Path) -> bool:
    """Whether a database is PostgreSQL's."""
    return str(database).startswith(SCHEMES)
