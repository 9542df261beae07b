"""What a client knows of programs and events, as values. IEEE 2030.5-2018, 10.2.3 and 10.10.

Times are s since 1970 UTC on the clock of the server.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Final, Self

from function_sets.events import Draw, cancel_window_s, randomization_of, specified_end
from schemas import Codec, DefaultDERControl, DERControl, DERControlBase, csip_aus
from schemas.codes import EventState

RECEIVED_BIT, SPECIFIC_BIT, USER_BIT = 0x01, 0x02, 0x04
"""Bits of responseRequired."""


class Phase(StrEnum):
    """How far an event is at this client."""

    RECEIVED = "received"
    """Known and not acted on yet."""
    DECLINED = "declined"
    """The user opted out before the event ran."""
    OPTED_IN = "opted in"
    """The user opted in again after the start; the event does not run yet."""
    STARTED = "started"
    LEFT = "left"
    """The user opted out while the event ran."""
    REJOINED = "rejoined"
    """The event runs, after the user opted in to what was already going on."""
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    OPTED_OUT = "opted out"
    """The event is over and the user was out at its end."""
    REJECTED = "rejected"


READY: Final = frozenset({Phase.RECEIVED, Phase.OPTED_IN})
"""Phases from which an event starts."""
UNSTARTED: Final = READY | {Phase.DECLINED}
ACTING: Final = frozenset({Phase.STARTED, Phase.REJOINED})
"""Phases in which an event governs the DER."""
RUNNING: Final = ACTING | {Phase.LEFT}
TERMINAL: Final = frozenset(Phase) - UNSTARTED - RUNNING
"""Phases that an event does not leave."""


class ResponseStatus(IntEnum):
    """Codes of Response.status that a DERControl may cause."""

    RECEIVED = 1
    STARTED = 2
    COMPLETED = 3
    OPT_OUT = 4
    OPT_IN = 5
    CANCELLED = 6
    SUPERSEDED = 7
    PARTLY_COMPLETED_OPT_OUT = 8
    PARTLY_COMPLETED_OPT_IN = 9
    COMPLETED_WITHOUT_PARTICIPATION = 10
    ABORTED_ALTERNATE_PROGRAM = 14
    REJECTED_NOT_APPLICABLE = 252
    REJECTED_INVALID = 253
    REJECTED_EXPIRED = 254


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One DERProgram with what its links lead to; a lower primacy is better."""

    href: str
    mRID: str  # noqa: N815
    primacy: int
    default: DefaultDERControl | None = None
    controls: tuple[DERControl, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How this client follows events, where profiles and users differ.

    `other_program_before_start` and `other_program_after_start` are the codes (7 or 14) for an event that
    loses against one of another program before or after it ran. With `defaults_per_mode`, a mode that the
    best default leaves open comes from the next best; without, from nowhere. `opted_out` says that the user
    takes no part in events now.
    """

    other_program_before_start: int = ResponseStatus.SUPERSEDED
    other_program_after_start: int = ResponseStatus.SUPERSEDED
    defaults_per_mode: bool = True
    opted_out: bool = False

    @classmethod
    def of_aggregator(cls) -> Self:
        """Rules of a CSIP aggregator: 14 for an event that another program kept from starting."""
        return cls(other_program_before_start=ResponseStatus.ABORTED_ALTERNATE_PROGRAM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A Response that is owed since `at`."""

    mRID: str  # noqa: N815
    reply_to: str
    status: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """All that must survive a restart for one event.

    `control` is the DERControl as it was last seen: the event goes on when the list does not show it any
    more. `start` and `end` are effective, `draw` was made once. `modes` are those that the DER has;
    `begun_modes` were acted on; `superseded_modes` went to other events for good.
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

    @property
    def mRID(self) -> str:  # noqa: N802
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
        profile = _profile_of(self.control)
        return {
            "control": _CODECS[profile].encode(self.control).decode(),
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
        }

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Self:
        """The record of a table that `to_dict` made."""
        start_s, duration_s = table["draw"]
        return cls(
            control=_CODECS[table["profile"]].decode(table["control"].encode(), DERControl),
            program_href=table["program_href"],
            primacy=table["primacy"],
            phase=Phase(table["phase"]),
            start=table["start"],
            end=table["end"],
            draw=Draw(start_s=start_s, duration_s=duration_s),
            modes=frozenset(table["modes"]),
            begun_modes=frozenset(table["begun_modes"]),
            superseded_modes=frozenset(table["superseded_modes"]),
        )


_PROFILE_OF_BASE: Final[dict[type, str]] = {
    DERControlBase: "base",
    csip_aus.DERControlBaseV12: "csip_aus_v1.2",
    csip_aus.DERControlBaseV13: "csip_aus_v1.3",
}
_CODECS: Final = {
    "base": Codec(),
    "csip_aus_v1.2": Codec(csip_aus.CSIP_AUS_V1_2),
    "csip_aus_v1.3": Codec(csip_aus.CSIP_AUS_V1_3),
}


def _profile_of(control: DERControl) -> str:
    return _PROFILE_OF_BASE[type(control.DERControlBase_)]
