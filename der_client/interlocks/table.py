"""All interlocks of a set of rules, in groups that are looked at together. Pure.

Numbers are those of the published list of BESS interlocks. 24 and 25 (ramps, dead band, pauses) are rules of
the way from a wish to a setpoint and no rows: see `der_client.power_path`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from der_client.interlocks import (
    battery_link,
    cells,
    charge_state,
    communication,
    current,
    grid,
    inverter,
    site,
    temperatures,
)
from der_client.interlocks.row import IDLE, Gradual, Held, Interlock, advanced, is_bad
from der_client.interlocks.rules import SafetyRules
from der_client.interlocks.situation import Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Interlocks of one subject; where `has_data` is false none of them is looked at and each stays as it is.

    `is_of_reading` is false for what is known while the device is silent, `is_of_bms` true for what a BMS on
    a bus of its own says also then.
    """

    name: str
    has_data: Callable[[Situation], bool]
    interlocks: tuple[Interlock, ...]
    graduals: tuple[Gradual, ...] = ()
    is_of_reading: bool = True
    is_of_bms: bool = False

    def is_known(self, situation: Situation, *, with_reading: bool) -> bool:
        """True where these interlocks can be looked at."""
        is_told = with_reading or not self.is_of_reading or (self.is_of_bms and situation.battery is not None)
        return is_told and self.has_data(situation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The interlocks of one set of rules."""

    rules: SafetyRules
    groups: tuple[Group, ...]
    by_name: Mapping[str, Interlock] = field(default_factory=dict)

    def advanced(
        self, held: Mapping[str, Held], situation: Situation, now: float, *, with_reading: bool = True
    ) -> dict[str, Held]:
        """States of all interlocks that are not idle, by name, at `now`, monotonic, s."""
        fresh: dict[str, Held] = {}
        for group in self.groups:
            if group.is_known(situation, with_reading=with_reading):
                for row in group.interlocks:
                    former = held.get(row.name) if held else None
                    if former is None and not is_bad(row, row.measure(situation)):
                        continue
                    state = advanced(row, former or IDLE, situation, now)
                    if state is not IDLE:
                        fresh[row.name] = state
            elif held:
                kept = {row.name: held[row.name] for row in group.interlocks if row.name in held}
                fresh |= {name: state for name, state in kept.items() if state.is_tripped}
        return fresh

    def tripped(self, held: Mapping[str, Held]) -> tuple[Interlock, ...]:
        """The interlocks that hold, in the order of the table."""
        if not held:
            return ()
        return tuple(row for name, row in self.by_name.items() if name in held and held[name].is_tripped)

    def deratings(self, situation: Situation) -> tuple[tuple[Gradual, float], ...]:
        """What takes power away gradually now, and the share that it leaves."""
        found = []
        for group in self.groups:
            if group.graduals and group.has_data(situation):
                for row in group.graduals:
                    share = row.share(situation)
                    if share is not None and share < 1.0:
                        found.append((row, share))
        return tuple(found)


@cache
def interlocks(rules: SafetyRules) -> Table:
    """The table for these rules."""
    battery, grid_rows = battery_link.interlocks(rules), grid.interlocks(rules)
    groups = (
        Group(
            name="cells",
            has_data=cells.has_cells,
            interlocks=cells.interlocks(rules),
            graduals=cells.graduals(rules),
            is_of_bms=True,
        ),
        Group(
            name="temperatures",
            has_data=temperatures.has_temperatures,
            interlocks=temperatures.interlocks(rules),
            graduals=temperatures.graduals(rules),
            is_of_bms=True,
        ),
        Group(
            name="current",
            has_data=temperatures.has_battery,
            interlocks=current.interlocks(rules),
            is_of_bms=True,
        ),
        Group(
            name="state of charge",
            has_data=charge_state.has_soc,
            interlocks=charge_state.interlocks(rules),
            graduals=charge_state.graduals(rules),
            is_of_bms=True,
        ),
        Group(name="battery", has_data=battery_link.has_bms, interlocks=battery, is_of_bms=True),
        Group(
            name="communication",
            has_data=communication.always,
            interlocks=communication.interlocks(rules),
            is_of_reading=False,
        ),
        Group(name="grid", has_data=grid.has_grid, interlocks=grid_rows),
        Group(name="permissions", has_data=communication.always, interlocks=grid.permissions(rules)),
        Group(name="site", has_data=site.always, interlocks=site.interlocks(rules), is_of_reading=False),
        Group(
            name="device",
            has_data=inverter.always,
            interlocks=inverter.interlocks(rules),
            graduals=inverter.graduals(rules),
        ),
    )
    rows = sorted((row for group in groups for row in group.interlocks), key=lambda row: row.number)
    return Table(rules=rules, groups=groups, by_name={row.name: row for row in rows})
