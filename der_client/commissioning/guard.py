"""The limits within which a test may move a device; beyond them it is aborted. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from der_client.device import BatteryState, Fault, Nameplate, Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Power in % of the rating, voltage in % of nominal, frequency and its band in Hz, SoC in %, degC.

    The defaults are inside the normal operating range of IEEE 1547-2018; the pack maker's data sheet wins.
    """

    max_power_pct: float = 105.0
    min_voltage_pct: float = 88.0
    max_voltage_pct: float = 110.0
    nominal_hz: float | None = None
    band_hz: float = 1.0
    min_soc_pct: float = 15.0
    max_soc_pct: float = 90.0
    max_temperature_c: float = 70.0

    def trouble(self, plate: Nameplate, telemetry: Telemetry) -> str | None:
        """Why a test must not go on, or not begin; `None` while all is well."""
        return next(self._troubles(plate, telemetry), None)

    def _troubles(self, plate: Nameplate, telemetry: Telemetry) -> Iterator[str]:
        share_pct = 100.0 * abs(telemetry.power_w) / max(plate.max_w, plate.charge_w)
        if share_pct > self.max_power_pct:
            yield f"{telemetry.power_w:g} W are {share_pct:.0f} % of the rating"
        if telemetry.local_control:
            yield "the device is under local control"
        if telemetry.alarms:
            yield f"the device raises alarms, bits {sorted(telemetry.alarms)}"
        if telemetry.inputs:
            yield f"safety input active: {', '.join(sorted(telemetry.inputs))}"
        yield from self._grid_troubles(plate, telemetry)
        for place, value_c in telemetry.temperatures_c.items():
            if value_c > self.max_temperature_c:
                yield f"{value_c:g} degC at the {place}"
        yield from self._battery_troubles(telemetry)

    def _grid_troubles(self, plate: Nameplate, telemetry: Telemetry) -> Iterator[str]:
        if telemetry.voltage_v is not None and plate.v_nom_v:
            share_pct = 100.0 * telemetry.voltage_v / plate.v_nom_v
            if not self.min_voltage_pct <= share_pct <= self.max_voltage_pct:
                yield f"{telemetry.voltage_v:g} V are {share_pct:.0f} % of the nominal voltage"
        if telemetry.frequency_hz is not None:
            nominal_hz = self.nominal_hz or (60.0 if telemetry.frequency_hz > 55.0 else 50.0)
            if abs(telemetry.frequency_hz - nominal_hz) > self.band_hz:
                yield f"{telemetry.frequency_hz:g} Hz"

    def _battery_troubles(self, telemetry: Telemetry) -> Iterator[str]:
        if telemetry.soc_pct is not None and not self.min_soc_pct <= telemetry.soc_pct <= self.max_soc_pct:
            yield (
                f"SoC {telemetry.soc_pct:g} % is outside {self.min_soc_pct:g} to {self.max_soc_pct:g} %, "
                "where a test may move power"
            )
        if isinstance(telemetry.battery, Fault):
            yield f"BMS: {telemetry.battery.detail}"
        if isinstance(telemetry.battery, BatteryState) and telemetry.battery.alarms:
            yield f"BMS alarm: {', '.join(sorted(telemetry.battery.alarms))}"
