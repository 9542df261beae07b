"""What a client of 3.x decides, apart from talking: one value that is kept, and what each input makes of it.

No IO: time is an argument. The listener of steps and the memory are the client's.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from openadr_ven.events import (
    CreateOpt,
    Draw,
    Enrolment,
    Judge,
    OptType,
    Ports,
    Resource,
    Snapshot,
    Step,
    add_schedule,
    advance,
    cancel_opt,
    opt_event,
    opt_resources,
    receive,
)
from openadr_ven.events.answer import OptReason
from openadr_ven.events.receiving import UNTOLD
from openadr_ven.v3.errors import FlawError, WriteError
from openadr_ven.v3.kept import Kept, Owed
from openadr_ven.v3.leniency import Notes
from openadr_ven.v3.objects import EventObject, Notification, Program
from openadr_ven.v3.owing import Wanted, asking, made, next_report_at, opt_reports, owing
from openadr_ven.v3.read_event import read_event
from openadr_ven.v3.read_objects import id_of
from openadr_ven.v3.report import Report
from openadr_ven.v3.rounds import Enlisted
from openadr_ven.v3.table import table_of
from openadr_ven.v3.version import ObjectType, Operation, Version
from openadr_ven.v3.write import report_body

log: Final = logging.getLogger(__name__)
MOST_TOUCHED: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A look at the VTN that began when the desk had had `serial` notifications."""

    objects: tuple[EventObject, ...]
    is_complete: bool
    serial: int


