"""The table `[operator]` of a settings file: where the operators' API is. It needs nothing of the server."""

import ipaddress
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_type_hints

from sep2_server.folders import is_folder
from sep2_server.setting_values import SettingsError

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


def settings_file(path: Path) -> Path:
    """The settings file that a path names: itself, or the one in the folder."""
    return path / FILE if is_folder(path) else path


def toml_of(path: Path) -> dict[str, Any]:
    """What a settings file holds, its table `[operator]` at least empty. SettingsError."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as flaw:
        raise SettingsError(f"{path}: {flaw}; make a folder with: lineside server init FOLDER") from flaw
    given.setdefault(TABLE, {})
    return given


def operator_settings(table: object) -> OperatorSettings:
    """The settings in a table. SettingsError names the first that is unknown or cannot be."""
    if not isinstance(table, Mapping):
        raise SettingsError(f"{TABLE}: {table!r} is not a table")
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
