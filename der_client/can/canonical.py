"""The names under which the client knows a battery, whatever its BMS calls them; units and ranges.

A profile maps these names to signals of a DBC. Current is positive while discharging.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """Unit and range of one canonical value; a sample outside `low`..`high` is dropped.

    `is_needed` names must be in every profile (as a signal or a constant): a BatteryState cannot do
    without them. `is_flag` values are 0 or 1.
    """

    unit: str = ""
    low: float = 0.0
    high: float
    is_needed: bool = False
    is_flag: bool = False


def _flag() -> Quantity:
    return Quantity(high=1.0, is_flag=True)


CANONICAL: Mapping[str, Quantity] = MappingProxyType({
    "voltage": Quantity(unit="V", low=1.0, high=2000.0, is_needed=True),
    "current": Quantity(unit="A", low=-5000.0, high=5000.0, is_needed=True),
    "soc": Quantity(unit="%", high=100.0, is_needed=True),
    "soh": Quantity(unit="%", low=1.0, high=100.0, is_needed=True),
    "temp": Quantity(unit="degC", low=-60.0, high=150.0, is_needed=True),
    "ccl": Quantity(unit="A", low=-5000.0, high=5000.0, is_needed=True),
    "dcl": Quantity(unit="A", low=-5000.0, high=5000.0, is_needed=True),
    "cvl": Quantity(unit="V", low=1.0, high=2000.0, is_needed=True),
    "dvl": Quantity(unit="V", high=2000.0),
    "cell_v_min": Quantity(unit="V", high=10.0),
    "cell_v_max": Quantity(unit="V", high=10.0),
    "cell_t_min": Quantity(unit="degC", low=-60.0, high=150.0),
    "cell_t_max": Quantity(unit="degC", low=-60.0, high=150.0),
    "capacity": Quantity(unit="Ah", high=65000.0),
    "available_capacity": Quantity(unit="Ah", high=65000.0),
    "modules": Quantity(high=65000.0),
    "modules_blocking_charge": Quantity(high=65000.0),
    "modules_blocking_discharge": Quantity(high=65000.0),
    "modules_offline": Quantity(high=65000.0),
    "cycles": Quantity(high=65535.0),
    "error": Quantity(high=65535.0),
    "chemistry": Quantity(high=65535.0),
    "hardware_major": Quantity(high=255.0),
    "hardware_minor": Quantity(high=255.0),
    "firmware": Quantity(high=65535.0),
    "heartbeat": Quantity(high=4294967295.0),
    "charge_enable": _flag(),
    "discharge_enable": _flag(),
    "force_charge": _flag(),
    "force_charge_2": _flag(),
    "full_charge": _flag(),
    "contactor": _flag(),
})  # fmt: skip

NEEDED = frozenset(name for name, quantity in CANONICAL.items() if quantity.is_needed)
DETAILS = (
    "capacity", "available_capacity", "modules", "modules_blocking_charge", "modules_blocking_discharge",
    "modules_offline", "cycles", "error", "chemistry", "hardware_major", "hardware_minor", "firmware",
)  # fmt: skip
"""What a technician wants to see and no limit depends on."""
STATUS = MappingProxyType(
    {"voltage": "V", "current": "A", "temp": "degC", "soc": "%", "soh": "%", "cvl": "V"}
)
TEXTS = frozenset(
    {"manufacturer", "model", "cell_v_min_id", "cell_v_max_id", "cell_t_min_id", "cell_t_max_id"}
)
