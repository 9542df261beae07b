"""Settings of a server: one frozen value from TOML and `key=value` texts. Unknown keys are errors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from owner import toml_table
from schemas import Profile, csip_aus
from sep2_server.address import is_url
from sep2_server.profile_settings import RULES, prefix_of, profile_of, table_of
from sep2_server.profiles import PROFILES, ServerProfile
from sep2_server.setting_rules import by_lfdi, require_apart, require_sound
from sep2_server.setting_values import ROOTS, SettingsError, value_of

FILES_AS_TEXT: Final = frozenset({"database", "database_password_file"})
"""Settings that name a file in most cases."""
RELOADABLE: Final = (
    "certificate",
    "key",
    "roots",
    "extra_trusted",
    "most_octets",
    "keep_alive_s",
    "connections",
    "connections_per_address",
    "connections_per_client",
    "handshake_s",
    "body_s",
    "shutdown_s",
    "access_log",
    "log_level",
)
"""Settings that a running server takes over when it is told to read its files again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set. Times in s, sizes in octets."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8443
    """Port of IEEE 2030.5; 0 lets the system choose."""
    redirect_port: int = -1
    """Port on which plain HTTP is answered with a redirection to HTTPS; -1: none, 0: the system chooses."""
    database: str = "lineside.db"
    """SQLite file, or postgresql://user@host:port/name."""
    database_password_file: str = ""
    """File with the password for PostgreSQL, where the URL has none."""
    certificate: Path = Path("server/cert.pem")
    """File with the server's certificate and the CAs above it, without the root."""
    key: Path = Path("server/key.pem")
    """File with the private key of the certificate."""
    roots: Path = ROOTS
    """File with every root that clients' certificates may end at."""
    extra_trusted: tuple[str, ...] = ()
    """Files with the self-signed certificates of enrolled clients."""

    profile: ServerProfile = PROFILES["csip"]
    """Profile at the root: a name of `PROFILES`, or a table with that `name` and the rules that deviate."""
    mounts: Mapping[str, ServerProfile] = field(default_factory=dict)
    """Further profiles by the path that stands before their URIs (`"/aus13" = "csip_aus_v1.3"`)."""
    aggregator_pens: Mapping[str, int] = field(default_factory=dict)
    """Private enterprise number of aggregators by LFDI, for the rule `pen_suffix`."""
    discovery: bool = False
    """Announce the server by DNS-SD over multicast DNS; needs the extra `discovery`."""
    discovery_interfaces: tuple[str, ...] = ("127.0.0.1",)
    """Addresses of the interfaces that it is announced on; no packet leaves by another."""
    discovery_name: str = "Lineside"
    """Name that it is announced by: unique on the network."""
    discovery_sfdis: tuple[str, ...] = ()
    """SFDIs of the devices that are announced as registered (subtype `edev-SFDI`); never the whole fleet."""
    flow_reservations: str = "operator"
    """Who answers a FlowReservationRequest: operator; or the server at once, with grant or decline."""
    uri_salt: str = ""
    """Where not empty, all URIs but DeviceCapability's are scrambled with it: for tests of clients."""

    most_octets: int = 1 << 20
    """Largest body that is read."""
    end_devices_per_aggregator: int = 100_000
    """Most EndDevices that an aggregator may register in-band."""
    items_per_list: int = 1000
    """Most items that clients may post to one list, log events and readings apart.

    Of what the server by itself granted a device, as many are kept once they left their list, the newest.
    """
    log_events_kept: int = 100
    """Newest log events kept for each device, at least 10, and up to a twentieth more. 17 (LogEvent)."""
    responses_kept: int = 100_000
    """Newest Responses that a client sees in a ResponseList, up to a twentieth more; operators see all."""
    mirror_usage_points_per_device: int = 16
    """Most MirrorUsagePoints of one device."""
    usage_points_per_device: int = 64
    """UsagePoints of one device from which on those whose mirror was deleted go, the oldest first."""
    meter_readings_per_usage_point: int = 64
    """Most MeterReadings of one UsagePoint."""
    reading_sets_kept: int = 2016
    """ReadingSets kept of each MeterReading, those that came last, and up to a twentieth more."""
    reading_retention_s: int = 0
    """How long readings of clients are kept after their time, to the day; 0: as long as their sets are."""
    event_history_s: int = 31_536_000
    """How long after it left its list operators can see an event, and devices answer it; at least a day."""
    changes_kept: int = 1_000_000
    """Newest entries of the change feed that are kept."""
    operator_answer_retention_s: int = 86_400
    """How long the answer to an operator's request with an Idempotency-Key is kept for its repetition."""

    files_folder: Path = Path("files")
    """Folder of the octets of files for devices, each kept once under its SHA-256."""
    most_file_octets: int = 1 << 30
    """Largest file that operators may give to devices."""
    files_per_group: int = 255
    """Most files of one group."""
    downloads_at_once: int = 16
    """Most downloads of files that run at a time in each process; further ones are answered with 503."""
    download_retry_s: int = 60
    """Retry-After of those answers."""
    download_stall_s: int = 60
    """How long a client may take nothing of a download before it is dropped."""
    download_turn_s: int = 1800
    """How long a download keeps its place where others wait for one; 4.5 MB at the 20 kbit/s of GPRS."""

    time_zone: str = "UTC"
    """Name of the time zone that the Time resource tells."""
    time_quality: int = 3
    """Quality of the Time resource: 3 to 7. IEEE 2030.5-2018, 9 (Time)."""
    test_bench: bool = False
    """Let admins shift the time, set its quality, play an outage, and use PINs without a check digit."""
    function_set_assignments_per_device: int = 15
    """Most groups of one device: CSIP clients take up to 15 FunctionSetAssignments. CSIP 1.6."""
    pen: int = 0
    """IANA private enterprise number for the mRIDs that the server makes; 0 must be replaced before use."""
    keep_alive_s: int = 75
    """How long a connection may be idle."""
    workers: int = 1
    """Processes that serve devices. They share the port, TLS sessions and the database."""
    connections: int = 20_000
    """Most connections at a time; each worker takes its share."""
    connections_per_address: int = 20_000
    """Most connections of one IP address at a time, in each worker; looked at before the handshake."""
    connections_per_client: int = 1000
    """Most connections of one client at a time, in each worker."""
    handshake_s: int = 20
    """How long a TLS handshake may take."""
    body_s: int = 30
    """How long the body of a request may take to arrive."""
    answer_s: int = 20
    """How long a request may wait for the store; then it is answered with 503."""
    write_s: int = 30
    """How long a client may leave unread what it asked for."""
    shutdown_s: int = 10
    """How long requests may take to end when the server stops."""
    access_log: bool = False
    """Write one line for each request: who, what, status, ms."""
    log_format: str = "text"
    """Form of the log on standard error: text, or json (one object a line)."""
    log_level: str = ""
    """debug, info, warning or error; empty: what the command line says (`-v`)."""
    cached_answers: int = 20_000
    """Most rendered answers kept in memory."""
    cached_octets: int = 1 << 26
    """Most memory that rendered answers take, roughly."""
    known_clients: int = 20_000
    """Most clients whose rights are kept in memory."""

    public_url: str = ""
    """`https://host:port` of the server in subscriptionURIs; empty: the Host that the client used."""
    subscriptions_per_client: int = 100_000
    """Most subscriptions of one client."""
    subscription_expiry_s: int = 0
    """How long a subscription lives that is not renewed (posted or put again); 0: for ever."""
    managed_subscription_lists: bool = False
    """Give the EndDevices that an aggregator speaks for a SubscriptionListLink of their own."""
    notification_hosts: tuple[str, ...] = ()
    """Hosts, addresses and networks (`HOST[:PORT]`, CIDR) that notifications of every client may go to."""
    notification_http: bool = False
    """Let notifications go to plain HTTP too."""
    notification_any_peer: bool = False
    """Notify listeners whose certificate is neither the subscriber's nor its aggregator's."""
    notification_gap_ms: int = 200
    """How long changes of a subscribed resource are gathered into one notification, ms."""
    notification_timeout_s: int = 30
    """How long a listener may take to answer."""
    notification_retry_s: tuple[int, ...] = (10, 100, 300, 1800)
    """When a notification that met a 5xx or no connection is tried again; then it is a dead letter."""
    dead_letters_per_subscription: int = 10
    """Newest dead letters that are kept of one subscription."""
    dead_letter_retention_s: int = 2_592_000
    """How long a dead letter is kept."""
    notification_connections: int = 8
    """Most connections to one listener from one process."""
    notification_kept: int = 1024
    """Most connections to listeners that each process keeps without a request."""
    notification_idle_s: int = 300
    """How long such a connection waits for its next request."""
    notification_age_s: int = 86_400
    """How old a connection to a listener may get: DNS and certificates are looked at anew after that."""

    def __post_init__(self) -> None:
        for name, (low, high) in _BOUNDS.items():
            if not low <= getattr(self, name) <= high:
                raise SettingsError(f"{name}: {getattr(self, name)} is not {low} to {high}")
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise SettingsError(f"{name}: {getattr(self, name)!r} is not one of {', '.join(allowed)}")
        _zone(self.time_zone)
        require_sound({f.name: getattr(self, f.name) for f in fields(self)})

    @property
    def database_password(self) -> str | None:
        """The password of `database_password_file`, None where there is no file named."""
        if not self.database_password_file:
            return None
        try:
            return Path(self.database_password_file).read_text(encoding="utf-8").strip()
        except OSError as flaw:
            raise SettingsError(f"database_password_file: {flaw}") from flaw

    @property
    def all_profiles(self) -> Mapping[str, ServerProfile]:
        """The profiles by the path that stands before their URIs; that of `profile` is empty."""
        return {"": self.profile, **self.mounts}

    @property
    def lets_in_without_certificate(self) -> bool:
        """Whether a client without certificate gets past the handshake: to see something, or to be told."""
        is_open = any(profile.open_capability for profile in self.all_profiles.values())
        return is_open or self.profile.refused_certificate == "403"

    @property
    def xml_profile(self) -> Profile:
        """Namespace and extensions of the profile at the root."""
        return self.profile.xml

    @property
    def store_profile(self) -> Profile:
        """Namespace and extensions of what is stored: all that one of the profiles knows."""
        kinds = {(p.xml.extensions, tuple(p.xml.additions)) for p in self.all_profiles.values()}
        alone = len(kinds) == 1 and self.profile.xml is not csip_aus.CSIP_AUS_V1_1A
        return self.profile.xml if alone else csip_aus.CSIP_AUS_ALL

    @property
    def extra_trusted_paths(self) -> tuple[Path, ...]:
        """Files of `extra_trusted`."""
        return tuple(map(Path, self.extra_trusted))

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return _zone(self.time_zone)

    def poll_rate_of(self, kind: str) -> int | None:
        """PollRate of a resource at the root, None where the default of the standard holds."""
        return self.profile.poll_rate_of(kind)


