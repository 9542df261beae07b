"""The tasks of one EndDevice: its schedule, and control, record and reports of each of its devices."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from itertools import zip_longest
from typing import TYPE_CHECKING

from der_client.around import Around, SiteWatch
from der_client.control import Controller
from der_client.der_choice import DerChoice
from der_client.der_places import DerPlaces
from der_client.device import Device
from der_client.device_view import DeviceView
from der_client.execution import execution_of
from der_client.flow import StorageFlow, drawn_w_of
from der_client.joining import join, joined
from der_client.mirror import Mirror
from der_client.offers import Offers, is_offer
from der_client.opting import Choice
from der_client.outbox import Way
from der_client.plan import Plan
from der_client.profiles import profile_named
from der_client.recorder import ReadingRecorder, Recorder, record_site
from der_client.report_readings import Point
from der_client.reporter import Reporter
from der_client.reports import About
from der_client.reserving import Reserving
from der_client.scheduler import Abilities, Scheduler, abilities_of
from der_client.scheduling import Scheduling
from der_client.senders import LogEventSender, ResponseSender
from der_client.settings import ClientSettings
from der_client.site import Metered, SiteRules
from der_client.site_desk import Meter, SiteDesk, SitePart, follow_meter
from der_client.spool import Lane
from der_client.upstream import Upstream
from der_client.watched import Watched
from function_sets import Draw, Rules, draw_for
from schemas import DERControl

if TYPE_CHECKING:
    from der_client.starts import Starts

Ways = dict[Lane, dict[str, Way]]
"""How what each EndDevice owes is sent, by lane and owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queues:
    """What tells the outboxes that something waits in the spool."""

    responses: Watched[int]
    records: Watched[int]


