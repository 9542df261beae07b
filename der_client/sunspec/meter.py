"""The meter at the connection point behind SunSpec Modbus: models 201 to 204 and 211 to 214.

Which direction a meter counts positive differs in the field: the settings say it. Nothing is written.
"""

import asyncio

from der_client.device import Fault, FaultKind, SiteReading
from der_client.sunspec.connection import Connection
from der_client.sunspec.measured import numbers, phase_voltages
from der_client.sunspec.model import DeviceMap, Model
from der_client.sunspec.plausible import EnergyWatch
from der_client.sunspec.quirks import load_book
from der_client.sunspec.settings import IMPORT, MeterSettings
from der_client.sunspec.transport import ModbusTransport

METERS = (201, 202, 203, 204, 211, 212, 213, 214)


def meter_of(device_map: DeviceMap) -> Model | None:
    """The first meter of a device."""
    return next((model for number in METERS if (model := device_map.first(number)) is not None), None)


def site_reading_of(device_map: DeviceMap, meter_positive: str = IMPORT) -> SiteReading | Fault:
    """One reading of a meter, positive out of the site; the phases are added up where there is no total."""
    meter = meter_of(device_map)
    if meter is None:
        return Fault(kind=FaultKind.MALFORMED, detail="the device has no model of a meter (201 to 214)")
    power_w = _total(meter, "W", "WphA", "WphB", "WphC")
    if power_w is None:
        detail = "the meter gives no active power"
        return Fault(kind=FaultKind.MALFORMED, detail=detail, point=f"{meter.model_id}.W")
    sign = -1.0 if meter_positive == IMPORT else 1.0
    reactive_var = _total(meter, "VAR", "VARphA", "VARphB", "VARphC")
    return SiteReading(
        power_w=sign * power_w + 0.0,
        reactive_var=None if reactive_var is None else sign * reactive_var + 0.0,
        phase_v=phase_voltages(meter),
        frequency_hz=meter.number("Hz"),
        exported_wh=meter.number("TotWhExp"),
        imported_wh=meter.number("TotWhImp"),
    )


def _total(meter: Model, name: str, *phases: str) -> float | None:
    value = meter.number(name)
    if value is not None:
        return float(value)
    parts = numbers(meter, *phases)
    return sum(parts) if parts else None


class SunSpecMeter:
    """A meter that speaks SunSpec Modbus TCP."""

    def __init__(
        self, name: str, host: str, port: int, unit: int = 1, settings: MeterSettings | None = None
    ) -> None:
        self.name = name
        self.settings = settings or MeterSettings()
        self._book = load_book(self.settings.quirk_files) if self.settings.quirks else None
        self._transport = ModbusTransport(host, port, unit, self.settings.transport)
        adapt = self._book.scan if self._book else None
        self._connection = Connection(self._transport, self.settings.scan, adapt)
        self._watch = EnergyWatch()

    async def scan(self) -> DeviceMap | Fault:
        """Discover the meter and give its map."""
        return await self._connection.rescan()

    async def read(self) -> SiteReading | Fault:
        """One reading; counters that cannot be are left out."""
        known = await self._connection.known()
        if isinstance(known, Fault):
            return known
        meter = meter_of(known)
        device_map = await self._connection.refreshed({} if meter is None else {meter.model_id: None})
        if isinstance(device_map, Fault):
            return device_map
        settings = self.settings
        if self._book:
            settings = self._book.meter(settings, device_map.identity())
        reading = site_reading_of(device_map, settings.meter_positive)
        if isinstance(reading, Fault):
            return reading
        return self._watch.site(reading, self.settings.max_w, asyncio.get_running_loop().time())

    async def close(self) -> None:
        """Close the connection."""
        await self._transport.close()
