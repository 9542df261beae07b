"""The adopt procedure of the curve models 705 to 712, and their reversion to another curve.

A client writes a set that is not read-only, then its number to AdptCrvReq; the set becomes set 1, which is
what acts. SunSpec models 705 to 712, AdptCrvReq, AdptCrvRslt, RvrtTms, RvrtCrv.
"""

import itertools
import math

from der_client.sunspec.model import Model
from der_client.sunspec.simulator.bank import put

ADOPTS_IN_S = 0.5
IN_PROGRESS, COMPLETED, FAILED = 0, 1, 2
TRIP_MODELS = frozenset({707, 708, 709, 710})
RISING_MODELS = {705: "V", 706: "V", 712: "W"}


class Adoption:
    """Adoption and reversion of one curve model. `is_stuck` and `fails` are faults."""

    def __init__(self, model: Model, nominal_hz: float) -> None:
        self.model = model
        self.is_stuck = False
        self.fails = False
        self._nominal_hz = nominal_hz
        self._group = "Ctl" if model.model_id == 711 else "Crv"
        self._wanted = 0
        self._adopts_at = self._reverts_at = math.inf

    def written(self, names: tuple[str, ...], now: float) -> None:
        """Points (`705.AdptCrvReq`) were written at `now`."""
        prefix = f"{self.model.model_id}."
        if not any(name.startswith(prefix) for name in names):
            return
        if f"{prefix}Adpt{self._group}Req" in names:
            self._request(now)
        if self.model.point("RvrtTms") is not None:
            after_s = self.model.integer("RvrtTms") or 0
            runs = self.model.integer("Ena") == 1 and after_s > 0
            self._reverts_at = now + after_s if runs else math.inf
            put(self.model, "RvrtRem", after_s if runs else 0)

    def next_at(self) -> float:
        """When something happens by time alone."""
        return min(self._adopts_at, self._reverts_at)

    def step(self, now: float) -> bool:
        """Do what is due; true if another curve acts now."""
        changed = False
        if now >= self._adopts_at:
            changed = self._finish()
        if self._reverts_at < math.inf:
            put(self.model, "RvrtRem", max(0, math.ceil(self._reverts_at - now)))
        if now >= self._reverts_at:
            self._reverts_at = math.inf
            changed = self._adopt(self.model.integer(f"Rvrt{self._group}") or 0) or changed
        return changed

    def _request(self, now: float) -> None:
        self._wanted = self.model.integer(f"Adpt{self._group}Req") or 0
        if self._wanted:
            put(self.model, f"Adpt{self._group}Rslt", IN_PROGRESS)
            self._adopts_at = math.inf if self.is_stuck else now + ADOPTS_IN_S

    def _finish(self) -> bool:
        self._adopts_at = math.inf
        done = not self.fails and self._adopt(self._wanted)
        put(self.model, f"Adpt{self._group}Rslt", COMPLETED if done else FAILED)
        return done

    def _adopt(self, number: int) -> bool:
        """Make a set the active one; false for one that cannot act."""
        source = self._span(number - 1)
        if source is None or not self._is_sound(number - 1):
            return False
        target = self._span(0)
        if target is None:
            return False
        words = list(self.model.words[source[0] : source[1]])
        read_only = self.model.point(f"{self._group}[0].ReadOnly")
        if read_only is not None:
            words[read_only.offset - target[0]] = 1
        self.model.update(target[0], words)
        return True

    def _span(self, index: int) -> tuple[int, int] | None:
        """First and last offset of a set."""
        prefix = f"{self._group}[{index}]."
        points = self.model.layout.points if self.model.layout else ()
        inside = [point for point in points if point.name.startswith(prefix)]
        return (inside[0].offset, inside[-1].end) if inside else None

    def _is_sound(self, index: int) -> bool:
        """Whether a set can act: its points exist, rise, and do not trip at the nominal grid."""
        prefix = f"{self._group}[{index}]."
        if self.model.model_id in TRIP_MODELS:
            names = ("MustTrip", "MayTrip", "MomCess")
            return all(self._is_sound_trip(f"{prefix}{name}.") for name in names)
        axis = RISING_MODELS.get(self.model.model_id)
        if axis is None:
            return True
        active = self.model.integer(prefix + "ActPt") or 0
        if not 1 <= active <= (self.model.integer("NPt") or 0):
            return False
        xs = [self.model.number(f"{prefix}Pt[{i}].{axis}") or 0.0 for i in range(active)]
        return all(a < b for a, b in itertools.pairwise(xs))

    def _is_sound_trip(self, prefix: str) -> bool:
        active = self.model.integer(prefix + "ActPt") or 0
        if active > (self.model.integer("NPt") or 0):
            return False
        is_voltage = self.model.model_id in {707, 708}
        axis, nominal = ("V", 100.0) if is_voltage else ("Hz", self._nominal_hz)
        values = [self.model.number(f"{prefix}Pt[{i}].{axis}") or 0.0 for i in range(active)]
        is_high = self.model.model_id in {708, 710}
        return all(value > nominal if is_high else value < nominal for value in values)
