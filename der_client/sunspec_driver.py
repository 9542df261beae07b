"""The driver `sunspec`: an inverter or a battery inverter behind SunSpec Modbus."""

from dataclasses import dataclass
from typing import ClassVar

from der_client.driver import DeviceDriver
from der_client.sunspec import SunSpecDevice, SunSpecSettings
from der_client.sunspec.snapshot import SunSpecKeeper


@dataclass(frozen=True, slots=True, kw_only=True)
class SunSpecDriverSettings(SunSpecSettings):
    """Where the device is on Modbus TCP, and what is particular about it."""

    host: str = "127.0.0.1"
    port: int = 502
    unit: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:
            raise ValueError(f"port: {self.port} is no TCP port")
        if not 0 <= self.unit <= 255:
            raise ValueError(f"unit: {self.unit} outside 0 to 255")


class SunSpecDriver(DeviceDriver[SunSpecDriverSettings]):
    """An inverter or battery behind SunSpec Modbus."""

    kind: ClassVar[str] = "sunspec"
    Settings: ClassVar[type] = SunSpecDriverSettings

    def __init__(self, name: str, settings: SunSpecDriverSettings) -> None:
        super().__init__(name, settings, inverter_of(name, settings))

    @property
    def allow_grid_code_writes(self) -> bool:
        """True where the installer lets settings of the grid code through."""
        return self._settings.mapping.permissions.allow_grid_code_writes


def keeper_of(settings: SunSpecDriverSettings) -> SunSpecKeeper:
    """What remembers the control registers of the device that the settings describe."""
    return SunSpecKeeper(settings.host, settings.port, settings.unit, settings)


def inverter_of(name: str, settings: SunSpecDriverSettings) -> SunSpecDevice:
    """The device that the settings describe; nothing is opened yet."""
    return SunSpecDevice(name, settings.host, settings.port, settings.unit, settings)
