"""What an operator can set for one SunSpec device, and for one meter."""

from dataclasses import dataclass, field
from pathlib import Path

from der_client.sunspec.mapping import MappingSettings
from der_client.sunspec.proxy import ProxySettings
from der_client.sunspec.scan import ScanSettings
from der_client.sunspec.transport import TransportSettings

IMPORT, EXPORT = "import", "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class SunSpecSettings:
    """Settings of one device behind SunSpec Modbus.

    `readback_s` is how long a written value may take to show (SunSpec: 1 s). `heartbeat_limit_s` is how long
    DERHb may stand still, a battery's Hb half as long. `min_write_interval_s` keeps an unchanged setpoint
    from being rewritten more often. `toggle_to_refresh` is for devices that restart a reversion timer only
    when its function is enabled anew. `controller_heartbeat` counts 715.ControllerHb and 802.CtrlHb up each
    second while there are readings. A curve must be adopted within `adopt_s`; for `readback_s` it is looked
    at every `adopt_pause_s`, then with each period. `write_one_by_one` is for devices that know function code
    6 only; one that refuses code 16 and then takes code 6 is treated alike. `proxy` serves the registers to
    other readers, for devices that take one connection only. `one_connection` lets go of a connection that
    is idle for `idle_s`, for such devices without a proxy. `quirks`: what is known of the model, and what the
    files of `quirk_files` say, stands in for every setting that is at its default.
    """

    transport: TransportSettings = field(default_factory=TransportSettings)
    scan: ScanSettings = field(default_factory=ScanSettings)
    mapping: MappingSettings = field(default_factory=MappingSettings)
    readback_s: float = 1.0
    readback_pause_s: float = 0.1
    heartbeat_limit_s: float = 10.0
    min_write_interval_s: float = 5.0
    toggle_to_refresh: bool = False
    controller_heartbeat: bool = True
    adopt_s: float = 10.0
    adopt_pause_s: float = 0.2
    write_one_by_one: bool = False
    proxy: ProxySettings | None = None
    one_connection: bool = False
    idle_s: float = 5.0
    quirks: bool = True
    quirk_files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSettings:
    """Settings of one meter. `meter_positive` is what its positive power means, `import` or `export`.

    `max_w` is the most power that the site can have, W: counters that move faster are dropped. `quirks` and
    `quirk_files` are as those of a device.
    """

    transport: TransportSettings = field(default_factory=TransportSettings)
    scan: ScanSettings = field(default_factory=ScanSettings)
    meter_positive: str = IMPORT
    max_w: float = 1e6
    quirks: bool = True
    quirk_files: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if self.meter_positive not in {IMPORT, EXPORT}:
            msg = f"meter_positive: {self.meter_positive!r} is neither import nor export"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class SunSpecMeterSettings(MeterSettings):
    """Where a meter is: `host` and `port` on Modbus TCP, or the serial line of `transport`; its `unit`."""

    host: str = ""
    port: int = 502
    unit: int = 1

    def __post_init__(self) -> None:
        super(SunSpecMeterSettings, self).__post_init__()
        if not 0 < self.port < 65536:
            raise ValueError(f"port: {self.port} is no TCP port")
        if not 0 <= self.unit <= 255:
            raise ValueError(f"unit: {self.unit} outside 0 to 255")