_CHOICES: Final = {
    "flow_reservations": ("operator", "grant", "decline"),
    "log_format": ("text", "json"),
    "log_level": ("", "debug", "info", "warning", "error"),
}
_BOUNDS: Final = {
    "port": (0, 65535),
    "redirect_port": (-1, 65535),
    "most_octets": (1024, 1 << 26),
    "end_devices_per_aggregator": (0, 10_000_000),
    "items_per_list": (0, 10_000_000),
    "responses_kept": (1, 1_000_000_000),
    "changes_kept": (1, 1_000_000_000),
    "operator_answer_retention_s": (60, 2_592_000),
    "shutdown_s": (0, 3600),
    "cached_answers": (0, 100_000_000),
    "known_clients": (0, 100_000_000),
    "log_events_kept": (10, 1_000_000),
    "mirror_usage_points_per_device": (0, 10_000),
    "usage_points_per_device": (1, 10_000),
    "meter_readings_per_usage_point": (1, 10_000),
    "reading_sets_kept": (1, 10_000_000),
    "reading_retention_s": (0, 3_153_600_000),
    "most_file_octets": (0, 4_294_967_295),
    "files_per_group": (1, 65_535),
    "downloads_at_once": (0, 100_000),
    "download_retry_s": (1, 65_535),
    "download_stall_s": (1, 3600),
    "download_turn_s": (1, 86_400),
    "cached_octets": (0, 1 << 40),
    "function_set_assignments_per_device": (1, 10_000),
    "pen": (0, 4_294_967_295),
    "time_quality": (0, 7),
    "keep_alive_s": (1, 86_400),
    "body_s": (1, 3600),
    "workers": (1, 64),
    "connections": (1, 1_000_000),
    "connections_per_address": (1, 1_000_000),
    "connections_per_client": (1, 1_000_000),
    "handshake_s": (1, 3600),
    "answer_s": (1, 3600),
    "write_s": (1, 3600),
    "subscriptions_per_client": (0, 10_000_000),
    "subscription_expiry_s": (0, 315_360_000),
    "notification_gap_ms": (0, 3_600_000),
    "notification_timeout_s": (1, 600),
    "dead_letters_per_subscription": (0, 1000),
    "dead_letter_retention_s": (60, 3_153_600_000),
    "notification_connections": (1, 1000),
    "notification_kept": (0, 1_000_000),
    "notification_idle_s": (1, 86_400),
    "notification_age_s": (1, 31_536_000),
}


