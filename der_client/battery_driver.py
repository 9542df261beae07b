"""The driver `battery`: a SunSpec inverter with the BMS of its battery on CAN."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from der_client.battery_system import BatterySystem
from der_client.can import BusSettings, CanBms, load_profile
from der_client.driver import DeviceDriver
from der_client.sunspec_driver import SunSpecDriverSettings, inverter_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CanSettings:
    """The battery's CAN bus: python-can interface and channel, and the profile of its BMS.

    `options` go to python-can as they are (`bitrate = 500000`); `host` and `port` are those of socketcand.
    """

    interface: str = "socketcan"
    channel: str = "can0"
    host: str | None = None
    port: int | None = None
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    profile: str = "pylontech_lv"
    dbc: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryDriverSettings(SunSpecDriverSettings):
    """Where the inverter is on Modbus TCP, and the CAN bus of its battery."""

    can: CanSettings = field(default_factory=CanSettings)


class BatteryDriver(DeviceDriver[BatteryDriverSettings]):
    """An inverter behind SunSpec Modbus with the BMS of its battery on CAN."""

    kind: ClassVar[str] = "battery"
    Settings: ClassVar[type] = BatteryDriverSettings

    def __init__(self, name: str, settings: BatteryDriverSettings) -> None:
        system = BatterySystem(inverter_of(name, settings), bms_of(name, settings.can))
        super().__init__(name, settings, system)

    @property
    def allow_grid_code_writes(self) -> bool:
        """True where the installer lets settings of the grid code through."""
        return self._settings.mapping.permissions.allow_grid_code_writes


def bms_of(name: str, settings: CanSettings) -> CanBms:
    """The BMS on a CAN bus; nothing is opened yet. ProfileError names file and key of a wrong profile."""
    return CanBms(name, bus_of(settings), load_profile(settings.profile, settings.dbc))


def bus_of(settings: CanSettings) -> BusSettings:
    """The CAN bus as python-can is told of it."""
    options = dict(settings.options)
    if settings.host is not None:
        options["host"] = settings.host
    if settings.port is not None:
        options["port"] = settings.port
    return BusSettings(interface=settings.interface, channel=settings.channel, options=options)
