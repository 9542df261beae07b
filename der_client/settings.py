"""Everything that can be set of a client: one frozen tree, read from TOML and `key=value` overrides."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from certs import is_valid_pin
from der_client.errors import SettingsError
from der_client.interlocks import SafetyRules

T = TypeVar("T")

SPOOL: Final = Path("lineside-client.sqlite")
KINDS: Final = ("sunspec", "battery")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Which server, and as whom.

    `uri` is the URI of DeviceCapability; `pin` the registration PIN with its check digit, given on a side
    channel (absent: not compared). No resource is polled more often than every `poll_floor_s`.
    """

    uri: str
    certificate: Path
    key: Path
    roots: Path
    pin: int | None = field(default=None, repr=False)
    strict_ciphers: bool = False
    timeout_s: float = 20.0
    poll_floor_s: float = 1.0
    retry_first_s: float = 1.0
    retry_most_s: float = 300.0
    lost_after_s: float = 900.0

    def __post_init__(self) -> None:
        if not self.uri.startswith("https://"):
            raise SettingsError("server.uri: an https URI of DeviceCapability is wanted")
        if self.pin is not None and not is_valid_pin(self.pin):
            raise SettingsError("server.pin: five digits and their check digit are wanted")
        if min(self.timeout_s, self.poll_floor_s, self.retry_first_s, self.lost_after_s) <= 0:
            raise SettingsError("server: times are longer than 0 s")


@dataclass(frozen=True, slots=True, kw_only=True)
class CanSettings:
    """The battery's CAN bus: python-can interface and channel, and the profile of its BMS."""

    interface: str = "socketcan"
    channel: str = "can0"
    host: str | None = None
    port: int | None = None
    profile: str = "pylontech_lv"
    dbc: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSettings:
    """One DER: an inverter behind SunSpec Modbus TCP, alone (`sunspec`) or with a BMS on CAN (`battery`)."""

    kind: str = "sunspec"
    name: str = "der"
    host: str = "127.0.0.1"
    port: int = 502
    unit: int = 1
    can: CanSettings = field(default_factory=CanSettings)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingsError(f"device.kind: {self.kind!r} is none of {', '.join(KINDS)}")
        if not 0 < self.port < 65536:
            raise SettingsError(f"device.port: {self.port} is no TCP port")


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlSettings:
    """The control loop: its period, the dead-man reversion, and what counts as a device that fails.

    After `readback_limit` read-backs in a row that differ a control is not used for `retry_s`; after
    `unavailable_after_s` without an answer the device counts as gone until it is identified again. A start
    waits `plan_wait_s`, less than the reversion, for what server or memory say before it writes.
    """

    period_s: float = 1.0
    reversion_s: int = 60
    readback_limit: int = 3
    retry_s: float = 300.0
    unavailable_after_s: float = 3.0
    plan_wait_s: float = 30.0

    def __post_init__(self) -> None:
        if not 0 < self.period_s <= 10:
            raise SettingsError("control.period_s: above 0 and up to 10 s is wanted")
        if not 0 < self.reversion_s <= 300 or self.readback_limit < 1:
            raise SettingsError("control: reversion_s is 1 to 300 s, readback_limit at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """What is posted, and how often where the server does not say; `pen` ends the mRIDs that we make.

    `device_category` is a bitmap; 0 takes it from the kind of the devices. `other_program_*` are the codes
    (7 or 14) for an event that loses against one of another program before or after it ran.
    """

    post_rate_s: int = 300
    pen: int = 40732
    device_category: int = 0
    other_program_before_start: int = 7
    other_program_after_start: int = 7

    def __post_init__(self) -> None:
        if self.post_rate_s < 1:
            raise SettingsError("report.post_rate_s: at least 1 s is wanted")
        if not {self.other_program_before_start, self.other_program_after_start} <= {7, 14}:
            raise SettingsError("report.other_program_*: 7 or 14 is wanted")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """All settings of one client."""

    server: ServerSettings
    device: DeviceSettings = field(default_factory=DeviceSettings)
    control: ControlSettings = field(default_factory=ControlSettings)
    report: ReportSettings = field(default_factory=ReportSettings)
    safety: SafetyRules = field(default_factory=SafetyRules)
    spool: Path = SPOOL


def load_settings(text: str, overrides: Sequence[str] = (), *, folder: Path = Path()) -> ClientSettings:
    """Settings of a TOML text, with `key=value` overrides; relative paths are taken from `folder`.

    SettingsError names the setting that is unknown, missing, of the wrong type or out of range.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"no TOML: {error}") from error
    for override in overrides:
        _put(tree, override)
    return _built(ClientSettings, {"spool": str(SPOOL), **tree}, "", folder)


def _put(tree: dict[str, object], override: str) -> None:
    """Set one dotted key of the tree; the value is read as TOML, or as text where it is none."""
    name, equals, text = override.partition("=")
    if not equals:
        raise SettingsError(f"{override}: key=value is wanted")
    try:
        value: object = tomllib.loads(f"it = {text}")["it"]
    except tomllib.TOMLDecodeError:
        value = text
    *path, last = name.strip().split(".")
    for part in path:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            raise SettingsError(f"{name}: {part} is a value, not a table")
        tree = inner
    tree[last] = value


def _built(cls: type[T], table: Mapping[str, object], place: str, folder: Path) -> T:
    """The dataclass that a table describes."""
    hints = get_type_hints(cls)
    known = {f.name: f for f in fields(cast("type[ClientSettings]", cls))}
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise SettingsError(f"{place}{unknown[0]}: no such setting")
    for name, one in known.items():
        if name not in table and one.default is MISSING and one.default_factory is MISSING:
            raise SettingsError(f"{place}{name}: must be set")
    values = {name: _value(hints[name], value, f"{place}{name}", folder) for name, value in table.items()}
    try:
        return cls(**values)
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _value(hint: object, value: object, place: str, folder: Path) -> object:
    """A value of the type that its field declares."""
    if get_origin(hint) in {Union, UnionType}:
        hint = next(a for a in get_args(hint) if a is not type(None))
    if isinstance(hint, type) and is_dataclass(hint):
        if not isinstance(value, dict):
            raise SettingsError(f"{place}: a table is wanted")
        return _built(hint, value, f"{place}.", folder)
    if hint is Path and isinstance(value, str):
        return folder / value
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise SettingsError(f"{place}: {value!r} is not of type {getattr(hint, '__name__', hint)}")
    return value