def read_settings(path: Path | None = None, overrides: Iterable[str] = ()) -> Settings:
    """Settings of a TOML file, then of `key=value` texts; relative paths are relative to the file.

    SettingsError names the key and what it may be.
    """
    given = _from_file(path) if path is not None else {}
    for text in overrides:
        override(given, text)
    return settings_of(given)


def settings_of(given: Mapping[str, Any]) -> Settings:
    """Settings of plain values; SettingsError names the key that is unknown or wrong."""
    kinds = get_type_hints(Settings)
    known = {f.name for f in fields(Settings)} | RULES.keys()
    for name in given:
        if name not in known:
            raise SettingsError(f"{name}: unknown; known are {', '.join(sorted(known))}")
    shared = {name: value for name, value in given.items() if name in RULES}
    values: dict[str, Any] = {"profile": profile_of("profile", given.get("profile", "csip"), shared)}
    values["mounts"] = {
        prefix_of(path): profile_of(f"mounts.{path}", value, shared)
        for path, value in table_of("mounts", given.get("mounts", {})).items()
    }
    rest = given.keys() - RULES.keys() - values.keys()
    values |= {name: value_of(name, given[name], kinds[name]) for name in rest}
    if "" in values["mounts"]:
        values["profile"] = values["mounts"].pop("")
    require_apart(values["mounts"])
    values["aggregator_pens"] = by_lfdi("aggregator_pens", values.get("aggregator_pens", {}))
    return Settings(**values)


