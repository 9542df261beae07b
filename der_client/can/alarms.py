"""Alarms and warnings that arrive and leave, in one bit or in two (SMA). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .mapping import AlarmCoding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .mapping import AlarmMapping
    from .plan import Source

ARRIVED = 1
LEFT = 2


class AlarmRegister:
    """Which alarms stand. An alarm stays until its BMS says that it is gone; silence clears nothing.

    With two bits the codes are 1 arrived and 2 left; 0 and 3 mean that the BMS does not know the alarm and
    change nothing.
    """

    def __init__(self, alarms: tuple[AlarmMapping, ...], coding: AlarmCoding) -> None:
        self._alarms = alarms
        self._coding = coding
        self._standing: set[tuple[str, str]] = set()
        self._alarm_sources = frozenset(s for alarm in alarms if not alarm.is_warning for s in alarm.sources)

    def take(self, sources: Sequence[Source], codes: Sequence[float | None]) -> None:
        """Read the codes of alarms in the order of their sources; what a frame cuts off changes nothing."""
        for source, code in zip(sources, codes, strict=True):
            if code == ARRIVED:
                self._standing.add(source)
            elif code == LEFT or (code == 0 and self._coding is AlarmCoding.BIT):
                self._standing.discard(source)

    @property
    def has_alarm(self) -> bool:
        """True while any alarm stands, warnings apart."""
        return not self._alarm_sources.isdisjoint(self._standing)

    def active(self, *, is_warning: bool) -> frozenset[str]:
        """Names of the standing warnings, or of the standing alarms."""
        return frozenset(
            alarm.name
            for alarm in self._alarms
            if alarm.is_warning is is_warning and not self._standing.isdisjoint(alarm.sources)
        )
