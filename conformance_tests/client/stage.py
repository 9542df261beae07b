"""The stage on which a client plays: verbs that build and change what the scripted server holds.

Each verb is done at once and tells `listeners` which resources changed. Times are s since 1970 UTC of the
stage. Nothing of a client is known here but the LFDIs that a case gives.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from certs import LFDI, sfdi_of
from conformance_tests.client.addresses import DCAP, Addresses
from conformance_tests.client.staged import (
    StagedAssignment,
    StagedDER,
    StagedDevice,
    StagedEvent,
    StagedProgram,
)
from conformance_tests.client.tree import Tree
from function_sets import cancelled
from schemas import (
    DER,
    ActiveDERControlListLink,
    DateTimeInterval,
    DefaultDERControl,
    DefaultDERControlLink,
    DERAvailabilityLink,
    DERCapabilityLink,
    DERControl,
    DERControlListLink,
    DERCurve,
    DERCurveListLink,
    DERListLink,
    DERProgram,
    DERProgramListLink,
    DERSettingsLink,
    DERStatusLink,
    DeviceCapability,
    EndDevice,
    EndDeviceListLink,
    Event,
    EventStatus,
    FunctionSetAssignments,
    FunctionSetAssignmentsListLink,
    LogEventListLink,
    MirrorUsagePointListLink,
    Registration,
    RegistrationLink,
    Resource,
    ResponseListLink,
    ResponseSet,
    ResponseSetListLink,
    SubscriptionListLink,
    Time,
    TimeLink,
)
from schemas.profile import BASE, Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from conformance_tests.client.clock import StageClock
    from schemas import DERControlBase

PEN: Final = 40732
"""Ends the mRIDs that a stage makes."""
PIN: Final = 111115
ZONE_S: Final = -28_800
SUMMER_S: Final = 3_600
QUARTER_S: Final = 7_884_000


class Stage:
    """What the scripted server holds, and the verbs that change it.

    `seed` makes all hrefs but that of DeviceCapability unpredictable; None leaves the standard's defaults.
    `profile` decides which extensions stand in the place of the standard's classes. With `in_band` clients
    may post an EndDevice of their own. `number` keeps the mRIDs of the stages of one run apart.
    """

    def __init__(
        self,
        clock: StageClock,
        *,
        seed: str | None,
        profile: Profile = BASE,
        poll_rate_s: int = 10,
        post_rate_s: int = 60,
        in_band: bool = False,
        number: int = 1,
    ) -> None:
        self.clock = clock
        self.profile = profile
        self.in_band = in_band
        self.number = number
        self.reading_status = 204
        """How readings at a mirror usage point are answered: 204, or 201 as some servers do."""
        self.tree = Tree(Addresses(seed), poll_rate_s=poll_rate_s, post_rate_s=post_rate_s)
        self.listeners: list[Callable[[frozenset[str]], None]] = []
        self._begun = clock.now()
        self._build()

    @property
    def dcap(self) -> str:
        """The path that a client is given."""
        return DCAP

    def now(self) -> int:
        """Time of the stage, s since 1970 UTC."""
        return self.clock.now()

    def changed(self, hrefs: Iterable[str]) -> None:
        """Tell who listens that these resources, and the lists in which they stand, changed."""
        named = set(hrefs)
        every = named | {one for href in named for one in self.tree.lists_of(href)}
        for tell in list(self.listeners):
            tell(frozenset(every))

    def mrid(self) -> str:
        """A new mRID."""
        return f"{self.now():010X}{self.number:06X}{self.tree.number('mRID'):08X}{PEN:08X}"

    def add_device(
        self,
        lfdi: str,
        *,
        sfdi: int | None = None,
        pin: int = PIN,
        ders: int = 1,
        changed_s: int | None = None,
    ) -> StagedDevice:
        """Register an EndDevice with a PIN; `changed_s` decides its place in the list (latest first)."""
        path = f"/edev/{self.tree.number('edev')}"
        found = self.tree
        registered = Registration(dateTimeRegistered=self.now(), pIN=pin)
        device: Any = self.profile.resolve(EndDevice)
        number = sfdi_of(LFDI(lfdi)) if sfdi is None else sfdi
        handle = StagedDevice(
            href=found.addresses.of(path),
            path=path,
            lfdi=lfdi,
            sfdi=number,
            registration=found.put("Registration", f"{path}/rg", registered),
            assignments=found.put_list("FunctionSetAssignmentsList", f"{path}/fsa"),
            der_list=found.put_list("DERList", f"{path}/der"),
            ders=tuple(self._der(path, n + 1) for n in range(ders)),
            log=found.put_list("LogEventList", f"{path}/lel"),
            subscriptions=found.put_list("SubscriptionList", f"{path}/sub"),
        )
        made = device(
            lFDI=lfdi,
            sFDI=number,
            changedTime=self.now() if changed_s is None else changed_s,
            enabled=True,
            RegistrationLink_=RegistrationLink(href=handle.registration),
            FunctionSetAssignmentsListLink_=FunctionSetAssignmentsListLink(href=handle.assignments),
            DERListLink_=DERListLink(href=handle.der_list),
            LogEventListLink_=LogEventListLink(href=handle.log),
            SubscriptionListLink_=SubscriptionListLink(href=handle.subscriptions),
        )
        self._stand(self.devices, "EndDevice", path, made)
        return handle

    def remove(self, href: str) -> None:
        """Remove a resource with all below it."""
        self.changed(self.tree.drop(href) | {href})

    def set_pin(self, device: StagedDevice, pin: int) -> None:
        """Change the PIN that Registration shows."""
        self.change(device.registration, pIN=pin)

    def assign(
        self, device: StagedDevice, programs: Sequence[StagedProgram] = (), *, mrid: str | None = None
    ) -> StagedAssignment:
        """Give a device one more FunctionSetAssignments with a list of these programs."""
        path = f"{device.path}/fsa/{self.tree.number('fsa')}"
        listed = self.tree.put_list("DERProgramList", f"{path}/derp")
        for one in programs:
            self.tree.add(listed, one.href)
        made = FunctionSetAssignments(
            mRID=mrid or self.mrid(),
            TimeLink_=TimeLink(href=self.time),
            DERProgramListLink_=DERProgramListLink(href=listed),
            ResponseSetListLink_=ResponseSetListLink(href=self.response_sets),
        )
        href = self._stand(device.assignments, "FunctionSetAssignments", path, made)
        return StagedAssignment(href=href, list_href=device.assignments, programs=listed)

    def unassign(self, assignment: StagedAssignment) -> None:
        """Take a FunctionSetAssignments away."""
        self.remove(assignment.href)

    def add_program(self, name: str, *, primacy: int, mrid: str | None = None) -> StagedProgram:
        """A DERProgram with empty lists and no default; it is nobody's until it is assigned."""
        path = f"/derp/{self.tree.number('derp')}"
        found = self.tree
        controls = found.put_list("DERControlList", f"{path}/derc")
        handle = StagedProgram(
            name=name,
            href=found.addresses.of(path),
            path=path,
            mrid=mrid or self.mrid(),
            default=found.addresses.of(f"{path}/dderc"),
            controls=controls,
            active=found.put_list("ActiveDERControlList", f"{path}/actderc", view_of=controls),
            curves=found.put_list("DERCurveList", f"{path}/dc"),
        )
        made = DERProgram(
            mRID=handle.mrid,
            description=name,
            primacy=primacy,
            ActiveDERControlListLink_=ActiveDERControlListLink(href=handle.active),
            DERControlListLink_=DERControlListLink(href=handle.controls),
            DERCurveListLink_=DERCurveListLink(href=handle.curves),
        )
        found.put("DERProgram", path, made)
        return handle

    def include(self, assignment: StagedAssignment, program: StagedProgram) -> None:
        """Let a program stand in the list of an assignment."""
        self.tree.add(assignment.programs, program.href)
        self.changed({assignment.programs, assignment.href})

    def exclude(self, assignment: StagedAssignment, program: StagedProgram) -> None:
        """Take a program out of the list of an assignment."""
        self.tree.leave(assignment.programs, program.href)
        self.changed({assignment.programs, assignment.href})

    def set_primacy(self, program: StagedProgram, primacy: int) -> None:
        """Change the primacy of a program."""
        self.change(program.href, primacy=primacy)

    def set_default(self, program: StagedProgram, base: DERControlBase | None, **settings: int) -> None:
        """Set the default of a program, with settings such as setGradW beside its modes; None clears it."""
        if base is None:
            self.change(program.href, DefaultDERControlLink_=None)
            if program.default in self.tree.held:
                self.remove(program.default)
            return
        cls: Any = self.profile.resolve(DefaultDERControl)
        made = cls(mRID=self.mrid(), DERControlBase_=base, **settings)
        self.tree.put("DefaultDERControl", f"{program.path}/dderc", made)
        held: Any = self.tree.held[program.href].resource
        if held.DefaultDERControlLink_ is None:
            self.change(program.href, DefaultDERControlLink_=DefaultDERControlLink(href=program.default))
        self.changed({program.default})

    def add_curve(self, program: StagedProgram, curve: DERCurve) -> str:
        """Add a curve to a program; its href."""
        path = f"{program.path}/dc/{self.tree.number('dc')}"
        return self._stand(program.curves, "DERCurve", path, curve)

    def publish(
        self,
        program: StagedProgram,
        base: DERControlBase,
        *,
        start_s: int,
        duration_s: int,
        response_required: str = "07",
        **more: Any,  # noqa: ANN401  any further field of the control: randomizeStart, deviceCategory, ...
    ) -> StagedEvent:
        """Publish a DERControl; `more` are further fields of it, such as randomizeDuration."""
        cls: Any = self.profile.resolve(DERControl)
        values = {"creationTime": self.now(), "mRID": self.mrid(), "replyTo": self.replies, **more}
        made = cls(
            responseRequired=response_required,
            EventStatus_=EventStatus(currentStatus=0, dateTime=self.now(), potentiallySuperseded=False),
            interval=DateTimeInterval(duration=duration_s, start=start_s),
            DERControlBase_=base,
            **values,
        )
        return self.publish_event(program.controls, "DERControl", f"{program.path}/derc", made)

    def publish_event(self, list_href: str, route: str, path: str, event: Event) -> StagedEvent:
        """Let an event of any function set stand in a list, at the next number under a default path."""
        href = self._stand(list_href, route, f"{path}/{self.tree.number('event')}", event)
        return StagedEvent(
            href=href,
            mrid=event.mRID,
            start_s=event.interval.start,
            duration_s=event.interval.duration,
            list_href=list_href,
        )

    def cancel(self, event: StagedEvent, *, randomized: bool = False) -> None:
        """Cancel an event. EventRuleError where it is over already."""
        held: Any = self.tree.held[event.href].resource
        status = cancelled(held, self.now(), randomized=randomized)
        self.change(event.href, EventStatus_=status)

    def set_rate(self, route: str, every_s: int) -> None:
        """Change the pollRate of all resources of a route."""
        self.tree.rates[route] = every_s
        self.changed({one.href for one in self.tree.held.values() if one.route.id == route})

    def set_post_rate(self, every_s: int) -> None:
        """Change the postRate of all mirror usage points."""
        self.tree.post_rate_s = every_s
        self.changed({self.mirrors})

    def change(self, href: str, **values: Any) -> None:  # noqa: ANN401  any field of the resource
        """Change fields of a resource."""
        held = self.tree.held[href]
        held.resource = replace(held.resource, **values)
        self.changed({href})

    def move(self, href: str) -> str:
        """Give a resource another URI: the old one answers 404, all links lead to the new one."""
        lists = set(self.tree.lists_of(href))
        new = self.tree.move(href)
        self.changed(lists | {new})
        return new

    def _stand(self, list_href: str, route: str, path: str, resource: Resource) -> str:
        href = self.tree.put(route, path, resource)
        self.tree.add(list_href, href)
        self.changed({href})
        return href

    def _der(self, path: str, number: int) -> StagedDER:
        at = f"{path}/der/{number}"
        handle = StagedDER(
            href=self.tree.addresses.of(at),
            capability=self.tree.expect("DERCapability", f"{at}/dercap"),
            settings=self.tree.expect("DERSettings", f"{at}/derg"),
            status=self.tree.expect("DERStatus", f"{at}/ders"),
            availability=self.tree.expect("DERAvailability", f"{at}/dera"),
        )
        made = DER(
            DERAvailabilityLink_=DERAvailabilityLink(href=handle.availability),
            DERCapabilityLink_=DERCapabilityLink(href=handle.capability),
            DERSettingsLink_=DERSettingsLink(href=handle.settings),
            DERStatusLink_=DERStatusLink(href=handle.status),
        )
        self._stand(self.tree.addresses.of(f"{path}/der"), "DER", at, made)
        return handle

    def _build(self) -> None:
        found = self.tree
        self.time = found.put("Time", "/tm", self._time(self.now()), make=self._time)
        self.devices = found.put_list("EndDeviceList", "/edev")
        self.mirrors = found.put_list("MirrorUsagePointList", "/mup")
        self.response_sets = found.put_list("ResponseSetList", "/rsps")
        self.replies = found.put_list("ResponseList", "/rsps/1/rsp")
        answers = ResponseSet(mRID=self.mrid(), ResponseListLink_=ResponseListLink(href=self.replies))
        self._stand(self.response_sets, "ResponseSet", "/rsps/1", answers)
        start = DeviceCapability(
            TimeLink_=TimeLink(href=self.time),
            EndDeviceListLink_=EndDeviceListLink(href=self.devices),
            MirrorUsagePointListLink_=MirrorUsagePointListLink(href=self.mirrors),
            ResponseSetListLink_=ResponseSetListLink(href=self.response_sets),
        )
        found.put("DeviceCapability", DCAP, start)

    def _time(self, now_s: int) -> Time:
        return Time(
            currentTime=now_s,
            dstStartTime=self._begun - QUARTER_S,
            dstEndTime=self._begun + QUARTER_S,
            dstOffset=SUMMER_S,
            tzOffset=ZONE_S,
            quality=7,
        )
