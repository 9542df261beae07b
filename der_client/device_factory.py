"""The driver that the settings of a device describe, and the meters of sites."""

from collections.abc import Callable

from der_client.device import Device
from der_client.driver import Driver
from der_client.driver_registry import DriverKind, driver_kind
from der_client.relay import RelayedDevice
from der_client.settings import DeviceSettings
from der_client.site_desk import Meter
from der_client.site_settings import SiteMeterSettings
from owner import SettingsError


def device_of(settings: DeviceSettings, look: Callable[[str], DriverKind] = driver_kind) -> Driver[object]:
    """The driver of one device, found by `look`; nothing is opened yet. DriverError for an unknown kind."""
    driver = look(settings.kind).driver
    return driver.add(settings.name, driver.Settings() if settings.driver is None else settings.driver)


def relayed_device_of(settings: DeviceSettings, look: Callable[[str], DriverKind] = driver_kind) -> Device:
    """The driver of one device, behind its relay where it has one; nothing is opened yet. As `device_of`."""
    driver = device_of(settings, look)
    if settings.relay is None:
        return driver
    from der_client.sunspec.modbus_relay import ModbusRelay  # noqa: PLC0415

    return RelayedDevice(driver, ModbusRelay(settings.relay))


def meter_of(settings: SiteMeterSettings) -> Meter:
    """The meter of a site; nothing is opened yet."""
    from der_client.sunspec import SunSpecMeter  # noqa: PLC0415 - only with a meter
    from der_client.sunspec.settings import SunSpecMeterSettings  # noqa: PLC0415

    place = settings.driver
    if not isinstance(place, SunSpecMeterSettings):
        raise SettingsError(f"meter {settings.name!r}: an address is wanted")
    return SunSpecMeter(settings.name, place.host, place.port, place.unit, place)
