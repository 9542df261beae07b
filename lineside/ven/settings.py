"""Everything that can be set of a VEN: one frozen tree, read from TOML. Mistakes are named by their key."""

import math
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from lineside.ven.programme_settings import ProgrammeSettings
from openadr_ven.events import Enrolment, Profile, Resource
from openadr_ven.to_sep2 import Device, Envelope, Fleet, Kind, Programme
from owner import SettingsError, built, toml_table

LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})
DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """Where a VTN of 3.x notifies us: `url` is what it calls, `host` and `port` where we listen.

    A proxy on this machine speaks TLS before us.
    """

    url: str
    host: str = "127.0.0.1"
    port: int = 8445


@dataclass(frozen=True, slots=True, kw_only=True)
class VtnSettings:
    """Which VTN, in which profile, and as whom.

    2.0b: `certificate`, `key` and `roots`; with `fingerprint` the VTN's certificate must have it. With
    `is_signed` messages are signed with the same key and answers must be, by one of the `signers`
    (fingerprints) or, where none is named, by the certificate of the connection. 3.x: `client_id` and the
    file of its secret; neither means a public VTN.
    """

    url: str
    profile: Profile = Profile.V20B
    certificate: Path | None = None
    key: Path | None = None
    roots: Path | None = None
    fingerprint: str | None = None
    strict_ciphers: bool = False
    is_signed: bool = False
    signers: tuple[str, ...] = ()
    client_id: str | None = None
    client_secret_file: Path | None = None
    scope: str = ""
    token_url: str | None = None
    webhook: WebhookSettings | None = None
    is_mqtt: bool = False
    poll_s: float = 10.0

    def __post_init__(self) -> None:
        _require_url(self.url)
        if not 0 < self.poll_s <= DAY_S:
            raise SettingsError("vtn.poll_s: more than 0 s and at most a day is wanted")
        if (self.certificate is None) != (self.key is None):
            raise SettingsError("vtn.key: certificate and key belong together")
        if self.fingerprint is not None and self.certificate is None:
            raise SettingsError("vtn.fingerprint: is compared where certificate and key are set")
        if self.certificate is not None and self.roots is None:
            raise SettingsError("vtn.roots: must be set where a certificate is")
        if self.profile is Profile.V20B:
            self._require_20b()
        else:
            self._require_3()

    def _require_20b(self) -> None:
        for name in ("client_id", "client_secret_file", "token_url", "webhook"):
            if getattr(self, name) is not None:
                raise SettingsError(f"vtn.{name}: is of OpenADR 3, and vtn.profile is 2.0b")
        is_tls = urlsplit(self.url).scheme == "https"
        if (is_tls or self.is_signed) and self.certificate is None:
            raise SettingsError("vtn.certificate: must be set, 2.0b is spoken with certificates")
        if self.signers and not self.is_signed:
            raise SettingsError("vtn.signers: are compared where vtn.is_signed is true")

    def _require_3(self) -> None:
        if self.is_signed or self.signers or self.strict_ciphers:
            raise SettingsError(f"vtn.profile: {self.profile} has no signatures and no suites of its own")
        if (self.client_id is None) != (self.client_secret_file is None):
            raise SettingsError("vtn.client_secret_file: client_id and client_secret_file belong together")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """The operator API of the 2030.5 server, and how often readings and Responses are looked at."""

    url: str
    token_file: Path
    roots: Path | None = None
    look_s: float = 60.0
    retry_most_s: float = 60.0

    def __post_init__(self) -> None:
        _require_url(self.url)
        for name in ("look_s", "retry_most_s"):
            if not 0 < getattr(self, name) < math.inf:
                raise SettingsError(f"server.{name}: more than 0 s is wanted")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceSettings:
    """One name of the VTN: its device classes, and the other targets that address it."""

    name: str
    device_classes: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSettings:
    """One EndDevice: `name` and `group` are those of the server, ratings in W and Wh.

    `resource` is the VTN's name for it. `group` reaches it and nothing else.
    """

    resource: str
    name: str
    group: str
    kind: Kind
    lfdi: str = ""
    site: str = ""
    envelope: Envelope = Envelope.CSIP
    device_category: int = 0
    share: float | None = None
    max_w: int | None = None
    max_charge_w: int | None = None
    max_discharge_w: int | None = None
    max_wh: int | None = None

    def __post_init__(self) -> None:
        for name in ("max_w", "max_charge_w", "max_discharge_w", "max_wh"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"{name}: a magnitude is wanted, not {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSettings:
    """A group of the server that reaches several of our devices and nothing else.

    What is the same for all of them is published to it once.
    """

    name: str
    devices: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.devices)) < 2:
            raise ValueError("devices: at least two are wanted; one has its own group")


