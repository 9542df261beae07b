"""Load controls between a client with storage and a server, through schedule, spool and gate."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from der_client.device import Nameplate, Telemetry
from der_client.load_control import LoadControlSettings, program_of
from der_client.offers import Offered, Offers, is_offer
from der_client.plan import wish_of
from der_client.price import PriceSettings
from der_client.safety import SafetyState, Surroundings, clamp
from der_client.scheduler import Scheduler, abilities_of
from der_client.scheduling import Scheduling
from der_client.spool import Lane, Spool
from der_client.view import ServerView
from der_client.watched import Watched
from function_sets import Draw, Program, Rules
from schemas import (
    DateTimeInterval,
    DefaultDERControl,
    DemandResponseProgram,
    DemandResponseProgramList,
    DemandResponseProgramListLink,
    DERControlBase,
    DrResponse,
    DutyCycle,
    EndDeviceControl,
    EndDeviceControlList,
    EndDeviceControlListLink,
    EventStatus,
    FunctionSetAssignmentsList,
    Offset,
)
from tests.integration.client.harness import CODEC, Inverter, Script, Site
from tests.integration.client.stepped import tell_nobody

VEHICLE = "00010000"
PLATE = Nameplate(
    manufacturer="Maker",
    model="One",
    serial="1",
    version="1",
    der_type=81,
    modes=frozenset({"opModFixedW", "opModMaxLimW"}),
    max_w=10_000,
    max_va=10_000,
    max_var=4_400,
    max_var_neg=4_400,
    set_max_w=10_000,
    set_max_va=10_000,
    set_max_var=4_400,
    set_max_var_neg=4_400,
    max_charge_w=5_000.0,
)
PROGRAM = DemandResponseProgram(
    href="/a/dr",
    mRID="D1",
    primacy=1,
    EndDeviceControlListLink_=EndDeviceControlListLink(href="/a/edc"),
)


def event(start: int, duration: int, **asked: object) -> EndDeviceControl:
    made = EndDeviceControl(
        href="/a/edc/1",
        replyTo="/a/replies",
        responseRequired="03",
        mRID="AC",
        creationTime=0,
        EventStatus_=EventStatus(currentStatus=0, dateTime=0, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=duration, start=start),
        deviceCategory=VEHICLE,
        drProgramMandatory=True,
        loadShiftForward=False,
    )
    return replace(made, **asked)  # type: ignore[arg-type]


def put_out(script: Script, *events: EndDeviceControl) -> None:
    assignments = script.resources["/a/fsas"]
    assert isinstance(assignments, FunctionSetAssignmentsList)
    link = DemandResponseProgramListLink(href="/a/drs")
    assignments.FunctionSetAssignments_[0].DemandResponseProgramListLink_ = link
    script.resources |= {
        "/a/drs": DemandResponseProgramList(all=1, results=1, DemandResponseProgram_=[PROGRAM]),
        "/a/edc": EndDeviceControlList(all=len(events), results=len(events), EndDeviceControl_=[*events]),
    }


def vehicle(site: Site) -> Inverter:
    """A vehicle that charges with 4 kW by default, of 5 kW that it can."""
    site.script.resources["/a/default"] = DefaultDERControl(
        mRID="DD", DERControlBase_=DERControlBase(opModFixedW=-8_000)
    )
    site.inverter.plate = replace(PLATE, serial="77")
    return site.inverter


async def test_a_load_control_limits_charging_for_its_time_and_is_answered(site: Site) -> None:
    put_out(site.script, event(int(time.time()), 3, DutyCycle_=DutyCycle(normalValue=25)))
    site.settings = replace(site.settings, load_control=LoadControlSettings(is_on=True))
    inverter = vehicle(site)
    async with site.client():
        await site.script.until(lambda: replies(site.script) == [1, 2, 3])
        await site.script.until(lambda: inverter.applied[-1][0].target_w == -4_000.0)
    held = [setpoint for setpoint, _ in inverter.applied if setpoint.max_charge_w == 1_250.0]

    assert held
    assert {setpoint.target_w for setpoint in held} == {-1_250.0}
    assert site.script.flaws == []


async def test_load_controls_are_not_read_unless_the_settings_ask_for_it(site: Site) -> None:
    put_out(site.script, event(int(time.time()), 60, DutyCycle_=DutyCycle(normalValue=0)))
    vehicle(site)
    async with site.client():
        await site.script.until(lambda: site.inverter.applied)

    assert not any("/a/drs" in asked for asked in site.script.asked)


def replies(script: Script) -> list[int | None]:
    return [one.status for _, one in script.posted if isinstance(one, DrResponse)]


class Bench:
    """A schedule that follows load controls, with its spool, on a manual clock."""

    def __init__(self, path: Path, drawn_w: float) -> None:
        self.spool = Spool(path)
        records = {mrid: one for mrid, one in self.spool.records().items() if is_offer(one)}
        self.scheduling = Scheduling(
            Scheduler(Rules(), lambda _: Draw()),
            self.spool,
            Watched[ServerView | None](None),
            Watched(None),
            lfdi="3E4F45AB31EDFE5B67E343E5E4562E31984E23E5",
            tell=tell_nobody,
            offers=Offers(PriceSettings(), lambda _: Draw(), records),
        )
        self.scheduling.drawn = lambda: drawn_w

    async def at(self, now: int) -> float | None:
        """The power that passes the gate at a moment, W."""
        await self.scheduling.look(now, abilities_of([PLATE]))
        plan = self.scheduling.plan.value
        assert plan is not None
        seen = Telemetry(power_w=-4_000.0, reactive_var=0.0, voltage_v=240.0, frequency_hz=60.0, soc_pct=50.0)
        safe = clamp(wish_of(plan, PLATE), seen, PLATE, SafetyState(), 0.0, around=Surroundings())
        return safe.setpoint.max_charge_w

    def owed(self) -> list[tuple[str, int | None]]:
        found = []
        while (one := self.spool.next(Lane.RESPONSE)) is not None:
            response = CODEC.decode_any(one.body)
            assert isinstance(response, DrResponse)
            found.append((one.href, response.status))
            self.spool.done(one)
        return found


def view(*events: EndDeviceControl) -> ServerView:
    programs: tuple[Program, ...] = (program_of(PROGRAM, events),)
    return ServerView(offered=Offered(load_programs=programs))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.sqlite"


async def walked(bench: Bench, times: Sequence[int]) -> list[float | None]:
    return [await bench.at(now) for now in times]


async def test_half_of_what_was_taken_in_passes_the_gate_also_after_a_restart_without_the_server(
    path: Path,
) -> None:
    first = Bench(path, drawn_w=4_000.0)
    await first.scheduling.take(view(event(100, 100, Offset_=Offset(loadAdjustmentPercentageOffset=5_000))))
    assert await walked(first, (50, 100)) == [None, 2_000.0]
    assert first.owed() == [("/a/replies", 1), ("/a/replies", 2)]
    first.spool.close()
    second = Bench(path, drawn_w=1_000.0)
    await second.scheduling.restore(lambda: 0.0)

    assert await walked(second, (150, 200)) == [2_000.0, None]
    assert second.owed() == [("/a/replies", 3)]
    second.spool.close()
