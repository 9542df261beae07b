"""What a procedure has on the stage: devices, assignments, programs and controls by numbers and tags."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from conformance_tests.aus.client_reports import reported
from conformance_tests.aus.client_tariffs import Tariffs
from conformance_tests.aus.places import Kind, Place
from conformance_tests.aus.values import Moment, Reported, Since
from conformance_tests.errors import Ended
from schemas import ActivePower, DERControlBase, Link, Subscription, TariffProfile
from schemas.csip_aus import COMBINED_LINK

if TYPE_CHECKING:
    from conformance_tests.aus.client_words import AddControl, AddProgram, Modes
    from conformance_tests.aus.values import Amount
    from conformance_tests.client.bench import ClientBench
    from conformance_tests.client.seen import Seen
    from conformance_tests.client.staged import (
        StagedAssignment,
        StagedDevice,
        StagedEvent,
        StagedProgram,
    )

EAST: Final = timezone(timedelta(hours=10))
"""Australian Eastern Standard Time."""
LARGEST: Final = 32767
"""The largest value of an ActivePower. IEEE 2030.5-2018, B.2.3.4."""
DAY_S, HOUR_S = 86400, 3600


@dataclass(slots=True)
class Scene:
    """The stage by the numbers of a procedure: devices, assignments and programs are counted from 1."""

    bench: ClientBench
    devices: list[StagedDevice] = field(default_factory=list)
    points: dict[str, str] = field(default_factory=dict)
    """Where ConnectionPoints are, by the href of their EndDevice."""
    programs: list[StagedProgram] = field(default_factory=list)
    layout: dict[int, list[tuple[StagedProgram, tuple[int, ...]]]] = field(default_factory=dict)
    assignments: dict[tuple[str, int], StagedAssignment] = field(default_factory=dict)
    primacies: dict[str, int] = field(default_factory=dict)
    program_tags: dict[str, StagedProgram] = field(default_factory=dict)
    defaults: dict[str, tuple[dict[str, Any], int | None]] = field(default_factory=dict)
    controls: list[tuple[str, StagedEvent]] = field(default_factory=list)
    tariffs: Tariffs = field(init=False)
    adverts: list[tuple[str, list[str]]] = field(default_factory=list)
    """Versions with the paths at which their DeviceCapability is said to be."""
    served: set[str] = field(default_factory=set)
    """Paths of these at which it really is."""
    has_registration: bool = True
    """Whether EndDevices have a RegistrationLink."""

    def __post_init__(self) -> None:
        self.tariffs = Tariffs(self.bench.stage)

    # --- devices ---

    def enter(self, device: StagedDevice) -> None:
        """A device of the client stands in the list: it has a connection point and all assignments."""
        self.devices.append(device)
        stage = self.bench.stage
        href = stage.tree.addresses.of(f"{device.path}/cp")
        self.points[device.href] = href
        if not self.has_registration:
            stage.change(device.href, RegistrationLink_=None)
        if "ConnectionPoint" in stage.profile.additions:
            stage.change(device.href, ConnectionPointLink=Link(href=href))
        for number in sorted(self.layout):
            self._assign(device, number)

    # --- programs ---

    def add_program(self, act: AddProgram) -> None:
        """A new program, with a default that asks for nothing."""
        number = act.assignment or 1
        program = self.bench.stage.add_program(
            act.tag or f"program {len(self.programs) + 1}", primacy=act.primacy
        )
        self.programs.append(program)
        self.primacies[program.href] = act.primacy
        if act.tag:
            self.program_tags[act.tag] = program
        self.layout.setdefault(number, []).append((program, act.devices))
        self.set_default(program, {}, None)
        for device in self.devices:
            self._assign(device, number)

    def _assign(self, device: StagedDevice, number: int) -> None:
        """Let a device have all programs of an assignment that are its own."""
        at = self.devices.index(device)
        own = [program for program, of in self.layout[number] if not of or at in of]
        held = self.assignments.get((device.href, number))
        if held is None and own:
            made = self.assignments[device.href, number] = self.bench.stage.assign(device, own)
            tariff = self.bench.profile.resolve(TariffProfile)
            if any(one.name == COMBINED_LINK for one in fields(tariff)):
                self.tariffs.link(made, number)
        elif held is not None:
            for program in own:
                self.bench.stage.include(held, program)

    def drop_assignment(self, number: int) -> None:
        """Take an assignment from every device."""
        for key in [one for one in self.assignments if one[1] == number]:
            self.bench.stage.unassign(self.assignments.pop(key))

    def set_default(self, program: StagedProgram, modes: dict[str, Any], ramp: int | None) -> None:
        """Change what is given of a default."""
        held, held_ramp = self.defaults.get(program.href, ({}, None))
        held, held_ramp = {**held, **modes}, held_ramp if ramp is None else ramp
        self.defaults[program.href] = held, held_ramp
        base: DERControlBase = self.bench.profile.resolve(DERControlBase)(**held)
        settings = {} if held_ramp is None else {"setGradW": held_ramp}
        self.bench.stage.set_default(program, base, **settings)

    def remove_default(self, program: StagedProgram) -> None:
        """Let the default of a program ask for nothing; its link and who subscribed to it stay."""
        self.defaults.pop(program.href, None)
        self.set_default(program, {}, None)

    def program_of(self, act: AddControl) -> StagedProgram:
        """The program that a control is of."""
        if act.program_tag:
            return self.program_tags[act.program_tag]
        own = [program for program, _ in self.layout.get(act.assignment or 1, [])] or self.programs
        fitting = [one for one in own if act.primacy in {None, self.primacies[one.href]}]
        return (fitting or own)[0]

    def publish(self, act: AddControl) -> None:
        """A new control."""
        values = self.modes_of(act.modes, act.multiplier)
        if act.ramp_s is not None:
            values["rampTms"] = 100 * act.ramp_s
        random = {} if act.randomize_start_s is None else {"randomizeStart": act.randomize_start_s}
        event = self.bench.stage.publish(
            self.program_of(act),
            self.bench.profile.resolve(DERControlBase)(**values),
            start_s=self.at(act.start),
            duration_s=act.duration_s,
            response_required="03",
            **random,
        )
        self.controls.append((act.tag, event))

    def cancel_controls(self) -> None:
        """Cancel every control that is scheduled or active."""
        stage = self.bench.stage
        for _, event in self.controls:
            shown: Any = stage.tree.read(event.href, stage.now())
            if event.end_s > stage.now() and shown.EventStatus_.currentStatus <= 1:
                stage.cancel(event)

    @property
    def last_end_s(self) -> int:
        """When the last control is over, s of the stage; now where there is none."""
        return max((event.end_s for _, event in self.controls), default=self.bench.stage.now())

    # --- values ---

    def at(self, moment: Moment) -> int:
        """A time of the stage, s since 1970 UTC."""
        now_s = self.bench.stage.now()
        if moment.since is Since.NOW:
            return now_s + moment.offset_s
        local = datetime.fromtimestamp(now_s, UTC).astimezone(EAST)
        start = local.replace(minute=0, second=0, microsecond=0)
        if moment.since is Since.TODAY:
            start = start.replace(hour=0)
        return int(start.timestamp()) + moment.offset_s

    def amount(self, amount: Amount) -> float:
        """A number, or what follows from what the client reported; the case ends where it did not."""
        if not isinstance(amount, Reported):
            return float(amount)
        found = reported(self.bench.stage.tree, self.devices[0] if self.devices else None, amount.name)
        what = f"the client has told {amount.name}, on which the procedure stands"
        if found is None:
            self.bench.trial.check(found, what, seen="not told")
            raise Ended(what)
        return found * amount.times

    def modes_of(self, modes: Modes, multiplier: int | None = None) -> dict[str, Any]:
        """Elements of a DERControlBase by name."""
        return {name: self._mode(name, value, multiplier) for name, value in modes}

    def _mode(self, name: str, value: Amount | bool, multiplier: int | None) -> object:
        if isinstance(value, bool):
            return value
        amount = self.amount(value)
        if name == "opModFixedW":
            return round(100 * amount)
        power = multiplier or 0
        while abs(round(amount / 10**power)) > LARGEST:
            power += 1
        return ActivePower(multiplier=power, value=round(amount / 10**power))

    # --- places ---

    def is_at(self, place: Place, path: str, seen_lfdi: str = "") -> bool:
        """Whether a path is that place; of Responses, for that device."""
        kind, stage = place.kind, self.bench.stage
        if kind is Kind.RESPONSES:
            own = self.device(place.device)
            return path == stage.replies and (own is None or not seen_lfdi or own.lfdi == seen_lfdi)
        if kind is Kind.MUP:
            return path in stage.tree.held[stage.mirrors].items
        if kind is Kind.SUBSCRIPTIONS:
            held = stage.tree.held.get(path)
            return held is not None and held.route.id == "SubscriptionList"
        if kind is Kind.ALL_PROGRAMS:
            return path in {one.programs for one in self.assignments.values()}
        return path == self.href(place)

    def decoy(self, number: int) -> str:
        """One of the paths that the file of version discovery may name."""
        return self.bench.stage.tree.addresses.of(f"/decoy/{number}")

    def device(self, number: int) -> StagedDevice | None:
        """The device of a number."""
        return self.devices[number - 1] if 0 < number <= len(self.devices) else None

    def href(self, place: Place) -> str | None:
        """Where a place is, None where it is not there yet."""
        stage = self.bench.stage
        if place.kind is Kind.DECOY:
            return self.decoy(place.which)
        fixed = {
            Kind.DCAP: stage.dcap,
            Kind.TIME: stage.time,
            Kind.EDEV_LIST: stage.devices,
            Kind.MUP_LIST: stage.mirrors,
            Kind.RESPONSES: stage.replies,
            Kind.PRICE_RESPONSES: self.tariffs.replies,
            Kind.INTERVALS: self.tariffs.combined,
            Kind.TARIFFS: self.tariffs.lists.get(place.which),
        }
        if place.kind in fixed:
            return fixed[place.kind]
        if place.kind in {Kind.CONTROLS, Kind.DEFAULT}:
            if place.which > len(self.programs):
                return None
            program = self.programs[place.which - 1]
            return program.controls if place.kind is Kind.CONTROLS else program.default
        device = self.device(place.device)
        return None if device is None else self._below(device, place)

    def _below(self, device: StagedDevice, place: Place) -> str | None:
        if place.kind is Kind.PROGRAMS:
            held = self.assignments.get((device.href, place.which))
            return held.programs if held else None
        der = device.ders[0]
        return {
            Kind.REGISTRATION: device.registration,
            Kind.CONNECTION_POINT: self.points[device.href],
            Kind.FSA_LIST: device.assignments,
            Kind.DER_LIST: device.der_list,
            Kind.DER_CAPABILITY: der.capability,
            Kind.DER_SETTINGS: der.settings,
            Kind.DER_STATUS: der.status,
        }.get(place.kind)

    def subscribed(self) -> set[str]:
        """Paths of what the client is subscribed to now."""
        held = self.bench.stage.tree.held.values()
        wanted = (one.resource for one in held if isinstance(one.resource, Subscription))
        return {urlsplit(one.subscribedResource).path for one in wanted}


def subject_of(seen: Seen) -> str:
    """The LFDI in a Response, empty for anything else."""
    return str(getattr(seen.resource, "endDeviceLFDI", "")).upper()
