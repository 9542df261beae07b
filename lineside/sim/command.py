"""What a running simulation is told, one line of JSON each, and what it answers. No IO.

{"fault": "late=2@battery"}  {"clear": "all"}  {"grid": {"per_unit": 0.8, "hertz": 59.5}}
{"grid": {"phases": [1.0, 0.86, 1.0]}}  {"island": true}  {"plug": 40}  {"unplug": true}  {"flexible": 0.3}
{"status": true}
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lineside.sim.faults import SimFaultError, switch_off, switch_on
from lineside.sim.options import HERTZ, PER_UNIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from der_client.physics.ev import ElectricVehicle
    from lineside.sim.rig import Rig


PER_CENT = (0.0, 100.0)


class CommandError(Exception):
    """A line that says nothing that the simulation can do."""


def answer_line(rig: Rig, line: str) -> str:
    """Do what a line says; one line of JSON: `ok`, and the status where it was asked for, or `error`."""
    try:
        answer = {"ok": True, **_do(rig, json.loads(line))}
    except (
        ValueError,
        OverflowError,
        RecursionError,
        CommandError,
        SimFaultError,
    ) as flaw:  # ValueError: no JSON
        answer = {"ok": False, "error": str(flaw)}
    return json.dumps(answer)


def _do(rig: Rig, told: object) -> dict[str, object]:
    if not isinstance(told, dict) or not told:
        raise CommandError("a line is an object of JSON")
    answer: dict[str, object] = {}
    for verb, value in told.items():
        if verb not in VERBS:
            raise CommandError(f"{verb}: there are {', '.join(VERBS)}")
        answer |= VERBS[verb](rig, value)
    return answer


def _fault(rig: Rig, value: object) -> dict[str, object]:
    switch_on(rig, str(value))
    return {}


def _clear(rig: Rig, value: object) -> dict[str, object]:
    switch_off(rig, str(value))
    return {}


def _grid(rig: Rig, value: object) -> dict[str, object]:
    if not isinstance(value, dict) or not value.keys() <= {"per_unit", "hertz", "phases"}:
        raise CommandError("grid has per_unit, hertz and phases")
    if "phases" in value:
        if len(value) > 1:
            raise CommandError("grid: phases stand alone, their mean is the voltage")
        rig.set_phases(_phases(value["phases"]))
        return {}
    nominal = next((d.inverter.settings.nominal_hz for d in rig.devices.values() if d.inverter), 60.0)
    rig.set_grid(_within(value.get("per_unit", 1.0), PER_UNIT), _within(value.get("hertz", nominal), HERTZ))
    return {}


def _phases(value: object) -> list[float]:
    if not isinstance(value, list) or len(value) not in {2, 3}:
        raise CommandError("grid.phases: two or three voltages per unit are wanted")
    return [_within(one, PER_UNIT) for one in value]


def _island(rig: Rig, value: object) -> dict[str, object]:
    if not isinstance(value, bool):
        raise CommandError("island: true or false is wanted")
    rig.set_island(is_island=value)
    return {}


def _plug(rig: Rig, value: object) -> dict[str, object]:
    for car in _cars(rig):
        car.plug(None if value is True else _within(value, PER_CENT))
    return {}


def _unplug(rig: Rig, _value: object) -> dict[str, object]:
    for car in _cars(rig):
        car.unplug()
    return {}


def _flexible(rig: Rig, value: object) -> dict[str, object]:
    share = _number(value)
    if rig.site is None or rig.site.household is None:
        raise CommandError("there is no household")
    if not 0.0 <= share <= 1.0:
        raise CommandError(f"{share}: a share is from 0 to 1")
    rig.site.flexible_share = share
    return {}


def _status(rig: Rig, _value: object) -> dict[str, object]:
    return rig.status()


VERBS: dict[str, Callable[[Rig, object], dict[str, object]]] = {
    "fault": _fault,
    "clear": _clear,
    "grid": _grid,
    "island": _island,
    "plug": _plug,
    "unplug": _unplug,
    "flexible": _flexible,
    "status": _status,
}


def _cars(rig: Rig) -> list[ElectricVehicle]:
    cars = [device.car for device in rig.devices.values() if device.car is not None]
    if not cars:
        raise CommandError("there is no car")
    return cars


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CommandError(f"{value}: not a number")
    return float(value)


def _within(value: object, bounds: tuple[float, float]) -> float:
    number, (low, high) = _number(value), bounds
    if not low <= number <= high:
        raise CommandError(f"{value}: a number from {low:g} to {high:g} is wanted")
    return number
