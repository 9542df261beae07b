"""What a client knows of programs and events, as values. IEEE 2030.5-2018, 10.2.3 and 10.10.

Times are s since 1970 UTC on the clock of the server.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from function_sets.events import Draw, cancel_window_s, randomization_of, specified_end
from function_sets.phases import RUNNING, Phase, ResponseStatus
from schemas import Codec, DefaultDERControl, DERControl, DERControlBase, csip_aus
from schemas.codes import EventState


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One DERProgram with what its links lead to; a lower primacy is better."""

    href: str
    mRID: str
    primacy: int
    default: DefaultDERControl | None = None
    controls: tuple[DERControl, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How this client follows events, where profiles and users differ.

    `other_program_before_start` and `other_program_after_start` are the codes (7 or 14) for an event that
    loses against one of another program before or after it ran. With `defaults_per_mode`, a mode that the
    best default leaves open comes from the next best; without, from nowhere. With `answers_unseen`, an event
    that was cancelled before it was first seen is received and cancelled; without, it is no event.

    What holds at the moment of a step: `opted_out` says that the user takes no part in events,
    `opted_out_of` names by mRID those that the user leaves alone; `invalid` names those whose values make no
    sense; `refused_modes` are modes that the devices turned out not to have; `failing_modes` those that they
    have and do not hold.
    """

    other_program_before_start: int = ResponseStatus.SUPERSEDED
    other_program_after_start: int = ResponseStatus.SUPERSEDED
    defaults_per_mode: bool = True
    answers_unseen: bool = False
    opted_out: bool = False
    opted_out_of: frozenset[str] = frozenset()
    invalid: frozenset[str] = frozenset()
    refused_modes: frozenset[str] = frozenset()
    failing_modes: frozenset[str] = frozenset()

    @classmethod
    def of_aggregator(cls) -> Self:
        """Rules of a CSIP aggregator: 14 for an event that another program kept from starting."""
        return cls(other_program_before_start=ResponseStatus.ABORTED_ALTERNATE_PROGRAM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A Response that is owed since `at`."""

    mRID: str
    reply_to: str
    status: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """All that must survive a restart for one event.

    `control` is the DERControl as it was last seen: the event goes on when the list does not show it any
    more. `start` and `end` are effective, `draw` was made once. `modes` are those that the DER has;
    `begun_modes` were acted on; `superseded_modes` went to other events for good; `is_unheld` remembers that
    devices did not hold one of its modes while it ran.
    """

    control: DERControl
    program_href: str
    primacy: int
    phase: Phase
    start: int
    end: int
    draw: Draw
    modes: frozenset[str]
    begun_modes: frozenset[str] = frozenset()
    superseded_modes: frozenset[str] = frozenset()
    is_unheld: bool = False

    @property
    def mRID(self) -> str:
        """The mRID of the event."""
        return self.control.mRID

    @property
    def version(self) -> int:
        """Version of the event as last seen."""
        return self.control.version or 0

    @property
    def reply_to(self) -> str | None:
        """Where Responses go, None where none are asked for."""
        return self.control.replyTo

    @property
    def response_required(self) -> int:
        """Bitmap of the Responses asked for."""
        return int(self.control.responseRequired or "0", 16)

    @property
    def specified_start(self) -> int:
        """Start without random part."""
        return self.control.interval.start

    @property
    def specified_end(self) -> int:
        """End without random part."""
        return specified_end(self.control)

    @property
    def active_modes(self) -> frozenset[str]:
        """Modes that the event governs while it runs."""
        return self.begun_modes - self.superseded_modes

    @property
    def left_modes(self) -> frozenset[str]:
        """Modes that did not go to other events."""
        return self.modes - self.superseded_modes

    @property
    def rank(self) -> tuple[int, int, int]:
        """Precedence, higher wins: better primacy, then newer, then the higher mRID."""
        return -self.primacy, self.control.creationTime, int(self.mRID or "0", 16)

    @property
    def cancel_at(self) -> int | None:
        """When a cancellation takes effect, None where there is none; at once unless the event runs.

        With randomization: after the larger of the two draws, which is uniform over the window that the
        standard allows. IEEE 2030.5-2018, 10.2.3.
        """
        status = self.control.EventStatus_
        if status.currentStatus == EventState.CANCELLED:
            return status.dateTime
        if status.currentStatus != EventState.CANCELLED_WITH_RANDOMIZATION:
            return None
        if self.phase not in RUNNING:
            return status.dateTime
        is_by_start = abs(randomization_of(self.control)[0]) == cancel_window_s(self.control)
        delay_s = self.draw.start_s if is_by_start else self.draw.duration_s
        return min(self.end, status.dateTime + abs(delay_s))

    def to_dict(self) -> dict[str, Any]:
        """A table that JSON can hold."""
        profile = profile_of(self.control.DERControlBase_)
        return {
            "control": CONTROL_CODECS[profile].encode(self.control).decode(),
            "profile": profile,
            "program_href": self.program_href,
            "primacy": self.primacy,
            "phase": self.phase.value,
            "start": self.start,
            "end": self.end,
            "draw": [self.draw.start_s, self.draw.duration_s],
            "modes": sorted(self.modes),
            "begun_modes": sorted(self.begun_modes),
            "superseded_modes": sorted(self.superseded_modes),
            "is_unheld": self.is_unheld,
        }

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Self:
        """The record of a table that `to_dict` made."""
        start_s, duration_s = table["draw"]
        return cls(
            control=CONTROL_CODECS[table["profile"]].decode(table["control"].encode(), DERControl),
            program_href=table["program_href"],
            primacy=table["primacy"],
            phase=Phase(table["phase"]),
            start=table["start"],
            end=table["end"],
            draw=Draw(start_s=start_s, duration_s=duration_s),
            modes=frozenset(table["modes"]),
            begun_modes=frozenset(table["begun_modes"]),
            superseded_modes=frozenset(table["superseded_modes"]),
            is_unheld=bool(table.get("is_unheld")),
        )


_PROFILE_OF_BASE: Final[dict[type, str]] = {
    DERControlBase: "base",
    csip_aus.DERControlBaseV12: "csip_aus_v1.2",
    csip_aus.DERControlBaseV13: "csip_aus_v1.3",
}
CONTROL_CODECS: Final = {
    "base": Codec(),
    "csip_aus_v1.2": Codec(csip_aus.CSIP_AUS_V1_2),
    "csip_aus_v1.3": Codec(csip_aus.CSIP_AUS_V1_3),
}
"""Codecs that keep all modes of a control, by the names that `profile_of` gives."""


def profile_of(base: DERControlBase) -> str:
    """Name of the codec in CONTROL_CODECS that keeps all modes of this kind of DERControlBase."""
    return _PROFILE_OF_BASE[type(base)]
