"""An observer over Modbus: reads what a SunSpec device does from its own registers, beside the client.

pysunspec2 finds and decodes the models (it blocks, so that it works in a thread). Model 701 tells what is
measured, 704 to 712 what is set; on older devices 101 to 103 and 123. Nothing is written.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP
from sunspec2.modbus.modbus import ModbusClientError

from conformance_tests.client.observer import Observation
from conformance_tests.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TIMEOUT_S: Final = 5.0
MEASURED: Final = (701, 103, 102, 101)
CURVES: Final[Mapping[int, tuple[str, ...]]] = {
    705: ("opModVoltVar",),
    706: ("opModVoltWatt",),
    707: ("opModLVRTMustTrip", "opModLVRTMomentaryCessation"),
    708: ("opModHVRTMustTrip", "opModHVRTMomentaryCessation"),
    709: ("opModLFRTMustTrip",),
    710: ("opModHFRTMustTrip",),
    711: ("opModFreqDroop",),
    712: ("opModWattVar",),
}
"""Models whose `Ena` says that a curve is in force, with the modes that lead to it."""
SWITCHED: Final[Mapping[str, tuple[int, str, str]]] = {
    "opModMaxLimW": (704, "WMaxLimPctEna", "WMaxLimPct"),
    "opModFixedPFInjectW": (704, "PFWInjEna", "PFWInj.PF"),
}
"""Where the value of a mode is, and the point that switches it: model, switch, value."""
OLDER: Final[Mapping[str, tuple[int, str, str]]] = {
    "opModMaxLimW": (123, "WMaxLim_Ena", "WMaxLimPct"),
    "opModFixedPFInjectW": (123, "OutPFSet_Ena", "OutPFSet"),
}
WATTS: Final = 1
"""WSetMod: WSet holds, in watts; else WSetPct, in percent of WMax."""


class ModbusObserver:
    """Watches SunSpec devices over Modbus TCP: where each is, by LFDI of its EndDevice; "" is any other."""

    def __init__(self, places: Mapping[str, tuple[str, int, int]]) -> None:
        """`places` are host, port and unit."""
        self._places = {lfdi.upper(): place for lfdi, place in places.items()}

    async def observe(self, lfdi: str) -> Observation:
        """What the registers say now. TargetError where they cannot be read."""
        place = self._places.get(lfdi.upper()) or self._places.get("")
        if place is None:
            return Observation()
        try:
            return await asyncio.to_thread(_looked, *place)
        except (ModbusClientError, OSError, ValueError) as flaw:
            raise TargetError(f"the device at {place[0]}:{place[1]} unit {place[2]}: {flaw}") from flaw

    async def confirm(self, lfdi: str, question: str) -> bool | None:
        """Registers answer no questions."""
        del lfdi, question
        return None

    async def cause(self, lfdi: str, what: str) -> bool:
        """Nothing is written to a device."""
        del lfdi, what
        return False


def _looked(host: str, port: int, unit: int) -> Observation:
    device: Any = SunSpecModbusClientDeviceTCP(unit, ipaddr=host, ipport=port, timeout=TIMEOUT_S)
    try:
        device.scan()
        return observation(lambda model, point: _value(device, model, point))
    finally:
        device.disconnect()


def observation(read: Callable[[int, str], float | None]) -> Observation:
    """What a device does, by the points of its models; `read` gives one, None where there is none."""
    model = next((one for one in MEASURED if read(one, "W") is not None), MEASURED[0])
    is_new = model == MEASURED[0]
    state = read(701, "ConnSt") if is_new else read(123, "Conn")
    on = read(703, "ES") if is_new else state
    factor = read(model, "PF")
    return Observation(
        power_w=read(model, "W"),
        reactive_var=read(model, "Var" if is_new else "VAr"),
        power_factor=None if factor is None else abs(factor),
        is_connected=None if state is None else bool(state),
        is_energized=None if on is None else bool(on),
        settings={**_settings(SWITCHED if is_new else OLDER, read), **_set_power(read), **_curves(read)},
    )


def _settings(
    table: Mapping[str, tuple[int, str, str]], read: Callable[[int, str], float | None]
) -> dict[str, float]:
    found = {
        mode: read(model, value) for mode, (model, switch, value) in table.items() if read(model, switch)
    }
    return {mode: abs(value) for mode, value in found.items() if value is not None}


def _set_power(read: Callable[[int, str], float | None]) -> dict[str, float]:
    """The set power, in percent of WMax and in watts, as far as WMax is known."""
    is_in_watts = read(704, "WSetMod") == WATTS
    value = read(704, "WSet" if is_in_watts else "WSetPct") if read(704, "WSetEna") else None
    if value is None:
        return {}
    found = {"opModTargetW" if is_in_watts else "opModFixedW": value}
    most_w = read(702, "WMax")
    if most_w:
        found |= (
            {"opModFixedW": 100 * value / most_w} if is_in_watts else {"opModTargetW": value * most_w / 100}
        )
    return found


def _curves(read: Callable[[int, str], float | None]) -> dict[str, float]:
    return {mode: 1.0 for model, modes in CURVES.items() if read(model, "Ena") for mode in modes}


def _value(device: Any, model: int, point: str) -> float | None:  # noqa: ANN401  pysunspec2 has no types
    """A point's value in its unit; `PFWInj.PF` is one inside a group."""
    found = (device.models.get(model) or [None])[0]
    for name in point.split("."):
        if found is None:
            return None
        found = getattr(found, name, None)
    value = getattr(found, "cvalue", None)
    return None if value is None else float(value)
