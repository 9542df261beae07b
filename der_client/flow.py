"""The energy that storage gave and took, and how much of a granted flow reservation it has used. Pure.

IEEE 2030.5-2018, 21: energyAvailable is positive for charging.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from der_client.device_view import DeviceView

GAP_S: Final = 60.0
"""The longest time between two readings over which power alone is taken for energy."""
SECONDS: Final = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """One reading of one storage device: when, local, s, its power and its counters."""

    at_s: float
    power_w: float
    injected_wh: float | None
    absorbed_wh: float | None

    def given_wh(self, later: "_Seen") -> float:
        """What was given until a later reading, Wh, negative where taken: by counters, else by power."""
        counters = (self.injected_wh, self.absorbed_wh, later.injected_wh, later.absorbed_wh)
        if None not in counters:
            given, taken, given_later, taken_later = (value or 0.0 for value in counters)
            if given_later >= given and taken_later >= taken:
                return (given_later - given) - (taken_later - taken)
        return self.power_w * min(max(0.0, later.at_s - self.at_s), GAP_S) / SECONDS


class StorageFlow:
    """What the storage of one EndDevice gave since the start, Wh, negative where it took."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self._given_wh = 0.0

    def after(self, views: Iterable[DeviceView]) -> float | None:
        """What was given until the readings of these devices, Wh; None while no storage was read."""
        for view in views:
            reading, plate = view.telemetry, view.nameplate
            if reading is None or plate is None or not plate.is_storage:
                continue
            seen = _Seen(
                at_s=view.at_s,
                power_w=reading.power_w,
                injected_wh=reading.injected_wh,
                absorbed_wh=reading.absorbed_wh,
            )
            former = self._seen.get(view.name)
            if former is None or seen.at_s > former.at_s:
                self._given_wh += 0.0 if former is None else former.given_wh(seen)
                self._seen[view.name] = seen
        return self._given_wh if self._seen else None


def drawn_w_of(views: Iterable[DeviceView]) -> float | None:
    """What storage takes in by its readings, W; None while none was read."""
    drawn_w = [
        max(0.0, -view.telemetry.power_w)
        for view in views
        if view.telemetry is not None and view.nameplate is not None and view.nameplate.is_storage
    ]
    return sum(drawn_w) if drawn_w else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A reservation that runs: its mRID and its energy, Wh, positive to charge."""

    mrid: str
    energy_wh: float


class UsedEnergy:
    """How much of each granted reservation has flown, Wh, by mRID."""

    def __init__(self, used_wh: Mapping[str, float] | None = None) -> None:
        self.used_wh: dict[str, float] = dict(used_wh or {})
        self.running: Grant | None = None
        self._counted: tuple[str, float] | None = None

    def after(self, given_wh: float | None) -> bool:
        """Count what storage gave until now towards the one that runs; True once all of it has flown.

        What flowed while none ran, or another one, is not counted.
        """
        grant, former = self.running, self._counted
        self._counted = None if grant is None or given_wh is None else (grant.mrid, given_wh)
        if grant is None or given_wh is None or former is None or former[0] != grant.mrid:
            return False
        flown_wh = former[1] - given_wh if grant.energy_wh > 0 else given_wh - former[1]
        before_wh = self.used_wh.get(grant.mrid, 0.0)
        self.used_wh[grant.mrid] = before_wh + max(0.0, flown_wh)
        return before_wh < abs(grant.energy_wh) <= self.used_wh[grant.mrid]

    def is_metered(self, mrid: str) -> bool:
        """True if it is known how much of a reservation has flown."""
        return mrid in self.used_wh

    def is_spent(self, grant: Grant) -> bool:
        """True if all the energy of a reservation has flown."""
        return self.used_wh.get(grant.mrid, 0.0) >= abs(grant.energy_wh)

    def forget(self, listed: Collection[str]) -> None:
        """Keep only what is still offered."""
        self.used_wh = {mrid: used for mrid, used in self.used_wh.items() if mrid in listed}


def used_text(used_wh: Mapping[str, float]) -> str:
    """Used energies as a text for a restart."""
    return json.dumps({mrid: round(used, 3) for mrid, used in used_wh.items()})


def used_from(text: str | None) -> dict[str, float]:
    """Used energies of a text that `used_text` made; none for no text."""
    return {str(mrid): float(used) for mrid, used in json.loads(text or "{}").items()}