class Member:
    """One EndDevice with its devices, in the order of its DERList."""

    def __init__(
        self,
        upstream: Upstream,
        devices: Sequence[Device],
        settings: ClientSettings,
        queues: Queues,
        *,
        meter: Meter | None = None,
        choices: Sequence[Choice] = (),
        ders: Sequence[DerChoice | None] = (),
    ) -> None:
        """`choices` are what an operator chose before there was a schedule, in their order.

        `ders` name the DERs that the devices are; empty: those of the DERList in its order.
        """
        named = dict(zip_longest([device.name for device in devices], ders[: len(devices)]))
        self._places = DerPlaces(upstream, named) if any(ders) else None
        self._choices = list(choices)
        self.starts: Starts | None = None
        """Where its changes are entered whose second is known; set before `start`."""
        self._upstream = upstream
        self._devices = tuple(devices)
        self._settings = settings
        self._queues = queues
        self._meter = meter
        self._mirrors_site = profile_named(settings.profile).mirrors_site
        sites = () if meter is None else (meter.name,)
        self._mirror = Mirror(upstream, settings.report, queues.records, sites)
        self._controllers: list[Controller] = []
        self._schedule: Scheduling | None = None
        self._began_s = upstream.local_s()

    @property
    def lfdi(self) -> str:
        """LFDI of the EndDevice."""
        return self._upstream.lfdi

    @property
    def controllers(self) -> Sequence[Controller]:
        """Who controls its devices."""
        return self._controllers

    async def opt(self, choice: Choice) -> None:
        """Take part in events or not, as an operator chose; before the start it is kept for the start."""
        if self._schedule is None:
            self._choices.append(choice)
        else:
            await _opted(self._schedule, choice)

    async def start(self, tasks: asyncio.TaskGroup, ways: Ways) -> None:
        """Take up what the last run left, and begin."""
        upstream, local_s = self._upstream, self._upstream.local_s
        self._began_s = local_s()
        owner = upstream.spool.owner
        ways[Lane.RESPONSE][owner] = Way(upstream=upstream, send=ResponseSender(upstream))
        ways[Lane.LOG_EVENT][owner] = Way(upstream=upstream, send=LogEventSender(upstream))
        ways[Lane.READING][owner] = Way(upstream=upstream, send=self._mirror)
        scheduling = await self._scheduling()
        while self._choices:
            await _opted(scheduling, self._choices.pop(0))
        self._schedule = scheduling
        desk = self._desk(tasks)
        self._controllers = [self._controller(device, scheduling.plan, desk) for device in self._devices]
        scheduling.devices = self._controllers
        able = partial(self._abilities, scheduling.plan)
        tasks.create_task(scheduling.run(able, local_s), name=f"scheduling {owner}")
        asked = Reserving(upstream, self._settings.reservation, pen=self._settings.report.pen)
        tasks.create_task(asked.run(), name=f"flow reservation {owner}")
        for index, controller in enumerate(self._controllers):
            tasks.create_task(controller.run(upstream.spool), name=f"control {controller.view.value.name}")
            self._record(tasks, controller)
            self._report(tasks, index, controller.view, scheduling.plan)
        if len(self._controllers) > 1:
            parts = [controller.view for controller in self._controllers]
            together = Watched(joined(f"{owner} together".strip(), [part.value for part in parts]))
            tasks.create_task(join(parts, together), name=f"together {owner}")
            self._report(tasks, 0, together, scheduling.plan, is_joint=True)

    async def _scheduling(self) -> Scheduling:
        upstream = self._upstream
        records = await asyncio.to_thread(upstream.spool.records)
        offers = {mrid: one for mrid, one in records.items() if is_offer(one)}
        scheduler = Scheduler(
            rules_of(self._settings, is_managed=bool(upstream.spool.owner)),
            self._draw,
            records={mrid: one for mrid, one in records.items() if mrid not in offers},
        )
        scheduling = Scheduling(
            scheduler,
            upstream.spool,
            upstream.view,
            upstream.clock,
            lfdi=upstream.lfdi,
            tell=upstream.tell,
            offers=Offers(self._settings.price, self._draw, offers) if self._settings.follows else None,
        )
        scheduling.queued, scheduling.tick_s = self._queues.responses, upstream.tick_s
        scheduling.starts = self.starts
        scheduling.reversion_s = self._settings.control.reversion_s
        scheduling.doubt_s = self._settings.control.plan_wait_s / 2
        flow = StorageFlow()
        scheduling.flow = lambda: flow.after(self._views())
        scheduling.drawn = lambda: drawn_w_of(self._views())
        await scheduling.restore(upstream.local_s)
        return scheduling

    def _desk(self, tasks: asyncio.TaskGroup) -> SiteDesk | None:
        """Where devices of one site share its limits; None for a device that stands alone."""
        local_s, meter = self._upstream.local_s, self._meter
        readings: Watched[Metered | None] = Watched(None)
        if meter is not None:
            period_s = self._settings.control.period_s
            tasks.create_task(follow_meter(meter, readings, local_s, period_s), name=f"meter {meter.name}")
            if self._mirrors_site:
                site = self._readings(self._mirror.point(meter.name, is_site=True))
                details = self._settings.report.details
                recording = record_site(readings, site, self._upstream.clock, local_s, has_details=details)
                tasks.create_task(recording, name=f"recorder {meter.name}")
        elif len(self._devices) < 2:
            return None
        names = frozenset(device.name for device in self._devices)
        control, lost_s = self._settings.control, self._settings.safety.site.meter_lost_s
        rules = SiteRules.of(is_metered=meter is not None, period_s=control.period_s, lost_s=lost_s)
        return SiteDesk(rules, readings, local_s, names)

    def _controller(self, device: Device, plan: Watched[Plan | None], desk: SiteDesk | None) -> Controller:
        upstream = self._upstream
        made = Controller(
            device,
            self._settings.control,
            plan,
            surroundings=Around(
                device.name,
                self._settings.safety,
                upstream.poller.silent_share,
                upstream.clock,
                local_s=upstream.local_s,
                site=SiteWatch(desk, self._views) if desk is not None and self._meter is not None else None,
                looked_s=lambda: None if self._schedule is None else self._schedule.looked_s,
            ),
            tell=upstream.tell,
            local_s=upstream.local_s,
            part=SitePart(device.name, desk),
        )
        made.ahead = lambda: None if self._schedule is None else self._schedule.ahead
        made.left_s = lambda: None if self._schedule is None else self._schedule.left_s(upstream.local_s())
        return made

    def _record(self, tasks: asyncio.TaskGroup, controller: Controller) -> None:
        """Start the task that records one device."""
        name, upstream = controller.view.value.name, self._upstream
        recorder = Recorder(
            controller.view,
            upstream.clock,
            upstream.spool,
            self._mirror.queued,
            self._readings(self._mirror.point(name)),
            has_stored=self._mirrors_site,
            has_details=self._settings.report.details,
        )
        tasks.create_task(recorder.run(upstream.local_s), name=f"recorder {name}")

    def _readings(self, point: Point) -> ReadingRecorder:
        mirror = self._mirror
        return ReadingRecorder(point, self._upstream.spool, mirror.queued, mirror.post_rate_s)

    def _report(
        self,
        tasks: asyncio.TaskGroup,
        index: int,
        view: Watched[DeviceView],
        plan: Watched[Plan | None],
        *,
        is_joint: bool = False,
    ) -> None:
        """Start the task that reports one device, or all of them as one DER."""
        upstream = self._upstream
        about = About(
            lfdi=upstream.lfdi,
            pen=self._settings.report.pen,
            version=software_version(),
            rules=self._settings.safety,
            devices=len(self._controllers),
            is_joint=is_joint,
            is_first=index == 0,
            functions=self._settings.functions,
            ratings_s=profile_named(self._settings.profile).ratings_s,
            demand_response=self._settings.report.demand_response,
        )
        rate_s, places = self._mirror.post_rate_s, None if is_joint else self._places
        reporter = Reporter(index, view, plan, upstream, about, post_rate_s=rate_s, places=places)
        tasks.create_task(reporter.run(), name=f"reports {view.value.name}")

    def _abilities(self, plan: Watched[Plan | None]) -> Abilities | None:
        """What the devices can do together, and do; None until each was identified, or is silent.

        An event that is for a device which is not known yet must not be rejected; half of the time in which
        the others go on without a plan is waited for that.
        """
        views, now = self._views(), self._upstream.local_s()
        plates = [view.nameplate for view in views if view.nameplate is not None]
        is_unknown = any(view.nameplate is None and view.silent is None for view in views)
        waits = is_unknown and now - self._began_s < self._settings.control.plan_wait_s / 2
        if not plates or waits:
            return None
        reversion_s = self._settings.control.reversion_s
        does = execution_of(views, plan.value, now, reversion_s)
        return replace(abilities_of(plates, self._settings.report.device_category), execution=does)

    def _views(self) -> list[DeviceView]:
        return [controller.view.value for controller in self._controllers]

    def _draw(self, control: DERControl) -> Draw:
        return draw_for(control, self._upstream.spread)


async def _opted(schedule: Scheduling, choice: Choice) -> None:
    if choice.is_out:
        await schedule.opt_out(choice.mrid, choice.until)
    else:
        await schedule.opt_in(choice.mrid)


def rules_of(settings: ClientSettings, *, is_managed: bool) -> Rules:
    """How events are followed: the codes by the profile, unless the settings name them."""
    profile, report = profile_named(settings.profile), settings.report
    before = profile.aggregator_before_start if is_managed else profile.before_start
    named = report.other_program_before_start, report.other_program_after_start
    return Rules(
        other_program_before_start=before if named[0] is None else named[0],
        other_program_after_start=profile.after_start if named[1] is None else named[1],
    )


def software_version() -> str:
    """Version of this software."""
    try:
        return version("lineside")
    except PackageNotFoundError:
        return "0"
