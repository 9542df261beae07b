"""The energy in a battery, by what its BMS or its inverter says of it. Pure."""

import math

from der_client.device import BatteryState, Nameplate, Telemetry


def soc_pct_of(telemetry: Telemetry) -> float | None:
    """State of charge by the BMS, else by the device, %; None where it is no number."""
    battery = telemetry.battery
    soc_pct = battery.soc_pct if isinstance(battery, BatteryState) else telemetry.soc_pct
    return soc_pct if soc_pct is not None and math.isfinite(soc_pct) else None


def usable_wh_of(telemetry: Telemetry, nameplate: Nameplate) -> float | None:
    """What storage holds when it is full, in its present health, Wh; None for what is no storage."""
    if not nameplate.is_storage or not nameplate.capacity_wh:
        return None
    return nameplate.capacity_wh * _health(telemetry)


def stored_wh_of(telemetry: Telemetry, nameplate: Nameplate) -> float | None:
    """What storage holds now, Wh; None where that is not known."""
    soc_pct, usable_wh = soc_pct_of(telemetry), usable_wh_of(telemetry, nameplate)
    return None if soc_pct is None or usable_wh is None else soc_pct / 100.0 * usable_wh


def _health(telemetry: Telemetry) -> float:
    """State of health as a share; 1 where it is not known."""
    battery = telemetry.battery
    soh_pct = battery.soh_pct if isinstance(battery, BatteryState) else telemetry.soh_pct
    return soh_pct / 100.0 if soh_pct is not None and 0 < soh_pct <= 100 else 1.0