@dataclass(slots=True, kw_only=True)
class Desk:
    """`kept` is the value; `programs` and `enrolment` are learned from the VTN after each start."""

    version: Version
    venName: str
    base: Enrolment
    draw: Draw
    judge: Judge
    is_running_out: bool
    kept: Kept = field(default_factory=Kept)
    programs: Mapping[str, Program] = field(default_factory=dict)
    serial: int = 0
    _enrolment: Enrolment | None = None
    _touched: dict[str, int] = field(default_factory=dict)

    @property
    def enrolment(self) -> Enrolment:
        """Who we are: as configured, with what the VTN granted."""
        return self.base if self._enrolment is None else self._enrolment

    def enlisted(self, found: Enlisted | None, programs: Mapping[str, Program]) -> None:
        """What the VTN says of its programs, and of us; None where it has no VENs for us."""
        self.programs = programs
        if found is None:
            self._enrolment = replace(self.base, names=self.base.names | {self.venName})
            return
        granted = {one.resourceName: {t.value for t in one.targets} for one in found.resources}
        resources = tuple(
            Resource(
                name=one.name,
                device_classes=one.device_classes,
                targets=one.targets | granted.get(one.name, set()),
            )
            for one in self.base.resources
        )
        names = self.base.names | {self.venName, *(target.value for target in found.ven.targets)}
        self._enrolment = replace(self.base, ven_id=found.ven.id, names=names, resources=resources)
        self.kept = replace(self.kept, ven_id=found.ven.id)

    def take_round(self, found: Round, now: int) -> Step:
        """A full list, unless a notification came meanwhile: what it told may be younger than the pages."""
        is_full = found.is_complete and not self.moved_since(found.serial)
        events = tuple(one.event for one in found.objects)
        step = receive(self.kept.state, Snapshot(events=events, is_full=is_full), now, self._ports())
        return self._taken(step, found.objects, now)

    def moved_since(self, serial: int) -> bool:
        """Whether notifications of events came behind this one."""
        return any(at > serial for at in self._touched.values())

    def take_notice(self, notice: Notification, now: int) -> Step | None:
        """What a notification changes; None where the VTN has to be looked at, since this does not say all.

        Raises FlawError for an object that cannot be read.
        """
        if notice.objectType is not ObjectType.EVENT or notice.operation is Operation.READ:
            return None
        table = table_of(notice.found, "notification.object", Notes())
        eventID = id_of(table)
        self.serial += 1
        if len(self._touched) >= MOST_TOUCHED:
            self._touched.clear()
        self._touched[eventID] = self.serial
        if notice.operation is Operation.DELETE:
            gone = Snapshot(events=(), is_full=False, deleted=(eventID,))
            return self._taken(receive(self.kept.state, gone, now, self._ports()), (), now)
        if table.get("programID") not in self.programs:
            return None
        one = read_event(notice.found, self.version, self.programs, Notes(), now)
        if one.event.flaw is not None:
            raise FlawError(one.event.flaw)
        news = Snapshot(events=(one.event,), is_full=False)
        return self._taken(receive(self.kept.state, news, now, self._ports()), (one,), now)

    def pass_time(self, now: int) -> Step:
        """What fell due."""
        return self._taken(advance(self.kept.state, now), None, now)

    def opt(self, eventID: str, opt: OptType, resources: tuple[str, ...], now: int) -> Step:
        """Opt an event, or resources of it, in or out. Raises OptError."""
        if not resources:
            step = opt_event(self.kept.state, eventID, opt, now)
        else:
            step = opt_resources(
                self.kept.state,
                eventID,
                resources,
                opt,
                now,
                optID=f"{eventID}/{now}",
                reason=OptReason.OVERRIDE_STATUS,
            )
        return self._taken(step, None, now)

    def add_schedule(self, schedule: CreateOpt, now: int) -> Step:
        """An availability schedule: there is none on the wire, what it turns is told. Raises OptError."""
        return self._taken(add_schedule(self.kept.state, schedule, now), None, now)

    def cancel_opt(self, optID: str, now: int) -> Step:
        """A schedule is taken back. Raises OptError."""
        return self._taken(cancel_opt(self.kept.state, optID, now), None, now)

    def stay_away(self, away: Mapping[str, tuple[str, ...]], now: int) -> Step:
        """By event, all resources whose devices do not take part: told where that is news."""
        self.kept = replace(self.kept, away=dict(away))
        return self.pass_time(now)

    def owe(self, report: Report) -> None:
        """A report has to be sent; one that may not be written, of an event with a broken id, is given up."""
        owed = self._owed(report)
        if owed is not None:
            self.kept = owing(self.kept, owed)

    def made(self, wanted: Wanted, report: Report | None) -> None:
        """A report that was due was made; None where there was nothing to say."""
        self.kept = made(self.kept, wanted, None if report is None else self._owed(report))

    def tried(self, reportName: str) -> None:
        """A report is about to be sent once more."""
        owed = (replace(o, tries=o.tries + 1) if o.reportName == reportName else o for o in self.kept.owed)
        self.kept = replace(self.kept, owed=tuple(owed))

    def sent(self, reportName: str) -> None:
        """A report is at the VTN, or was refused for good."""
        owed = tuple(one for one in self.kept.owed if one.reportName != reportName)
        self.kept = replace(self.kept, owed=owed)

    def next_at(self, step: Step, now: int) -> int | None:
        """When time alone changes something next."""
        times = (step.next_at, next_report_at(self.kept, now))
        return min((at for at in times if at is not None), default=None)

    def _owed(self, report: Report) -> Owed | None:
        try:
            body = report_body(self.version, report)
        except WriteError as error:
            log.warning("a report of event %r cannot be written: %s", report.eventID, error)
            return None
        return Owed(reportName=report.reportName, eventID=report.eventID, body=body)

    def _ports(self) -> Ports:
        return Ports(enrolment=self.enrolment, draw=self.draw, judge=self.judge)

    def _taken(self, step: Step, objects: tuple[EventObject, ...] | None, now: int) -> Step:
        """Keep a step, with what it asks for and what has to be said of it."""
        for one in step.changes:
            if one.text.startswith(UNTOLD):
                log.warning("event %s %s: the VTN is taken at its word", one.eventID, UNTOLD)
        self.kept = replace(self.kept, state=step.state)
        if objects is not None:
            self.kept = asking(self.kept, objects, now)
        self.kept, reports = opt_reports(
            self.kept, self.enrolment, self.venName, now, is_running=self.is_running_out
        )
        for report in reports:
            self.owe(report)
        return step
