"""The DC inputs of an inverter with several trackers, in a reading. Pure. SunSpec model 160."""

from collections.abc import Iterator
from typing import Final

from der_client.device import DcInput
from der_client.sunspec.model import DeviceMap, Model

GROUND_FAULT: Final = 1
FAULT: Final = 7
"""DCSt of a module at fault."""


def dc_inputs_of(device_map: DeviceMap) -> tuple[DcInput, ...]:
    """The inputs that an inverter tells of, in their order; hybrids count their battery among them."""
    return tuple(one for model in device_map.all(160) for one in _inputs(model))


def _inputs(model: Model) -> Iterator[DcInput]:
    number = 0
    while model.point(f"module[{number}].ID") is not None:
        module = f"module[{number}]"
        events = model.integer(f"{module}.DCEvt") or 0
        said = model.integer(f"{module}.ID")
        yield DcInput(
            name=model.text(f"{module}.IDStr") or f"input {said if said is not None else number + 1}",
            power_w=model.number(f"{module}.DCW"),
            voltage_v=model.number(f"{module}.DCV"),
            current_a=model.number(f"{module}.DCA"),
            energy_wh=model.number(f"{module}.DCWH"),
            temperature_c=model.number(f"{module}.Tmp"),
            has_fault=model.integer(f"{module}.DCSt") == FAULT,
            has_ground_fault=bool(events & GROUND_FAULT),
        )
        number += 1
