"""Everything that can be set of a client: one frozen tree, read from TOML and `key=value` overrides."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Final

from certs import is_valid_pin
from der_client.der_choice import DerChoice
from der_client.driver_registry import DriverKind, driver_kind
from der_client.errors import DriverError
from der_client.interlocks import SafetyRules
from der_client.load_control import LoadControlSettings
from der_client.price import PriceSettings
from der_client.profiles import profile_named
from der_client.protocol_settings import RegistrationSettings, SubscriptionSettings
from der_client.relay import RelaySettings
from der_client.reservation import ReservationSettings
from der_client.site_settings import LFDI_OR_SFDI, SiteMeterSettings, meters_of, require_names
from owner import SettingsError, built, toml_table
from schemas import DemandResponseProgramList, FlowReservationResponseList, Resource, TariffProfileList, codes

SPOOL: Final = Path("lineside-client.sqlite")
DEVICE_KEYS: Final = frozenset({"kind", "name", "end_device", "pin", "connection_point", "der", "relay"})
LEAST_PERIODS: Final = 3
"""Control periods within one reversion time: it is refreshed at half of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Which server, and as whom.

    `uri` is the URI of DeviceCapability. Where it is empty, or does not answer, servers are looked for by
    DNS-SD on the interfaces with the addresses in `dns_sd`, if there are any. `pin` is the registration PIN
    with its check digit, given on a side channel (absent: not compared). No resource is polled more often
    than every `poll_floor_s`.
    """

    uri: str = ""
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
    dns_sd: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.uri.startswith("https://") and (self.uri or not self.dns_sd):
            raise SettingsError("server.uri: an https URI of DeviceCapability is wanted")
        if self.pin is not None and not is_valid_pin(self.pin):
            raise SettingsError("server.pin: five digits and their check digit are wanted")
        for name in ("timeout_s", "poll_floor_s", "retry_first_s", "retry_most_s", "lost_after_s"):
            if not 0 < getattr(self, name) < math.inf:
                raise SettingsError(f"server.{name}: more than 0 s is wanted")
        if self.retry_most_s < self.retry_first_s:
            raise SettingsError("server.retry_most_s: at least server.retry_first_s is wanted")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSettings:
    """One DER: the kind of its driver, its name in reports, and the settings of that driver.

    `end_device` is the LFDI (or SFDI) of the EndDevice that the DER stands for, where that is not the client
    itself (aggregators), and `pin` the registration PIN of that EndDevice. `connection_point` is the
    identifier of its connection to the network (CSIP-AUS: the NMI). `der` names the DER of the EndDevice
    that it is; without it devices stand in the order of the DERList. `relay` disconnects it when the control
    loop no longer holds it. `driver` is a value of the driver's own
    `Settings`; `None` takes all its defaults.
    """

    kind: str = "sunspec"
    name: str = "der"
    end_device: str | None = None
    pin: int | None = field(default=None, repr=False)
    connection_point: str | None = None
    der: DerChoice | None = None
    relay: RelaySettings | None = None
    driver: object | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("name: must not be empty")
        if not self.name.isprintable():
            raise ValueError("name: printable characters are wanted")
        if self.end_device is not None and not LFDI_OR_SFDI.fullmatch(self.end_device):
            raise ValueError("end_device: an LFDI of 40 hex digits, or an SFDI, is wanted")
        if self.pin is not None and not is_valid_pin(self.pin):
            raise ValueError("pin: five digits and their check digit are wanted")


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlSettings:
    """The control loop: its period, the dead-man reversion, and what counts as a device that fails.

    After `readback_limit` read-backs in a row that differ a control is not used for `retry_s`; after
    `unavailable_after_s` without an answer the device counts as gone until it is identified again. A start
    waits `plan_wait_s`, less than the reversion, for what server or memory say before it writes; no
    interlock that stops a device does.
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
        if not 0 < self.reversion_s <= 300:
            raise SettingsError("control.reversion_s: 1 to 300 s is wanted")
        if self.reversion_s < LEAST_PERIODS * self.period_s:
            msg = f"control.reversion_s: at least {LEAST_PERIODS} times control.period_s is wanted"
            raise SettingsError(f"{msg}, or devices revert between two periods")
        if self.plan_wait_s >= self.reversion_s:
            msg = f"control.plan_wait_s: less than control.reversion_s, {self.reversion_s} s, is wanted"
            raise SettingsError(f"{msg}, or devices revert at each start: set both")
        if self.readback_limit < 1:
            raise SettingsError("control.readback_limit: at least 1 is wanted")
        for name in ("retry_s", "unavailable_after_s", "plan_wait_s"):
            if not 0 <= getattr(self, name) < math.inf:
                raise SettingsError(f"control.{name}: 0 s or more is wanted")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """What is posted, and how often where the server does not say; `pen` ends the mRIDs that we make.

    `device_category` is a bitmap, told at a registration in band; 0 takes it from the kind of the devices and
    tells nothing. `demand_response`: which instruction of demand response is held is told in the place of the
    operational mode. `other_program_*` are the codes (7 or 14) for an event that loses against one of another
    program before or after it ran; absent: by the profile. With `details` apparent power, current and the
    voltage of each phase are posted too.
    """

    post_rate_s: int = 300
    pen: int = 40732
    device_category: int = 0
    demand_response: bool = False
    details: bool = False
    other_program_before_start: int | None = None
    other_program_after_start: int | None = None

    def __post_init__(self) -> None:
        if self.post_rate_s < 1:
            raise SettingsError("report.post_rate_s: at least 1 s is wanted")
        if not 0 <= self.pen < 1 << 32:
            raise SettingsError("report.pen: a Private Enterprise Number of 32 bits is wanted")
        if not 0 <= self.device_category < 1 << 32:
            raise SettingsError("report.device_category: a bitmap of 32 bits is wanted")
        if not {self.other_program_before_start, self.other_program_after_start} <= {None, 7, 14}:
            raise SettingsError("report.other_program_*: 7 or 14 is wanted")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """All settings of one client; the devices stand in the order of the server's DERList.

    `profile` names the rules that are followed where the specifications differ.
    """

    profile: str = "csip"
    server: ServerSettings
    devices: tuple[DeviceSettings, ...] = ()
    control: ControlSettings = field(default_factory=ControlSettings)
    report: ReportSettings = field(default_factory=ReportSettings)
    safety: SafetyRules = field(default_factory=SafetyRules)
    registration: RegistrationSettings = field(default_factory=RegistrationSettings)
    subscription: SubscriptionSettings = field(default_factory=SubscriptionSettings)
    meters: tuple[SiteMeterSettings, ...] = ()
    price: PriceSettings = field(default_factory=PriceSettings)
    reservation: ReservationSettings = field(default_factory=ReservationSettings)
    load_control: LoadControlSettings = field(default_factory=LoadControlSettings)
    spool: Path = SPOOL

    def __post_init__(self) -> None:
        profile_named(self.profile)

    @property
    def follows(self) -> frozenset[type[Resource]]:
        """Lists of the server that are read for the sake of prices, reservations and load controls alone."""
        found: dict[type[Resource], bool] = {
            TariffProfileList: self.price.is_on,
            FlowReservationResponseList: self.reservation.is_on,
            DemandResponseProgramList: self.load_control.is_on,
        }
        return frozenset(kind for kind, is_on in found.items() if is_on)

    @property
    def functions(self) -> frozenset[int]:
        """Bits of functionsImplemented of what is used because it is configured. IEEE 2030.5-2018, 22."""
        bits = codes.FunctionsImplemented
        found = {
            bits.SUBSCRIPTION_PER_NOTIFICATION_MECHANISM: self.subscription.host is not None,
            bits.DRLC: self.load_control.is_on,
            bits.PRICING: self.price.is_on,
            bits.FLOW_RESERVATION: self.reservation.is_on,
        }
        return frozenset(bit for bit, is_on in found.items() if is_on)


