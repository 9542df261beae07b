"""Where each mode of a DER comes from: the event that governs it, or a default. IEEE 2030.5-2018, 10.10."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from function_sets.modes import modes_of
from function_sets.phases import ACTING
from function_sets.records import EventRecord, Program
from schemas import DERControlBase


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeSource:
    """Value of one mode and who wants it; `mRID` is None for a default, `ramp_tms` is rampTms, 0.01 s."""

    mode: str
    value: object
    mRID: str | None
    program_href: str
    primacy: int
    ramp_tms: int | None = None


def programs_by_primacy(programs: Iterable[Program]) -> list[Program]:
    """Programs, the best first; of equal ones the higher mRID, as in a DERProgramList."""
    return sorted(programs, key=lambda program: (program.primacy, -int(program.mRID or "0", 16)))


def modes_in_force(
    programs: Sequence[Program],
    records: Iterable[EventRecord],
    *,
    supported: frozenset[str] | None,
    defaults_per_mode: bool,
) -> dict[str, ModeSource]:
    """The one source of each mode: its event, else the default of the best program that has one."""
    modes = _defaults(programs, defaults_per_mode=defaults_per_mode)
    for record in records:
        if record.phase in ACTING:
            modes |= _of_event(record)
    return {mode: source for mode, source in modes.items() if supported is None or mode in supported}


def _of_event(record: EventRecord) -> dict[str, ModeSource]:
    sources = _sources(record.control.DERControlBase_, record.mRID, record.program_href, record.primacy)
    return {mode: sources[mode] for mode in record.active_modes & sources.keys()}


def _defaults(programs: Sequence[Program], *, defaults_per_mode: bool) -> dict[str, ModeSource]:
    found = [
        _sources(program.default.DERControlBase_, None, program.href, program.primacy)
        for program in programs
        if program.default is not None
    ]
    modes: dict[str, ModeSource] = {}
    for sources in reversed(found if defaults_per_mode else found[:1]):
        modes |= sources
    return modes


def _sources(
    base: DERControlBase, mrid: str | None, program_href: str, primacy: int
) -> dict[str, ModeSource]:
    return {
        mode: ModeSource(
            mode=mode,
            value=value,
            mRID=mrid,
            program_href=program_href,
            primacy=primacy,
            ramp_tms=base.rampTms,
        )
        for mode, value in modes_of(base).items()
    }
