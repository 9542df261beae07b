"""Handles of what a stage holds: hrefs and mRIDs that a procedure works with. Values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedDevice:
    """One EndDevice: its identity, and the hrefs of what is under it; `ders` has one for each DER."""

    href: str
    path: str
    lfdi: str
    sfdi: int
    registration: str
    assignments: str
    der_list: str
    ders: tuple[StagedDER, ...]
    log: str
    subscriptions: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedDER:
    """One DER of an EndDevice: the hrefs of what the client keeps up to date."""

    href: str
    capability: str
    settings: str
    status: str
    availability: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedAssignment:
    """One FunctionSetAssignments with the list of its DERPrograms."""

    href: str
    list_href: str
    programs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedProgram:
    """One DERProgram with the hrefs of its lists; `name` is the case's own."""

    name: str
    href: str
    path: str
    mrid: str
    default: str
    controls: str
    active: str
    curves: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedEvent:
    """One event that was published: specified start and duration, s since 1970 UTC of the stage and s."""

    href: str
    mrid: str
    start_s: int
    duration_s: int
    list_href: str

    @property
    def end_s(self) -> int:
        """Specified end, without any random part."""
        return self.start_s + self.duration_s