def load_settings(text: str, overrides: Sequence[str] = (), *, folder: Path = Path()) -> ClientSettings:
    """Settings of a TOML text, with `key=value` overrides; relative paths are taken from `folder`.

    Each device is a table of the list `devices`, or the one table `device`; so are `meters` and `meter`.
    SettingsError names the setting that is unknown, missing, of the wrong type or out of range.
    """
    try:
        tree = overridden(toml_table(text), overrides)
    except ValueError as error:
        raise SettingsError(f"no TOML: {error}") from error
    tables, meters = _device_tables(tree), meters_of(tree, folder)
    settings = built(ClientSettings, {"spool": str(SPOOL), **tree}, "", folder)
    devices = _devices(tables, folder)
    require_names(meters, [device.name for device in devices])
    return replace(settings, devices=devices, meters=meters)


def device_settings(
    table: Mapping[str, object],
    place: str,
    folder: Path = Path(),
    look: Callable[[str], DriverKind] = driver_kind,
) -> DeviceSettings:
    """One device out of its table: its own settings, and beside them those of its driver.

    `place` is the dotted key of the table with its dot, for what is wrong; `look` finds a driver by its kind.
    """
    own = {name: value for name, value in table.items() if name in DEVICE_KEYS}
    settings = built(DeviceSettings, own, place, folder)
    rest = {name: value for name, value in table.items() if name not in DEVICE_KEYS}
    try:
        schema = look(settings.kind).driver.Settings
    except DriverError as error:
        raise SettingsError(f"{place}kind: {error}") from error
    return replace(settings, driver=built(schema, rest, place, folder))


