"""Settings of a site: those of the IEEE 2030.5 side, and `[operator]` for the operators' side."""

import ipaddress
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, get_type_hints

from sep2_server.errors import SettingsError
from sep2_server.settings import FILES_AS_TEXT, Settings, placed, settings_of

FILE: Final = "server.toml"
TABLE: Final = "operator"
URL_FILE: Final = "operator.url"
"""Where a running server leaves the URL of its operator API."""
METRICS_URL_FILE: Final = "metrics.url"
"""Where it leaves the URL of its port for monitoring."""
_TRUTHS: Final = {"true": True, "false": False}


def is_loopback(host: str) -> bool:
    """True for an address, or the name `localhost`, that only this machine can reach."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSettings:
    """Settings of the operator API."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8444
    """Port; 0 lets the system choose."""
    plain_http: bool = False
    """Speak HTTP instead of HTTPS; only on a loopback address."""
    folder: Path = Path("operator")
    """Folder of the tokens and the audit log."""
    metrics_port: int = -1
    """Port of plain HTTP for monitoring, on 127.0.0.1, without a token; -1: none, 0: the system chooses."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise SettingsError(f"operator.port: {self.port} is not 0 to 65535")
        if not -1 <= self.metrics_port <= 65_535:
            raise SettingsError(f"operator.metrics_port: {self.metrics_port} is not -1 to 65535")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the API."""
        return is_loopback(self.host)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """All settings of one server."""

    server: Settings
    operator: OperatorSettings


def read_site(path: Path | None = None, overrides: Iterable[str] = ()) -> Site:
    """Settings of a file (or of `server.toml` in a folder), then of `key=value` and `operator.key=value`.

    Relative paths are relative to the file. SettingsError names the key and what it may be.
    """
    return site_of(given_of(path, overrides))


def given_of(path: Path | None = None, overrides: Iterable[str] = ()) -> dict[str, Any]:
    """What a settings file and `key=value` texts say, nothing of it looked at yet."""
    given = {} if path is None else _from_file(settings_file(path))
    for text in overrides:
        _override(given, text)
    return given


def site_of(given: Mapping[str, Any]) -> Site:
    """The site that values describe. SettingsError names the first that cannot be."""
    rest = dict(given)
    table = rest.pop(TABLE, {})
    if not isinstance(table, dict):
        raise SettingsError(f"{TABLE}: {table!r} is not a table")
    return Site(server=settings_of(rest), operator=_operator(table))


def settings_file(path: Path) -> Path:
    """The settings file that a path names: itself, or the one in the folder."""
    return path / FILE if path.is_dir() else path


def _from_file(path: Path) -> dict[str, Any]:
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as flaw:
        raise SettingsError(f"{path}: {flaw}; make a folder with: lineside server init FOLDER") from flaw
    table = given.setdefault(TABLE, {})
    for held, cls in ((given, Settings), (table, OperatorSettings)):
        _resolve(held, cls, path.parent)
    return given


def _resolve(held: dict[str, Any], cls: type, folder: Path) -> None:
    """Make the paths that a class has among its settings relative to a folder."""
    for f in fields(cls):
        if get_type_hints(cls)[f.name] is Path or f.name in FILES_AS_TEXT:
            held[f.name] = placed(f.name, held.get(f.name, f.default), cls, folder)


def _override(given: dict[str, Any], text: str) -> None:
    name, equals, value = text.partition("=")
    if not equals:
        raise SettingsError(f"{text!r}: write key=value")
    table, dot, entry = name.strip().partition(".")
    if dot:
        given[table] = {**given.get(table, {}), entry: value.strip()}
    else:
        given[table] = value.strip()


def _operator(table: Mapping[str, object]) -> OperatorSettings:
    kinds = get_type_hints(OperatorSettings)
    for name in table:
        if name not in kinds:
            raise SettingsError(f"{TABLE}.{name}: unknown; known are {', '.join(sorted(kinds))}")
    values: dict[str, Any] = {name: _value(name, value, kinds[name]) for name, value in table.items()}
    return OperatorSettings(**values)


def _value(name: str, value: object, kind: type) -> object:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        return _TRUTHS[text] if kind is bool else kind(text)
    except (KeyError, ValueError) as flaw:
        raise SettingsError(f"{TABLE}.{name}: {value!r} is not {kind.__name__}") from flaw
