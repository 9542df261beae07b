"""Which groups a device is in: CORE-003, 010, 011 and BASIC-002, 003."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance_tests.case import Need
from conformance_tests.server.csip import steps
from conformance_tests.server.csip.event_series import (
    LEAD_S,
    Party,
    Planned,
    Play,
    Series,
    grouped,
    power_factor,
    set_defaults,
)
from conformance_tests.server.csip.events import PRIMACY
from conformance_tests.server.csip.rows import OPERATOR, row
from schemas import (
    DERProgram,
    DERProgramList,
    DeviceCapability,
    EndDeviceList,
    FunctionSetAssignmentsList,
    Registration,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance_tests.server.bench import ServerBench

FIFTEEN: Final = {f"G{n}": n for n in range(1, 16)}


async def polling(bench: ServerBench) -> None:
    """CORE-003: the way from DeviceCapability to the programs; each resource tells its pollRate."""
    await grouped(bench, {"SP": PRIMACY["SP"]})
    viewer, device = bench.device, await steps.end_device(bench, bench.device)
    dcap = await viewer.read(bench.dcap, DeviceCapability)
    devices = await viewer.read(steps.linked(bench, dcap, "EndDeviceListLink"), EndDeviceList)
    registration = await viewer.read(steps.linked(bench, device, "RegistrationLink"), Registration)
    place = steps.linked(bench, device, "FunctionSetAssignmentsListLink")
    held = await viewer.read(place, FunctionSetAssignmentsList, s=0, l=1)
    bench.trial.require(held.FunctionSetAssignments_, "the device has an assignment", seen=held.all)
    place = steps.linked(bench, held.FunctionSetAssignments_[0], "DERProgramListLink")
    programs = await viewer.read(place, DERProgramList, s=0, l=1)
    what = f"Registration.pIN is {steps.PIN}"
    bench.trial.check(registration.pIN == steps.PIN, what, seen=registration.pIN)
    for one in (dcap, devices, registration, held, programs):
        name, rate = type(one).__name__, one.pollRate
        what = f"{name} tells a pollRate (900 s where it does not)"
        bench.trial.check(rate is None or rate > 0, what, seen=rate)
    await bench.operator.set_rates(viewer.lfdi, {"DERProgramList": 77})
    changed = (await viewer.read(place, DERProgramList, s=0, l=1)).pollRate
    bench.trial.check(changed == 77, "a pollRate that the operator set is told", seen=changed)
    await bench.operator.set_rates(viewer.lfdi, {"DERProgramList": 0})


async def basic_assignments(bench: ServerBench) -> None:
    """CORE-010: seven assignments; the device finds itself, all of them and their programs."""
    if Need.SECOND_DEVICE in bench.has:
        await bench.operator.ensure_device(bench.other.lfdi)
        await bench.operator.assign(bench.other.lfdi, "others", primacy=3)
    party = await grouped(bench, PRIMACY)
    device = await steps.end_device(bench, bench.device)
    held = await steps.assignments(bench, bench.device, device)
    bench.trial.check(len(held) == len(PRIMACY), "seven FunctionSetAssignments are listed", seen=len(held))
    primacies = sorted(one.primacy for one in party.programs.values())
    what = "the programs of the seven assignments are found, and no others"
    found = sorted(one.primacy for one in await steps.programs(bench, bench.device, device))
    bench.trial.check(found == primacies, what, seen=found)


async def advanced_assignments(bench: ServerBench) -> None:
    """CORE-011: fifteen assignments in the order of their mRIDs, programs by primacy and mRID."""
    await grouped(bench, FIFTEEN)
    viewer = bench.device
    device = await steps.end_device(bench, viewer)
    held = await steps.assignments(bench, viewer, device)
    bench.trial.check(len(held) == 15, "fifteen FunctionSetAssignments are listed", seen=len(held))
    mrids = [int(one.mRID, 16) for one in held]
    what = "FunctionSetAssignments are in the order of their mRIDs, descending"
    seen = [one.mRID for one in held]
    bench.trial.check(mrids == sorted(mrids, reverse=True), what, seen=seen)
    dcap = await viewer.read(bench.dcap, DeviceCapability)
    places = [one.DERProgramListLink_ for one in (*held, dcap) if one.DERProgramListLink_ is not None]
    for href in sorted({place.href for place in places}):
        found = await viewer.items(href, DERProgramList, DERProgram)
        _check_order(bench, found)


def _check_order(bench: ServerBench, found: Sequence[DERProgram]) -> None:
    keys = [(one.primacy, -int(one.mRID, 16)) for one in found]
    what = "DERPrograms are in the order of primacy, then of mRID descending"
    bench.trial.check(keys == sorted(keys), what, seen=[(one.primacy, one.mRID) for one in found])


async def basic_groups(bench: ServerBench) -> None:
    """BASIC-002: seven groups with defaults; a control at the service point."""
    party = await grouped(bench, PRIMACY)
    planned = Planned(name="c1", program="SP", start_s=300, duration_s=60)
    series = Series(controls=(planned,), owed={"device": {"c1": (1, 2, 3)}}, defaults=tuple(PRIMACY))
    await set_defaults(bench, series)
    device = await steps.end_device(bench, bench.device)
    for program in await steps.programs(bench, bench.device, device):
        held = await steps.default_of(bench, bench.device, program)
        bench.trial.check(held, f"the program of primacy {program.primacy} has its default", seen=held)
    await Play(bench, series, {"device": party}).run()


async def changed_group(bench: ServerBench) -> None:
    """BASIC-003: a feeder's assignment is swapped for another while a control is planned below it."""
    operator, lfdi = bench.operator, bench.device.lfdi
    party = await grouped(bench, {"D1": 7, "TF": 5})
    later = Planned(name="tf", program="TF", start_s=900, duration_s=300)
    sooner = Planned(name="d2", program="D2", start_s=240, duration_s=120, base=power_factor(920))
    owed = {"device": {"tf": (1, 2, 3), "d2": (1, 2, 3)}}
    play = Play(bench, Series(controls=(later,), owed=owed), {"device": party})
    await play.publish_known()
    gone = party.programs["D1"]
    await operator.unassign(lfdi, "D1")
    await operator.assign(lfdi, "D2", primacy=7)
    device = await steps.end_device(bench, bench.device)
    seen = {one.mRID: one for one in await steps.programs(bench, bench.device, device)}
    bench.trial.check(gone.mRID not in seen, "the program of the old feeder is gone", seen=sorted(seen))
    program = await steps.program_of(bench, bench.device, device, 7)
    programs = {"D2": program, "TF": party.programs["TF"]}
    play.parties = {"device": Party(viewer=party.viewer, lfdi=lfdi, programs=programs)}
    place = steps.linked(bench, gone, "DERControlListLink")
    exchange = await bench.device.get(place)
    what = "the controls of the old feeder are no longer shown to the device (404 or 403)"
    bench.trial.check(exchange.status in {403, 404}, what, seen=exchange.status)
    one = await play.publish(sooner, await bench.now())
    await play.received(one)
    for control in (one, play.published["tf"]):
        for at_s, moment in (
            (control.start_s - LEAD_S, play.before),
            (control.start_s + LEAD_S, play.started),
            (control.end_s + LEAD_S, play.ended),
        ):
            await bench.until(at_s)
            await moment(control)
    await play.check_recorded()


CASES: Final = (
    row(
        "CORE-003",
        "Polling interaction",
        "The way from DeviceCapability to the DERPrograms is there, with a pollRate the operator can set.",
    ).case(polling, needs=OPERATOR),
    row(
        "CORE-010",
        "Basic function set assignments",
        "A device finds its own EndDevice, its seven assignments and their seven programs.",
    ).case(basic_assignments, needs=OPERATOR),
    row(
        "CORE-011",
        "Advanced function set assignments",
        "Fifteen assignments are listed by mRID descending, programs by primacy and mRID.",
    ).case(advanced_assignments, needs=OPERATOR),
    row(
        "BASIC-002",
        "Basic group management",
        "Seven programs with defaults are found; a control of the best one has the right status.",
    ).case(basic_groups, needs=OPERATOR, lasts_s=390),
    row(
        "BASIC-003",
        "Group management: change of assignment",
        "A program whose assignment was taken away is no longer shown; the new one is, with its controls.",
    ).case(changed_group, needs=OPERATOR, lasts_s=1250),
)
