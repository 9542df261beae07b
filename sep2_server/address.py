"""Which database: the path of a SQLite file, or the URL of a PostgreSQL database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from sep2_server.setting_values import SettingsError

SCHEMES: Final = ("postgresql://", "postgres://")
DEFAULT_PORT: Final = 5432
FORM: Final = "database: write postgresql://user:password@host:port/name"
VERIFYING: Final = ("verify-ca", "verify-full")
TLS_MODES: Final = ("disable", "allow", "prefer", "require", *VERIFYING)
"""How a database is reached: from without TLS to by TLS alone, with a certificate of the root for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresAddress:
    """A PostgreSQL database; its text does not tell the password. `host` may be the folder of a socket."""

    host: str
    port: int
    name: str
    user: str
    password: str | None = field(default=None, repr=False)
    tls: Mapping[str, str] = field(default_factory=dict, hash=False)
    """`sslmode` and `sslrootcert`, as PostgreSQL's own programs take them."""

    @classmethod
    def of(cls, url: str, password: str | None = None) -> Self:
        """The database of `postgresql://user:password@host:port/name`; SettingsError where it is none.

        Of what follows behind `?`, `host=/folder` names the folder of a socket; `sslmode` and `sslrootcert`
        say how the database is reached and by which root it is known. A password that is given goes before
        that of the URL.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or DEFAULT_PORT
            options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        except ValueError as flaw:
            raise SettingsError(FORM) from flaw
        name = unquote(parts.path.removeprefix("/"))
        if not name or not parts.username:
            raise SettingsError(FORM)
        host = options.pop("host", parts.hostname or "127.0.0.1")
        _require_known(options)
        given = unquote(parts.password) if parts.password else None
        return cls(
            host=host,
            port=port,
            name=name,
            user=unquote(parts.username),
            password=password or given,
            tls=options,
        )

    def __str__(self) -> str:
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.name}"


def _require_known(options: Mapping[str, str]) -> None:
    """Raise SettingsError for what would not be followed: somebody may count on it."""
    for name in options.keys() - {"sslmode", "sslrootcert"}:
        raise SettingsError(f"database: {name}: unknown; behind ? may be host, sslmode, sslrootcert")
    mode, root = options.get("sslmode", "prefer"), options.get("sslrootcert")
    if mode not in TLS_MODES:
        raise SettingsError(f"database: sslmode: {mode!r} is none of {', '.join(TLS_MODES)}")
    if root is not None and mode not in VERIFYING:
        raise SettingsError(f"database: sslrootcert: only looked at with sslmode={' or '.join(VERIFYING)}")
    if root is not None and not Path(root).is_file():
        raise SettingsError(f"database: sslrootcert: {root}: no such file")


def is_url(database: str | Path) -> bool:
    """Whether a database is PostgreSQL's."""
    return str(database).startswith(SCHEMES)
