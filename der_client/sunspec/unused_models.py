"""Models that are recognised and not used, with the reason; and what of them may get in the way. Pure."""

from collections.abc import Mapping
from typing import Final

from der_client.sunspec.model import DeviceMap

UNUSED: Final[Mapping[int, str]] = {
    125: "a price told to the device: the client follows prices itself, by the power of storage",
    128: "dynamic reactive current: no mode of IEEE 2030.5-2018 asks for it (702.CtrlModes bit 6 neither)",
    133: "schedules in the device: the client carries out events at their times and writes no schedule; one "
    "that is active is told in the log, because it may go against what is asked",
    143: "momentary cessation at low frequency (139 for voltage): IEEE 2030.5-2018 has voltage alone",
    144: "momentary cessation at high frequency (140 for voltage): IEEE 2030.5-2018 has voltage alone",
    145: "ramp rates in percent of the largest current: setGradW is percent of setMaxW and goes to 121.WGra",
}


def own_schedule(device_map: DeviceMap) -> str | None:
    """Which schedules of its own the device follows, in words; None where it follows none. Model 133."""
    schedules = device_map.first(133)
    if schedules is None or not (schedules.integer("ModEna") or 0) & 1:
        return None
    active = schedules.integer("ActSchd") or 0
    numbers = [str(bit + 1) for bit in range(32) if active >> bit & 1]
    return f"schedule {', '.join(numbers)} of its own (model 133)" if numbers else None