def _device_tables(tree: dict[str, object]) -> list[tuple[str, Mapping[str, object]]]:
    """The tables of the devices, taken out of the tree, with their places."""
    if "device" in tree and "devices" in tree:
        raise SettingsError("device: there is devices too; write one of them")
    found = tree.pop("devices", None)
    if found is None:
        named = [("device", tree.pop("device", {}))]
    elif isinstance(found, list | dict) and found:
        numbered = found if isinstance(found, dict) else {str(at): table for at, table in enumerate(found)}
        named = [(f"devices.{at}", table) for at, table in numbered.items()]
    else:
        raise SettingsError("devices: a list of tables is wanted, [[devices]] for each")
    tables: list[tuple[str, Mapping[str, object]]] = []
    for place, table in named:
        if not isinstance(table, dict):
            raise SettingsError(f"{place}: a table is wanted")
        tables.append((f"{place}.", table))
    return tables


def _devices(tables: Sequence[tuple[str, Mapping[str, object]]], folder: Path) -> tuple[DeviceSettings, ...]:
    """All devices; each has a name of its own, and no two are the same unit at the same address."""
    devices: dict[str, DeviceSettings] = {}
    units: dict[object, str] = {}
    look = cache(driver_kind)
    for place, table in tables:
        device = device_settings(table, place, folder, look)
        if device.name in devices:
            raise SettingsError(f"{place}name: {device.name!r} is the name of another device")
        other = units.setdefault(_address(device), device.name)
        if other != device.name:
            raise SettingsError(f"{place}host: {device.name!r} would command the same unit as {other!r}")
        devices[device.name] = device
    return tuple(devices.values())


def _address(device: DeviceSettings) -> object:
    """Where a device is on its network; its name for one whose driver knows no such address."""
    names = ("host", "port", "unit")
    if not all(hasattr(device.driver, name) for name in names):
        return device.name
    return tuple(getattr(device.driver, name) for name in names)


def overridden(tree: dict[str, object], overrides: Sequence[str]) -> dict[str, object]:
    """The tree with `key=value` overrides put into it. SettingsError for one that cannot be."""
    for override in overrides:
        _put(tree, override)
    return tree


def _put(tree: dict[str, object], override: str) -> None:
    """Set one dotted key of the tree; the value is read as TOML, or as text where it is none."""
    name, equals, text = override.partition("=")
    if not equals:
        raise SettingsError(f"{override}: key=value is wanted")
    try:
        value: object = toml_table(f"it = {text}")["it"]
    except ValueError:
        value = text
    *path, last = name.strip().split(".")
    for part in path:
        tree = _inner(tree, part, name)
    tree[last] = value


def _inner(tree: dict[str, object], part: str, name: str) -> dict[str, object]:
    """The table `part` of a table, made where it is absent; of a list, the table with that number."""
    inner = tree.setdefault(part, {})
    if isinstance(inner, list):
        inner = {str(at): table for at, table in enumerate(inner)}
        tree[part] = inner
    if not isinstance(inner, dict):
        raise SettingsError(f"{name}: {part} is a value, not a table")
    return inner