def reloaded(old: Settings, new: Settings) -> Settings:
    """The old settings with what `RELOADABLE` names taken from the new ones."""
    return replace(old, **{name: getattr(new, name) for name in RELOADABLE})


def needing_restart(old: Settings, new: Settings) -> list[str]:
    """Names of the settings that differ and that only a new start takes over."""
    names = (f.name for f in fields(Settings) if f.name not in RELOADABLE)
    return [name for name in names if getattr(old, name) != getattr(new, name)]


def _from_file(path: Path) -> dict[str, Any]:
    try:
        given = toml_table(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as flaw:
        raise SettingsError(f"{path}: {flaw}") from flaw
    return {name: placed(name, value, Settings, path.parent) for name, value in given.items()}


def placed(name: str, value: object, cls: type, folder: Path) -> object:
    """The value of a setting; a path in it is made relative to a folder."""
    is_path = get_type_hints(cls).get(name) is Path
    is_file = name in FILES_AS_TEXT and value and not is_url(str(value))
    return str(folder / str(value)) if is_path or is_file else value


def override(given: dict[str, Any], text: str) -> None:
    """Put a text `key=value` or `table.key=value` over what is given; a profile may be a name alone."""
    name, equals, value = text.partition("=")
    if not equals:
        raise SettingsError(f"{text!r}: write key=value")
    table, dot, entry = name.strip().partition(".")
    if dot:
        held = given.get(table, {})
        held = {"name": held} if table == "profile" and isinstance(held, str) else held
        if not isinstance(held, Mapping):
            raise SettingsError(f"{table}: {held!r} is not a table, and has no {entry}")
        given[table] = {**held, entry: value.strip()}
    else:
        given[table] = value.strip()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as flaw:
        raise SettingsError(
            f"time_zone: {name!r} is not known; give a name such as America/Los_Angeles"
        ) from flaw
