"""What an aggregator finds and does: UTIL-001 to 004 and AGG-001 to 012."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from conformance_tests.server.csip import steps
from conformance_tests.server.csip.device import report
from conformance_tests.server.csip.event_series import (
    OTHER,
    Planned,
    Play,
    Series,
    power_factor,
    same_modes,
    set_defaults,
)
from conformance_tests.server.csip.rows import AGGREGATOR, NOTIFIED, row
from conformance_tests.server.csip.subscriptions import Subscriber, subscriber
from conformance_tests.server.csip.topology import NODES, PATHS, Fleet, fleet, lfdi_of, place
from schemas import DERControlList, DeviceCapability, FunctionSetAssignmentsList, Registration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance_tests.case import AnyCase
    from conformance_tests.server.bench import ServerBench

DONE: Final = (1, 2, 3)
TWO: Final = ("SY", "TFA")
"""The nodes of the AGG procedures: all four inverters are below SY, EDA1 and EDA2 below TFA."""
A: Final = ("EDA1", "EDA2")
B: Final = ("EDB1", "EDB2")


def owed(
    a: Mapping[str, tuple[int, ...]], b: Mapping[str, tuple[int, ...]]
) -> dict[str, Mapping[str, tuple[int, ...]]]:
    """What the inverters of A and of B owe."""
    return {**dict.fromkeys(A, a), **dict.fromkeys(B, b)}


def system(start_s: int, duration_s: int) -> Planned:
    """The control of the system program."""
    return Planned(name="c1", program="SY", start_s=start_s, duration_s=duration_s)


def transformer(start_s: int, duration_s: int, *, name: str = "c2", later: bool = False) -> Planned:
    """A rival control of the transformer program."""
    return Planned(name=name, program="TFA", start_s=start_s, duration_s=duration_s, later=later)


def independent(start_s: int, duration_s: int, *, later: bool = False) -> Planned:
    """A control of the transformer program in another mode."""
    return Planned(name="c2", program="TFA", start_s=start_s, duration_s=duration_s, base=OTHER, later=later)


_BOTH: Final = {"c1": DONE, "c2": DONE}
_C1: Final = {"c1": DONE}
SERIES: Final[Mapping[str, Series]] = {
    "AGG-003": Series(controls=(transformer(120, 60, name="c1"),), owed=owed(_C1, {})),
    "AGG-004": Series(controls=(transformer(120, 60, name="c1"),), owed=owed(_C1, {}), defaults=TWO),
    "AGG-005": Series(
        controls=(transformer(120, 60, name="c1"), transformer(240, 60)), owed=owed(_BOTH, {}), defaults=TWO
    ),
    "AGG-006": Series(controls=(system(240, 60), transformer(120, 60)), owed=owed(_BOTH, _C1), defaults=TWO),
    "AGG-007": Series(
        controls=(system(120, 120), transformer(180, 60)),
        owed=owed({"c1": (1, 14), "c2": DONE}, _C1),
        defaults=TWO,
    ),
    "AGG-008": Series(
        controls=(system(180, 120), transformer(120, 120)),
        owed=owed({"c1": (1, 14), "c2": DONE}, _C1),
        defaults=TWO,
    ),
    "AGG-009": Series(
        controls=(system(60, 240), transformer(120, 120, later=True)),
        owed=owed({"c1": (1, 2, 7), "c2": DONE}, _C1),
        defaults=TWO,
    ),
    "AGG-010": Series(controls=(system(120, 120), independent(180, 60)), owed=owed(_BOTH, _C1), defaults=TWO),
    "AGG-011": Series(
        controls=(system(180, 120), independent(120, 120)), owed=owed(_BOTH, _C1), defaults=TWO
    ),
    "AGG-012": Series(
        controls=(system(60, 240), independent(120, 120, later=True)), owed=owed(_BOTH, _C1), defaults=TWO
    ),
}
TITLES: Final[Mapping[str, str]] = {
    "AGG-003": "Transformer control, no defaults",
    "AGG-004": "Transformer control with defaults",
    "AGG-005": "Two consecutive transformer controls",
    "AGG-006": "Consecutive transformer and system controls",
    "AGG-007": "Overlap, system starts first",
    "AGG-008": "Overlap, transformer starts first",
    "AGG-009": "Overlap, transformer created while system active",
    "AGG-010": "Independent modes, system first",
    "AGG-011": "Independent modes, transformer first",
    "AGG-012": "Independent modes, transformer created while system active",
}


async def start_up(bench: ServerBench) -> None:
    """UTIL-001: every inverter has the programs of all nodes above it, shared with its neighbours."""
    found = await fleet(bench)
    for node in NODES:
        mrids = {found.programs[name][node].mRID for name in found.below(node)}
        what = f"the program of {node} is the same for all inverters below it"
        bench.trial.check(len(mrids) == 1, what, seen=sorted(mrids))


async def commissioning(bench: ServerBench) -> None:
    """UTIL-002: the aggregator finds itself and its inverters, and reports for each of them."""
    found = await fleet(bench, TWO)
    viewer, check = found.viewer, bench.trial.check
    check(found.own.sFDI == viewer.sfdi, "the aggregator's sFDI is its certificate's", seen=found.own.sFDI)
    steps.linked(bench, found.own, "SubscriptionListLink")
    steps.linked(bench, found.own, "LogEventListLink")
    place_ = steps.linked(bench, found.own, "RegistrationLink")
    pin = (await viewer.read(place_, Registration)).pIN
    check(pin == steps.PIN, f"Registration.pIN of the aggregator is {steps.PIN}", seen=pin)
    for name in PATHS:
        steps.linked(bench, found.devices[name], "LogEventListLink")
        der = (await steps.ders(bench, viewer, found.devices[name]))[0]
        await report(bench, viewer, der)


async def _subscribe_to_programs(bench: ServerBench, found: Fleet, subscribed: Subscriber) -> None:
    """Subscribe to the list of programs of each assignment and to the controls of each program."""
    places: list[str] = []
    for device in found.devices.values():
        held = await steps.assignments(bench, found.viewer, device)
        places += [one.DERProgramListLink_.href for one in held if one.DERProgramListLink_ is not None]
    programs = {one.mRID: one for seen in found.programs.values() for one in seen.values()}
    places += [steps.linked(bench, one, "DERControlListLink") for one in programs.values()]
    for href in dict.fromkeys(places):
        await subscribed.subscribe(href)
    listed = {urlsplit(one.subscribedResource).path for one in await subscribed.held()}
    missing = {urlsplit(href).path for href in places} - listed
    bench.trial.check(not missing, "the SubscriptionList has every subscription", seen=sorted(missing))


async def group_retrieval(bench: ServerBench) -> None:
    """UTIL-003: all assignments and programs, and a subscription to each list of them."""
    found = await fleet(bench)
    for name, device in found.devices.items():
        held = await steps.assignments(bench, found.viewer, device)
        what = f"{name} has an assignment for each of its seven programs"
        bench.trial.check(len(held) == 7, what, seen=len(held))
        page = await found.viewer.read(
            steps.linked(bench, device, "FunctionSetAssignmentsListLink"), FunctionSetAssignmentsList
        )
        bench.trial.check(page.all == 7, f"all of the assignments of {name} is 7", seen=page.all)
    async with subscriber(bench, found.viewer, found.own) as subscribed:
        await _subscribe_to_programs(bench, found, subscribed)


async def check_told(bench: ServerBench, found: Fleet, subscribed: Subscriber, node: str, mrid: str) -> None:
    """The list of controls of a node was told with a control in it."""
    place_ = steps.linked(bench, found.program(node), "DERControlListLink")
    told = await subscribed.told(place_)
    held = told.Resource_
    items = held.DERControl_ if isinstance(held, DERControlList) else []
    what = f"the Notification of the controls of {node} holds the new one"
    seen = [one.mRID for one in items]
    bench.trial.check(mrid.upper() in {one.upper() for one in seen}, what, seen=seen)


async def control_retrieval(bench: ServerBench) -> None:
    """UTIL-004: a control at each kind of node is told, shown, and answered for those below it alone."""
    found = await fleet(bench)
    async with subscriber(bench, found.viewer, found.own) as subscribed:
        for node in ("SPA1", "SPA2", "SPB1", "SPB2", "FDA", "FDB", "SY"):
            place_ = steps.linked(bench, found.program(node), "DERControlListLink")
            await subscribed.subscribe(place_)
        for node in ("SPA1", "SPA2", "SPB1", "SPB2", "FDA", "FDB", "SY"):
            below = {name: {node: DONE} for name in found.below(node)}
            planned = Planned(name=node, program=node, start_s=120, duration_s=120)
            play = Play(bench, Series(controls=(planned,), owed=below), found.parties())
            subscribed.listener.forget()
            await play.publish_known()
            await check_told(bench, found, subscribed, node, play.published[node].mrid)
            await play.follow()


async def new_device(bench: ServerBench) -> None:
    """AGG-001: an inverter that is added is told by the EndDeviceList and found."""
    found = await fleet(bench, TWO)
    viewer = found.viewer
    dcap = await viewer.read(bench.dcap, DeviceCapability)
    devices = steps.linked(bench, dcap, "EndDeviceListLink")
    async with subscriber(bench, viewer, found.own) as subscribed:
        await subscribed.subscribe(devices)
        await place(bench, "EDA1X", PATHS["EDA1"], TWO)
        await subscribed.told(devices)
        device = await steps.end_device(bench, viewer, lfdi_of("EDA1X", viewer.lfdi))
        seen = sorted(one.primacy for one in await steps.programs(bench, viewer, device))
        bench.trial.check(seen == [5, 10], "the new inverter has its programs", seen=seen)


async def defaults_only(bench: ServerBench) -> None:
    """AGG-002: the default of TFA is for the inverters below it, that of SY for all."""
    found = await fleet(bench, TWO)
    await set_defaults(bench, Series(defaults=TWO))
    for number, node in enumerate(TWO):
        for name in found.below(node):
            device = await steps.end_device(bench, found.viewer, found.lfdi(name))
            program = next(
                one
                for one in await steps.programs(bench, found.viewer, device)
                if one.mRID == found.programs[name][node].mRID
            )
            held = await steps.default_of(bench, found.viewer, program)
            good = held is not None and same_modes(held.DERControlBase_, power_factor(960 + number))
            bench.trial.check(good, f"{name} finds the default of {node} as it was set", seen=held)
    bench.trial.check(list(found.below("TFA")) == list(A), "TFA governs EDA1 and EDA2 alone")


def series_case(id_: str) -> AnyCase:
    """The case of a series in the programs SY and TFA."""
    series = SERIES[id_]

    async def run(bench: ServerBench) -> None:
        found = await fleet(bench, TWO)
        await set_defaults(bench, series)
        async with subscriber(bench, found.viewer, found.own) as subscribed:
            for node in TWO:
                place_ = steps.linked(bench, found.program(node), "DERControlListLink")
                await subscribed.subscribe(place_)
            play = Play(bench, series, found.parties())
            await play.run()
            await _check_all_told(bench, subscribed, play)

    requirement = "Controls are told and shown with the right status; Responses are kept for each inverter."
    return row(id_, TITLES[id_], requirement).case(run, needs=NOTIFIED, lasts_s=series.lasts_s)


async def _check_all_told(bench: ServerBench, subscribed: Subscriber, play: Play) -> None:
    """Each control was told to the subscriber of its list."""
    told = await subscribed.listener.everything()
    lists = [one.Resource_.DERControl_ for one in told if isinstance(one.Resource_, DERControlList)]
    seen = {item.mRID.upper() for items in lists for item in items}
    for one in play.published.values():
        what = f"{one.planned.name} was told to the subscriber of the controls of {one.planned.program}"
        bench.trial.check(one.mrid.upper() in seen, what, seen=f"{len(told)} notifications: {sorted(seen)}")


CASES: Final = (
    row(
        "UTIL-001",
        "Server start-up configuration, group assignment of inverters",
        "Every EndDevice has the programs of all nodes above it; a program is shared by all below it.",
    ).case(start_up, needs=AGGREGATOR, lasts_s=20),
    row(
        "UTIL-002",
        "Aggregator commissioning",
        "An aggregator finds its own EndDevice and PIN, and those of its inverters; their reports are kept.",
    ).case(commissioning, needs=AGGREGATOR, lasts_s=20),
    row(
        "UTIL-003",
        "Aggregator retrieves group assignments",
        "Each DERProgramList and DERControlList can be subscribed to: 201 with Location.",
    ).case(group_retrieval, needs=NOTIFIED, lasts_s=40),
    row(
        "UTIL-004",
        "Aggregator retrieves DER programs and controls",
        "A new control is told and shown; Responses are kept for those inverters that are below its node.",
    ).case(control_retrieval, needs=NOTIFIED, lasts_s=1900),
    row(
        "AGG-001",
        "Subscribe to EndDeviceList",
        "An EndDevice that is added is told to the subscriber of the list, and found with its programs.",
    ).case(new_device, needs=NOTIFIED, lasts_s=30),
    row("AGG-002", "Defaults only", "Each inverter finds the defaults of the programs above it.").case(
        defaults_only, needs=AGGREGATOR, lasts_s=20
    ),
    *(series_case(id_) for id_ in SERIES),
)
