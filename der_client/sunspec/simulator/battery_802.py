"""Model 802: the battery bank behind a simulated inverter. Current is positive out of the battery."""

from collections.abc import Mapping

from der_client.physics.pack import Pack
from der_client.sunspec.model import Model
from der_client.sunspec.simulator.bank import put

DISCONNECT = 2
DISCONNECTED, CONNECTED, SOC_PROTECTION, FAULT = 1, 3, 5, 99
EMPTY, DISCHARGING, CHARGING, FULL, HOLDING = 2, 3, 4, 5, 6
RESTS_BELOW_A = 0.5
HEARTBEAT_END = 0xFFFF
EVENTS: Mapping[str, tuple[int, int]] = {
    "high_temperature": (1, 2),
    "low_temperature": (3, 4),
    "high_charge_current": (5, 6),
    "high_current": (7, 8),
    "high_voltage": (9, 10),
    "low_voltage": (11, 12),
    "contactor": (20, 20),
}
"""Bits of Evt1 for an alarm and for its warning."""
OTHER = (25, 26)
IMBALANCE = (25, 17)


class Battery802:
    """The registers of one battery bank; without model or pack it does nothing."""

    def __init__(self, model: Model | None, pack: Pack | None) -> None:
        self._model = model
        self._pack = pack

    def written(self, names: tuple[str, ...]) -> None:
        """Points were written: connect, disconnect, and the reset of alarms, which falls back."""
        if self._model is None or self._pack is None:
            return
        if "802.SetOp" in names:
            self._pack.is_released = self._model.integer("SetOp") == DISCONNECT
        if "802.AlmRst" in names:
            put(self._model, "AlmRst", 0)

    def show(self, seconds: float, *, is_frozen: bool) -> None:
        """Set what is measured; `seconds` is how long the device's application has run.

        A frozen heartbeat stays as it is.
        """
        model, pack = self._model, self._pack
        if model is None or pack is None:
            return
        if not is_frozen:
            put(model, "Hb", int(seconds) % HEARTBEAT_END)
        lowest_v, highest_v = pack.cell_voltages_v
        current_a = pack.current_a if pack.contactor_closed else 0.0
        readings: dict[str, float | int] = {
            "AHRtg": pack.settings.capacity_ah,
            "SoC": pack.soc_pct,
            "SoH": pack.settings.soh_pct,
            "V": pack.voltage_v,
            "VMax": pack.cvl_v,
            "VMin": pack.dvl_v,
            "CellVMax": highest_v,
            "CellVMin": max(0.0, lowest_v),
            "A": current_a,
            "W": current_a * pack.voltage_v,
            "AChaMax": pack.ccl_a,
            "ADisChaMax": pack.dcl_a,
            "ChaSt": _charge_state(pack, current_a),
            "State": _state(pack),
            "Evt1": _events(pack),
        }
        for name, value in readings.items():
            put(model, name, value)


def _charge_state(pack: Pack, current_a: float) -> int:
    if abs(current_a) > RESTS_BELOW_A:
        return DISCHARGING if current_a > 0 else CHARGING
    if 0.0 < pack.soc_pct < 100.0:
        return HOLDING
    return FULL if pack.soc_pct >= 100.0 else EMPTY


def _state(pack: Pack) -> int:
    if pack.alarms:
        return FAULT
    if not pack.contactor_closed:
        return DISCONNECTED
    return CONNECTED if pack.ccl_a > 0 and pack.dcl_a > 0 else SOC_PROTECTION


def _events(pack: Pack) -> int:
    bits = 0
    for position, names in enumerate((pack.alarms, pack.warnings)):
        for name in names:
            table = IMBALANCE if name == "cell_imbalance" else EVENTS.get(name, OTHER)
            bits |= 1 << table[position]
    return bits
