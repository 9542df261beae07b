"""Changes of the network: MAINT-001 to 005."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance_tests.server.csip import steps
from conformance_tests.server.csip.aggregator import DONE, TWO, check_told
from conformance_tests.server.csip.event_series import Planned, Play, Series
from conformance_tests.server.csip.rows import AGGREGATOR, NOTIFIED, row
from conformance_tests.server.csip.subscriptions import subscriber
from conformance_tests.server.csip.topology import PATHS, fleet, lfdi_of, look, place
from schemas import DERProgram, DERProgramList, DeviceCapability

if TYPE_CHECKING:
    from conformance_tests.server.bench import ServerBench


async def out_of_band(bench: ServerBench) -> None:
    """MAINT-001: an inverter that the operator removed is told by the EndDeviceList, and gone."""
    found = await fleet(bench, TWO)
    await place(bench, "EDA1X", PATHS["EDA1"], TWO)
    viewer = found.viewer
    lfdi = lfdi_of("EDA1X", viewer.lfdi)
    device = await steps.end_device(bench, viewer, lfdi)
    dcap = await viewer.read(bench.dcap, DeviceCapability)
    devices = steps.linked(bench, dcap, "EndDeviceListLink")
    async with subscriber(bench, viewer, found.own) as subscribed:
        await subscribed.subscribe(devices)
        await bench.operator.remove_device(lfdi)
        await subscribed.told(devices)
        exchange = await viewer.get(device.href or "")
        what = "GET of an EndDevice that was removed answers 404"
        bench.trial.check(exchange.status == 404, what, seen=exchange.status)


async def in_band(bench: ServerBench) -> None:
    """MAINT-002: an aggregator removes an inverter by DELETE."""
    await bench.operator.ensure_device(bench.aggregator.lfdi, pin=steps.PIN, ders=0, is_aggregator=True)
    await place(bench, "EDA1X", PATHS["EDA1"], TWO)
    viewer = bench.aggregator
    device = await steps.end_device(bench, viewer, lfdi_of("EDA1X", viewer.lfdi))
    exchange = await viewer.delete(device.href or "")
    status = exchange.status or 0
    if status in {403, 405, 501}:
        bench.trial.skip(
            f"the server lets no aggregator remove an EndDevice ({status}): optional, erratum 32"
        )
    bench.trial.require(200 <= status < 300, "DELETE of an EndDevice answers 2xx", seen=status)
    exchange = await viewer.get(device.href or "")
    what = "GET of an EndDevice that was deleted answers 404"
    bench.trial.check(exchange.status == 404, what, seen=exchange.status)


async def moved(bench: ServerBench) -> None:
    """MAINT-003: an inverter is moved from SPB1 to SPA1, and told of its new assignments."""
    found = await fleet(bench)
    viewer, operator = found.viewer, bench.operator
    lfdi, device = found.lfdi("EDB1"), found.devices["EDB1"]
    assignments = steps.linked(bench, device, "FunctionSetAssignmentsListLink")
    async with subscriber(bench, viewer, found.own) as subscribed:
        await subscribed.subscribe(assignments)
        for node in PATHS["EDB1"][3:]:
            await operator.unassign(lfdi, node)
        for node, level in zip(PATHS["EDA1"][3:], (7, 6, 5, 4), strict=True):
            await operator.assign(lfdi, node, primacy=level)
        await subscribed.told(assignments)
        await look(bench, found, "EDB1", PATHS["EDA1"])
        program = found.programs["EDB1"]["SPA1"]
        same = program.mRID == found.programs["EDA1"]["SPA1"].mRID
        bench.trial.check(same, "the inverter has the program of its new node", seen=program.mRID)
        await subscribed.subscribe(steps.linked(bench, program, "DERControlListLink"))
        for one in await steps.assignments(bench, viewer, device):
            if one.DERProgramListLink_ is not None:
                await subscribed.subscribe(one.DERProgramListLink_.href)


async def new_control(bench: ServerBench) -> None:
    """MAINT-004: a new control of TFA is told with all items, shown and answered."""
    found = await fleet(bench, TWO)
    planned = Planned(name="c1", program="TFA", start_s=900, duration_s=300)
    owed = {name: {"c1": DONE} for name in found.below("TFA")}
    async with subscriber(bench, found.viewer, found.own) as subscribed:
        await subscribed.subscribe(steps.linked(bench, found.program("TFA"), "DERControlListLink"))
        play = Play(bench, Series(controls=(planned,), owed=owed), found.parties())
        await play.publish_known()
        await check_told(bench, found, subscribed, "TFA", play.published["c1"].mrid)
        await play.follow()


async def new_priority(bench: ServerBench) -> None:
    """MAINT-005: programs change their primacies, which the lists of programs tell."""
    found = await fleet(bench)
    nodes = ("TFA", "SGA", "TFB", "SGB")
    for node, primacy in zip(nodes, (1, 2, 1, 2), strict=True):
        await bench.operator.set_primacy(node, primacy)
    viewer = found.viewer
    places = {}
    for name in ("EDA1", "EDB1"):
        for one in await steps.assignments(bench, viewer, found.devices[name]):
            if one.DERProgramListLink_ is None:
                continue
            href = one.DERProgramListLink_.href
            for program in await viewer.items(href, DERProgramList, DERProgram):
                places[program.mRID] = href
    async with subscriber(bench, viewer, found.own) as subscribed:
        for node in nodes:
            await subscribed.subscribe(places[found.program(node).mRID])
        for node, primacy in zip(nodes, (2, 1, 2, 1), strict=True):
            subscribed.listener.forget()
            href = places[found.program(node).mRID]
            await bench.operator.set_primacy(node, primacy)
            await subscribed.told(href)
            held = {one.mRID: one for one in await viewer.items(href, DERProgramList, DERProgram)}
            seen = held[found.program(node).mRID].primacy if found.program(node).mRID in held else None
            bench.trial.check(seen == primacy, f"{node} has its new primacy", seen=seen)


CASES: Final = (
    row(
        "MAINT-001",
        "Remove inverter, out of band",
        "The removal of an EndDevice is told to the subscriber of the list; a GET of it answers 404.",
    ).case(out_of_band, needs=NOTIFIED, lasts_s=30),
    row(
        "MAINT-002",
        "Remove inverter, in band (DELETE)",
        "DELETE of an EndDevice by its aggregator answers 2xx, and a GET of it 404.",
    ).case(in_band, needs=AGGREGATOR, lasts_s=10),
    row(
        "MAINT-003",
        "Move inverter to another group",
        "New assignments are told; the program of the new node is shown and can be subscribed to.",
    ).case(moved, needs=NOTIFIED, lasts_s=40),
    row(
        "MAINT-004",
        "New control on a group",
        "A new control is told with the items of the list; Responses of those below it are kept.",
    ).case(new_control, needs=NOTIFIED, lasts_s=1250),
    row(
        "MAINT-005",
        "Change program priority",
        "A changed primacy is told by the lists of programs and shown in them.",
    ).case(new_priority, needs=NOTIFIED, lasts_s=40),
)
