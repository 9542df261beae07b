"""Alarms and warnings that arrive and leave, in one bit or in two (SMA). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .mapping import AlarmCoding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .mapping import AlarmMapping

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

    def take(self, message: str, raw: Mapping[str, float]) -> None:
        """Read the raw codes of one frame of `message`; signals that the frame cuts off change nothing."""
        for alarm in self._alarms:
            for source in alarm.sources:
                if source[0] == message and source[1] in raw:
                    self._set(source, int(raw[source[1]]))

    def active(self, *, is_warning: bool) -> frozenset[str]:
        """Names of the standing warnings, or of the standing alarms."""
        return frozenset(
            alarm.name
            for alarm in self._alarms
            if alarm.is_warning is is_warning and not self._standing.isdisjoint(alarm.sources)
        )

    def _set(self, source: tuple[str, str], code: int) -> None:
        if code == ARRIVED:
            self._standing.add(source)
        elif code == LEFT or self._coding is AlarmCoding.BIT:
            self._standing.discard(source)
