"""The driver that the settings of a device describe, and the meter of a site."""

from collections.abc import Callable

from der_client.driver import Driver
from der_client.driver_registry import DriverKind, driver_kind
from der_client.settings import DeviceSettings
from der_client.site_desk import Meter
from der_client.site_settings import SiteMeterSettings


def device_of(settings: DeviceSettings, look: Callable[[str], DriverKind] = driver_kind) -> Driver[object]:
    """The driver of one device, found by `look`; nothing is opened yet. DriverError for an unknown kind."""
    driver = look(settings.kind).driver
    return driver.add(settings.name, driver.Settings() if settings.driver is None else settings.driver)


def meter_of(settings: SiteMeterSettings) -> Meter | None:
    """The meter of the site; nothing is opened yet. None where there is none."""
    if not settings.host:
        return None
    from der_client.sunspec import MeterSettings, SunSpecMeter  # noqa: PLC0415

    found = MeterSettings(meter_positive=settings.positive)
    return SunSpecMeter("meter", settings.host, settings.port, settings.unit, found)
