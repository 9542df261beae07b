"""Energy counters that jump: a sample that no device of its rating can have counted is dropped. No clock.

Some devices show trillions of watt-hours for a moment at start-up, some start again from nothing.
"""

from dataclasses import dataclass, replace

from der_client.device import SiteReading, Telemetry

SLACK = 1.2
LIFE_H = 40 * 365 * 24
COARSE_WH = 1_000.0
AGREE_AFTER = 5
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class _Seen:
    """A counter that is believed, and one that contradicts it with how often it agreed with itself."""

    value: float
    at_s: float
    other: float | None = None
    other_s: float = 0.0
    agreed: int = 0


class EnergyWatch:
    """Believes a counter that moves as the rating allows; one that jumped, once it goes on from there."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def telemetry(self, reading: Telemetry, max_w: float, now_s: float) -> Telemetry:
        """The reading without the counters that cannot be."""
        return replace(
            reading,
            injected_wh=self.checked("injected", reading.injected_wh, max_w, now_s),
            absorbed_wh=self.checked("absorbed", reading.absorbed_wh, max_w, now_s),
        )

    def site(self, reading: SiteReading, max_w: float, now_s: float) -> SiteReading:
        """The reading of a meter without the counters that cannot be."""
        return replace(
            reading,
            exported_wh=self.checked("exported", reading.exported_wh, max_w, now_s),
            imported_wh=self.checked("imported", reading.imported_wh, max_w, now_s),
        )

    def checked(self, name: str, value: float | None, max_w: float, now_s: float) -> float | None:
        """The counter of that name, Wh, or `None` where it cannot be.

        The first one is believed if a device could have counted it in its life.
        """
        if value is None:
            return None
        seen = self._seen.get(name)
        if seen is None:
            first_is_fine = 0 <= value <= max_w * LIFE_H
            self._seen[name] = _Seen(value, now_s) if first_is_fine else _Seen(0.0, now_s, value, now_s, 1)
            return value if first_is_fine else None
        if _follows(value, seen.value, max_w, now_s - seen.at_s):
            self._seen[name] = _Seen(value, now_s)
            return value
        return self._contradicted(name, seen, value, max_w, now_s)

    def _contradicted(self, name: str, seen: _Seen, value: float, max_w: float, now_s: float) -> float | None:
        """Count how long a counter goes on from where it jumped to; in the end it is a new counter."""
        goes_on = seen.other is not None and _follows(value, seen.other, max_w, now_s - seen.other_s)
        agreed = seen.agreed + 1 if goes_on else 1
        if agreed >= AGREE_AFTER and value <= max_w * LIFE_H:
            self._seen[name] = _Seen(value, now_s)
            return value
        self._seen[name] = replace(seen, other=value, other_s=now_s, agreed=agreed)
        return None


def _follows(value: float, former: float, max_w: float, elapsed_s: float) -> bool:
    """True if a counter can have gone from one value to the other; it may count in thousands."""
    return 0 <= value - former <= SLACK * max_w * elapsed_s / HOUR_S + COARSE_WH
