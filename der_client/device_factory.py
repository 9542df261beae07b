"""The driver that the settings of a device describe."""

from der_client.driver import Driver
from der_client.driver_registry import driver_kind
from der_client.settings import DeviceSettings


def device_of(settings: DeviceSettings) -> Driver[object]:
    """The driver of one device; nothing is opened yet. DriverError if its kind is not installed."""
    driver = driver_kind(settings.kind).driver
    return driver.add(settings.name, driver.Settings() if settings.driver is None else settings.driver)
