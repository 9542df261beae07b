"""The driver that the settings of a device describe."""

from collections.abc import Callable

from der_client.driver import Driver
from der_client.driver_registry import DriverKind, driver_kind
from der_client.settings import DeviceSettings


def device_of(settings: DeviceSettings, look: Callable[[str], DriverKind] = driver_kind) -> Driver[object]:
    """The driver of one device, found by `look`; nothing is opened yet. DriverError for an unknown kind."""
    driver = look(settings.kind).driver
    return driver.add(settings.name, driver.Settings() if settings.driver is None else settings.driver)