@dataclass(frozen=True, slots=True, kw_only=True)
class VenSettings:
    """All of it. `state` is the folder of what survives SIGKILL, `pen` that of the mRIDs."""

    name: str
    vtn: VtnSettings
    server: ServerSettings
    devices: tuple[DeviceSettings, ...]
    programmes: tuple[ProgrammeSettings, ...]
    resources: tuple[ResourceSettings, ...] = ()
    groups: tuple[GroupSettings, ...] = ()
    state: Path = Path("state")
    pen: int = 40732

    def __post_init__(self) -> None:
        if not self.name:
            raise SettingsError("name: must not be empty")
        if not self.devices:
            raise SettingsError("devices: at least one is wanted")
        if not self.programmes:
            raise SettingsError("programmes: at least one is wanted, events of others are refused")
        _require_once("programmes.market_context", [one.market_context for one in self.programmes])
        _require_once("devices.name", [one.name for one in self.devices])
        _require_once("devices.group", [one.group for one in self.devices])
        _require_once("resources.name", [one.name for one in self.resources])
        behind = {one.resource for one in self.devices}
        for one in self.resources:
            if one.name not in behind:
                raise SettingsError(f"resources.name: no device is behind {one.name!r}")
        self._require_groups()
        self._require_levels(behind)

    def _require_levels(self, behind: set[str]) -> None:
        """Levels of resources: of those that there are."""
        for at, programme in enumerate(self.programmes):
            for row, level in enumerate(programme.levels):
                if level.resource is not None and level.resource not in behind:
                    text = f"no device is behind {level.resource!r}; there are {', '.join(sorted(behind))}"
                    raise SettingsError(f"programmes.{at}.levels.{row}.resource: {text}")

    def _require_groups(self) -> None:
        """Groups of several devices: of devices that there are, and no group twice."""
        names = {one.name for one in self.devices}
        _require_once("groups.name", [one.name for one in self.groups])
        own = {one.group: one.name for one in self.devices}
        for at, group in enumerate(self.groups):
            strange = [name for name in group.devices if name not in names]
            if strange:
                raise SettingsError(
                    f"groups.{at}.devices: no device is named {strange[0]!r}; add it to devices"
                )
            if group.name in own:
                text = f"{group.name!r} is the group of device {own[group.name]!r} alone; name another"
                raise SettingsError(f"groups.{at}.name: {text}")

    @property
    def enrolment(self) -> Enrolment:
        """Who events must be for: resources that have no table of their own are plain names."""
        told = {one.name: one for one in self.resources}
        names = dict.fromkeys(one.resource for one in self.devices)
        plain = ResourceSettings(name="")
        return Enrolment(
            ven_id="",
            resources=tuple(
                Resource(
                    name=name,
                    device_classes=frozenset(told.get(name, plain).device_classes),
                    targets=frozenset(told.get(name, plain).targets),
                )
                for name in names
            ),
            names=frozenset({self.name}),
            market_contexts=frozenset(one.market_context for one in self.programmes),
        )

    @property
    def fleet(self) -> Fleet:
        """The devices as the translation knows them."""
        groups = {one.name: frozenset(one.devices) for one in self.groups}
        return Fleet(devices=tuple(_device(one) for one in self.devices), groups=groups)

    @property
    def by_context(self) -> dict[str, Programme]:
        """The programmes by market context or programID."""
        return {one.market_context: one.programme(self.vtn.url, self.pen) for one in self.programmes}


def load_settings(path: Path) -> VenSettings:
    """The settings in a file; relative paths are taken from its folder. SettingsError."""
    try:
        table = toml_table(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as flaw:
        raise SettingsError(f"{path}: {flaw}; make a folder with: lineside ven init FOLDER") from flaw
    return built(VenSettings, {"state": "state", **table}, "", path.parent)


def secret_of(path: Path, key: str) -> str:
    """The secret in a file. SettingsError for a file without one; it is never in the message."""
    try:
        found = path.read_text(encoding="utf-8").strip()
    except OSError as flaw:
        raise SettingsError(f"{key}: {path}: {flaw.strerror}; put the secret in that file") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{key}: {path} is no text; put the secret in that file") from None
    if not found:
        raise SettingsError(f"{key}: {path} is empty")
    return found


def _device(one: DeviceSettings) -> Device:
    return Device(
        resource=one.resource,
        name=one.name,
        group=one.group,
        kind=one.kind,
        lFDI=one.lfdi,
        site=one.site,
        envelope=one.envelope,
        deviceCategory=one.device_category,
        share=None if one.share is None else Decimal(str(one.share)),
        setMaxW=one.max_w,
        setMaxChargeRateW=one.max_charge_w,
        setMaxDischargeRateW=one.max_discharge_w,
        setMaxWh=one.max_wh,
    )


def _require_url(url: str) -> None:
    """ValueError for what is neither HTTPS nor of this machine: tokens and events are not for everybody."""
    parts = urlsplit(url)
    is_local = parts.scheme == "http" and parts.hostname in LOCAL
    if not parts.hostname or not (parts.scheme == "https" or is_local):
        raise ValueError(f"url: {url!r} is no https URL; http is for this machine alone")


def _require_once(key: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"{key}: {name!r} stands twice")
