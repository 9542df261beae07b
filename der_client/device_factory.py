"""The Device that the settings describe."""

from der_client.battery_system import BatterySystem
from der_client.can import BusSettings, CanBms, load_profile
from der_client.device import Device
from der_client.settings import CanSettings, DeviceSettings
from der_client.sunspec import SunSpecDevice


def device_of(settings: DeviceSettings) -> Device:
    """An inverter behind SunSpec Modbus, alone or with its battery; nothing is opened yet."""
    inverter = SunSpecDevice(settings.name, settings.host, settings.port, settings.unit)
    if settings.kind == "sunspec":
        return inverter
    return BatterySystem(inverter, bms_of(settings.name, settings.can))


def bms_of(name: str, settings: CanSettings) -> CanBms:
    """The BMS on a CAN bus."""
    options: dict[str, str | int | float | bool] = {}
    if settings.host is not None:
        options["host"] = settings.host
    if settings.port is not None:
        options["port"] = settings.port
    bus = BusSettings(interface=settings.interface, channel=settings.channel, options=options)
    return CanBms(name, bus, load_profile(settings.profile, settings.dbc))
