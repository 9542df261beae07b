"""The driver `battery`: a SunSpec inverter with the BMS of its battery on CAN."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from der_client.battery_system import BatterySystem, Bms
from der_client.bms_group import BmsGroup
from der_client.can import BatteryLimits, BusSettings, CanBms, Profile, load_profile
from der_client.driver import DeviceDriver
from der_client.sunspec_driver import SunSpecDriverSettings, inverter_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CanSettings:
    """The battery's CAN bus: python-can interface and channel, and the profile of its BMS.

    `options` go to python-can as they are (`bitrate = 500000`); `host` and `port` are those of socketcand.
    `byte_order` (dbc, little or big) and `address` are put over those of the profile. `capacity_ah` is the
    capacity of the pack where the BMS does not say it; `max_*` bound what the BMS may claim.
    """

    interface: str = "socketcan"
    channel: str = "can0"
    host: str | None = None
    port: int | None = None
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    profile: str = "pylontech_lv"
    dbc: Path | None = None
    byte_order: str | None = None
    address: int | None = None
    capacity_ah: float | None = None
    max_charge_a: float | None = None
    max_discharge_a: float | None = None

    def __post_init__(self) -> None:
        for name in ("capacity_ah", "max_charge_a", "max_discharge_a"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name}: {value:g} is not above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryDriverSettings(SunSpecDriverSettings):
    """Where the inverter is on Modbus TCP, and the CAN bus of its battery.

    `packs` are several batteries in parallel behind the inverter, in place of the one of `can`.
    """

    can: CanSettings = field(default_factory=CanSettings)
    packs: tuple[CanSettings, ...] = ()

    def __post_init__(self) -> None:
        SunSpecDriverSettings.__post_init__(self)
        if len(self.packs) > 1 and any(pack.capacity_ah is None for pack in self.packs):
            raise ValueError("packs: several packs share the current by capacity_ah, which each must have")


class BatteryDriver(DeviceDriver[BatteryDriverSettings]):
    """An inverter behind SunSpec Modbus with the BMS of its battery on CAN."""

    kind: ClassVar[str] = "battery"
    Settings: ClassVar[type] = BatteryDriverSettings

    def __init__(self, name: str, settings: BatteryDriverSettings) -> None:
        super().__init__(name, settings, BatterySystem(inverter_of(name, settings), bank_of(name, settings)))

    @property
    def allow_grid_code_writes(self) -> bool:
        """True where the installer lets settings of the grid code through."""
        return self._settings.mapping.permissions.allow_grid_code_writes


def bank_of(name: str, settings: BatteryDriverSettings) -> Bms:
    """The BMS of the battery, or those of its packs as one; nothing is opened yet."""
    if not settings.packs:
        return bms_of(name, settings.can)
    packs = [bms_of(f"{name} pack {number}", pack) for number, pack in enumerate(settings.packs, 1)]
    return BmsGroup(packs, [pack.capacity_ah or 1.0 for pack in settings.packs])


def bms_of(name: str, settings: CanSettings) -> CanBms:
    """The BMS on a CAN bus; nothing is opened yet. ProfileError names file and key of a wrong profile."""
    limits = BatteryLimits(
        max_charge_a=settings.max_charge_a,
        max_discharge_a=settings.max_discharge_a,
        capacity_ah=settings.capacity_ah,
    )
    return CanBms(name, bus_of(settings), profile_of(settings), limits=limits)


def profile_of(settings: CanSettings) -> Profile:
    """The profile of a BMS. ProfileError names file and key of one that cannot be used."""
    chosen = {"byte_order": settings.byte_order, "address": settings.address}
    overrides = {name: value for name, value in chosen.items() if value is not None}
    return load_profile(settings.profile, settings.dbc, overrides)


def bus_of(settings: CanSettings) -> BusSettings:
    """The CAN bus as python-can is told of it."""
    options = dict(settings.options)
    if settings.host is not None:
        options["host"] = settings.host
    if settings.port is not None:
        options["port"] = settings.port
    return BusSettings(interface=settings.interface, channel=settings.channel, options=options)
