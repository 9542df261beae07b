"""Which modes hold now: the rules of events applied to what the server says. Pure; one task owns it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from der_client.desired import modes_able
from der_client.device import Nameplate
from der_client.execution import Execution
from der_client.linked_curves import curves_after
from der_client.load_control import LOAD
from der_client.offers import Storage
from der_client.opting import OptOuts
from der_client.validity import flaw_of
from der_client.wording import mode_text, modes_text
from function_sets import (
    TERMINAL,
    Draw,
    Due,
    EventRecord,
    ModeSource,
    Outcome,
    Phase,
    Program,
    Rules,
    advance,
)
from schemas import DERControl, DERCurve, codes

KEEP_S: Final = 7 * 86_400
"""Records of events that are over are kept this long, lest an event in a stale list begin anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A change that a person would ask about; `mrid` names the DERControl, if it is about one."""

    text: str
    mrid: str | None = None
    program_href: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one look at the clock gave: the outcome of the rules, what is owed, and what is new."""

    outcome: Outcome
    owed: tuple[Due, ...]
    news: tuple[News, ...]
    is_changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What the devices of one EndDevice can do (modes, the bitmap of their categories), and what they do."""

    modes: frozenset[str]
    device_category: int
    execution: Execution = field(default_factory=Execution)
    storage: Storage = field(default_factory=Storage)


CATEGORY_OF_TYPE: Final[Mapping[int, int]] = {
    codes.DERType.VIRTUAL_OR_MIXED_DER: codes.DeviceCategoryType.VIRTUAL_OR_MIXED_DER,
    codes.DERType.RECIPROCATING_ENGINE: codes.DeviceCategoryType.RECIPROCATING_ENGINE,
    codes.DERType.FUEL_CELL: codes.DeviceCategoryType.FUEL_CELL,
    codes.DERType.PHOTOVOLTAIC_SYSTEM: codes.DeviceCategoryType.PHOTOVOLTAIC_SYSTEM,
    codes.DERType.COMBINED_HEAT_AND_POWER: codes.DeviceCategoryType.COMBINED_HEAT_AND_POWER,
    codes.DERType.OTHER_GENERATION_SYSTEM: codes.DeviceCategoryType.OTHER_GENERATION_SYSTEM,
    codes.DERType.OTHER_STORAGE_SYSTEM: codes.DeviceCategoryType.OTHER_STORAGE_SYSTEM,
    codes.DERType.ELECTRIC_VEHICLE: codes.DeviceCategoryType.ELECTRIC_VEHICLE,
    codes.DERType.EVSE: codes.DeviceCategoryType.EVSE,
    codes.DERType.COMBINED_PV_AND_STORAGE: codes.DeviceCategoryType.COMBINED_PV_AND_STORAGE,
}
"""Bit of deviceCategory by the kind of a DER."""


def abilities_of(nameplates: Sequence[Nameplate], device_category: int = 0) -> Abilities:
    """What these devices can do together; `device_category` is used as it is unless 0."""
    modes = frozenset[str]().union(*map(modes_able, nameplates))
    bits = {1 << CATEGORY_OF_TYPE[p.der_type] for p in nameplates if p.der_type in CATEGORY_OF_TYPE}
    stores = [plate for plate in nameplates if plate.is_storage]
    storage = Storage(
        charge_w=sum(plate.charge_w for plate in stores),
        discharge_w=sum(min(plate.set_max_w, plate.discharge_w or plate.set_max_w) for plate in stores),
        category=device_category or sum(bits),
        limits_load=LOAD in modes,
    )
    return Abilities(modes=modes, device_category=storage.category, storage=storage)


class Scheduler:
    """Programs and time in, modes in force and owed Responses out. IEEE 2030.5-2018, 10.2.3."""

    def __init__(
        self,
        rules: Rules,
        draw: Callable[[DERControl], Draw],
        *,
        records: Mapping[str, EventRecord] | None = None,
        opt_outs: OptOuts | None = None,
    ) -> None:
        self.opt_outs = opt_outs or OptOuts()
        self.records: Mapping[str, EventRecord] = dict(records or {})
        self.modes: Mapping[str, ModeSource] = {}
        self._restored: Mapping[str, EventRecord] = self.records
        self._rules = rules
        self._draw = draw

    def opt_out(self, mrid: str | None = None, until: int | None = None) -> None:
        """Leave one event, or all (None), alone from the next step on, until server time `until`, s.

        Without `until` it is until `opt_in`. IEEE 2030.5-2018, 10.2.3.
        """
        self.opt_outs = self.opt_outs.opted_out(mrid, until)

    def opt_in(self, mrid: str | None = None) -> None:
        """Take part in one event, or in all (None), again from the next step on."""
        self.opt_outs = self.opt_outs.opted_in(mrid)

    def step(
        self,
        programs: tuple[Program, ...],
        now: int,
        abilities: Abilities,
        curves: Mapping[str, DERCurve] | None = None,
    ) -> Step:
        """Advance to `now`, server time, s. A second step at the same time owes nothing new.

        `curves` by href are looked at to tell whether an event that is new makes sense. Devices under local
        control take part in nothing.
        """
        flaws = self._flaws(programs, curves or {})
        outcome = advance(
            programs,
            self.records,
            now,
            rules=self._rules_at(programs, now, abilities, frozenset(flaws)),
            draw=self._draw,
            device_category=abilities.device_category,
            supported=abilities.modes,
        )
        records = _pruned(outcome.records, programs, now)
        is_changed = records != self.records or bool(outcome.due)
        missed = _missed(self._restored, records, now)
        owed = tuple(due for due in outcome.due if due.mRID not in missed)
        news = (
            *_flaw_news(flaws, records),
            *_record_news(self.records, records, outcome.modes, missed),
            *_mode_news(self.modes, outcome.modes),
        )
        self.records, self.modes, self._restored = records, outcome.modes, {}
        return Step(outcome=outcome, owed=owed, news=news, is_changed=is_changed)

    def foreseen(self, programs: tuple[Program, ...], at: int, abilities: Abilities) -> Outcome | None:
        """What `step` will find at server time `at`, s, if nothing changes until then; nothing is taken over.

        None where it would have to draw for an event.
        """
        try:
            return advance(
                programs,
                self.records,
                at,
                rules=self._rules_at(programs, at, abilities, frozenset()),
                draw=_no_draw,
                device_category=abilities.device_category,
                supported=abilities.modes,
            )
        except LookupError:
            return None

    def unchanged(self, programs: tuple[Program, ...], now: int, abilities: Abilities) -> Outcome | None:
        """What holds at `now`, server time, s, if a step then would keep and owe nothing; else None."""
        found = self.foreseen(programs, now, abilities)
        is_same = found is not None and not found.due and found.records == self.records
        return found if is_same else None

    def curves_after(
        self, held: Mapping[str, DERCurve], told: Mapping[str, DERCurve]
    ) -> Mapping[str, DERCurve]:
        """The curves by href that are told, beside those held to which an event links that goes on."""
        return curves_after(held, told, self.records.values())

    def _flaws(self, programs: tuple[Program, ...], curves: Mapping[str, DERCurve]) -> dict[str, str]:
        """What makes no sense in events that are seen for the first time, by mRID."""
        fresh = (one for program in programs for one in program.controls if one.mRID not in self.records)
        return {one.mRID: flaw for one in fresh if (flaw := flaw_of(one, curves)) is not None}

    def _rules_at(
        self, programs: tuple[Program, ...], now: int, abilities: Abilities, invalid: frozenset[str]
    ) -> Rules:
        listed = {control.mRID for program in programs for control in program.controls}
        does = abilities.execution
        return replace(
            self._rules,
            opted_out=self._rules.opted_out or does.is_local,
            opted_out_of=self.opt_outs.leaves_out(listed | self.records.keys(), now),
            invalid=invalid,
            refused_modes=does.refused,
            failing_modes=does.failing,
        )


def _no_draw(control: DERControl) -> Draw:
    raise LookupError(control.mRID)


def _missed(
    restored: Mapping[str, EventRecord], records: Mapping[str, EventRecord], now: int
) -> frozenset[str]:
    """Events that had not started in the last run and are over in the first step of this one.

    Nobody acted on them: that they ran must not be said, and no other code says what happened.
    """
    return frozenset(
        mrid
        for mrid, record in restored.items()
        if record.phase is Phase.RECEIVED
        and record.end <= now
        and mrid in records
        and records[mrid].phase is Phase.COMPLETED
    )


def _pruned(
    records: Mapping[str, EventRecord], programs: tuple[Program, ...], now: int
) -> Mapping[str, EventRecord]:
    """Records without those of events that are long over and that no list shows any more."""
    listed = {control.mRID for program in programs for control in program.controls}
    return {
        mrid: record
        for mrid, record in records.items()
        if mrid in listed or record.phase not in TERMINAL or record.end + KEEP_S > now
    }


def _flaw_news(flaws: Mapping[str, str], records: Mapping[str, EventRecord]) -> list[News]:
    """Why an event was rejected as invalid; nothing of events that do not concern the devices."""
    return [
        News(text=f"DERControl {mrid} makes no sense: {flaw}", mrid=mrid)
        for mrid, flaw in flaws.items()
        if mrid in records
    ]


def _record_news(
    before: Mapping[str, EventRecord],
    after: Mapping[str, EventRecord],
    modes: Mapping[str, ModeSource],
    missed: frozenset[str],
) -> list[News]:
    """A line for each DERControl that entered another phase."""
    changed = [r for mrid, r in after.items() if mrid not in before or before[mrid].phase is not r.phase]
    return [
        News(text=_phase_text(record, modes, missed), mrid=record.mRID, program_href=record.program_href)
        for record in changed
    ]


def _phase_text(record: EventRecord, modes: Mapping[str, ModeSource], missed: frozenset[str]) -> str:
    if record.mRID in missed:
        return f"DERControl {record.mRID} was missed: the client was off"
    if record.phase is not Phase.STARTED:
        return f"DERControl {record.mRID} {record.phase.value}"
    own = [mode_text(mode, modes[mode].value) for mode in sorted(modes) if modes[mode].mRID == record.mRID]
    return f"DERControl {record.mRID} active: {', '.join(own) or 'no mode'}"


def _mode_news(before: Mapping[str, ModeSource], after: Mapping[str, ModeSource]) -> list[News]:
    """A line for the modes that hold by default, where these changed."""
    defaults = {mode: source for mode, source in after.items() if source.mRID is None}
    former = {mode: source for mode, source in before.items() if source.mRID is None}
    if _values(defaults) == _values(former):
        return []
    return [News(text=f"default control: {modes_text(defaults)}")]


def _values(modes: Mapping[str, ModeSource]) -> dict[str, object]:
    return {mode: source.value for mode, source in modes.items()}


def without_controls(
    programs: tuple[Program, ...], now: int, supported: frozenset[str] | None
) -> Mapping[str, ModeSource]:
    """Modes that hold while no DERControl is active: those of the defaults. IEEE 2030.5-2018, 10.10."""
    idle = tuple(replace(program, controls=()) for program in programs)
    return advance(idle, {}, now, rules=Rules(), draw=lambda _: Draw(), supported=supported).modes
