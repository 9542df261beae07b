"""UTIL-002 to 004, AGG-001 and MAINT-001 to 005: an aggregator with its devices, by subscription."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance_tests.case import Level, Need
from conformance_tests.client.csip.assigned import FIELDS
from conformance_tests.client.csip.physical import holds
from conformance_tests.client.csip.replies import judge, silent, whole
from conformance_tests.client.csip.row import Row
from conformance_tests.client.csip.site import (
    DEVICES,
    FOUR,
    GROUPS,
    PRIMACY,
    Site,
    by_notification,
    device_of,
    factor,
    groups_of,
    settled,
    site_of,
    subscribed_to,
)
from conformance_tests.client.csip.told import heard, is_subscription
from conformance_tests.client.tolerances import DEVICE_S, LATE_S, POLL_LATE_S, SETTLE_S
from schemas import DERControlBase, MirrorUsagePoint

if TYPE_CHECKING:
    from conformance_tests.client.bench import ClientBench
    from conformance_tests.client.staged import StagedEvent

NODES: Final = tuple(GROUPS)
RETRIEVED: Final = ("SPA1", "SPA2", "SPB1", "SPB2", "FDA", "FDB", "SY")
"""UTIL-004: groups that get a control, one after the other."""
NEW: Final = "EDA1X"
WATCHED_S: Final = 300.0
"""How long nothing must be done in the name of a device that is gone, s: some postings of readings."""


async def commissioning(bench: ClientBench) -> None:
    """UTIL-002: the walk to the own Registration, and a DER resource of each inverter put."""
    site = site_of(bench, FOUR)
    groups_of(site, ("SY",))
    await settled(site)
    own = site.own
    read = await bench.waits(lambda: bool(bench.reads(own.registration)), SETTLE_S)
    bench.trial.check(read, "the aggregator reads its own Registration and compares the PIN")
    for name, device in site.devices.items():
        places = {getattr(device.ders[0], field) for _, field in FIELDS}
        seen = await bench.required(
            lambda one, places=places: one.method == "PUT" and one.path in places,  # type: ignore[misc]  # bound early
            bench.patience_s,
            f"a resource of the DER of {name} is put",
        )
        bench.trial.check(
            seen.status == 204 and not seen.flaws,
            f"what is put of {name} is valid and taken with 204",
            seen="; ".join(seen.flaws) or seen.status,
            exchange=bench.proof(seen),
        )


async def retrieval(bench: ClientBench) -> None:
    """UTIL-003: all assignments and programs of each inverter; subscriptions to the lists."""
    site = await _known(bench)
    for program in site.programs.values():
        read = bench.reads(program.controls)
        bench.trial.check(read, f"the DERControlList of {program.name} is read", seen=f"{len(read)} GETs")


async def controls(bench: ClientBench) -> None:
    """UTIL-004: a control for each group; Responses for the inverters of that group alone."""
    site = await _known(bench)
    for name in RETRIEVED:
        since, known_s = len(bench.notified), bench.stage.now()
        base = factor(900 + PRIMACY[name[:2]])
        event = _publish(site, name, base, 120, 120)
        await heard(bench, site.programs[name].controls, f"the control of {name}", since)
        await bench.until(event.end_s + LATE_S)
        _judge_group(site, name, event, known_s)


async def new_device(bench: ClientBench) -> None:
    """AGG-001: an inverter more; the aggregator is told, reads it, and takes it in."""
    site = await _known(bench)
    _need_new(bench)
    since, at = len(bench.notified), len(bench.requests)
    made = device_of(bench, NEW)
    site.devices[NEW] = made
    for name in ("SY", "TFA", "SPA1"):
        site.assignments[NEW, name] = bench.stage.assign(made, [site.programs[name]])
    await heard(bench, bench.stage.devices, "the changed EndDeviceList", since)
    read = await bench.waits(lambda: bool(bench.reads(made.assignments, at)), SETTLE_S)
    bench.trial.check(read, "the aggregator reads the assignments of the new EndDevice")


async def removed(bench: ClientBench) -> None:
    """MAINT-001: an inverter is removed out of band; nothing more is done in its name."""
    site = await _known(bench, (*FOUR, NEW))
    gone = site.devices.pop(NEW)
    since = len(bench.notified)
    bench.stage.remove(gone.href)
    await heard(bench, bench.stage.devices, "the changed EndDeviceList", since)
    await bench.pause(LATE_S)
    at = len(bench.requests)
    await bench.pause(WATCHED_S)
    places = _mirrors(bench, gone.lfdi)
    later = [one for one in bench.record.since(at) if one.status == 404 or one.path in places]
    bench.trial.check(
        not later,
        "nothing is asked for, written or mirrored any more of an EndDevice that was removed",
        seen=f"{later[0].method} of a {later[0].route or 'resource'}" if later else "",
        exchange=bench.proof(later[0]) if later else None,
    )


def _mirrors(bench: ClientBench, lfdi: str) -> set[str]:
    """Where the MirrorUsagePoints of a device are."""
    posted = bench.writes("POST", "MirrorUsagePointList")
    of_device = [
        one
        for one in posted
        if isinstance(one.resource, MirrorUsagePoint) and one.resource.deviceLFDI.upper() == lfdi.upper()
    ]
    return {one.exchange.header("Location") or "" for one in of_device}


async def removes(bench: ClientBench) -> None:
    """MAINT-002 (optional): the aggregator deletes an EndDevice in band."""
    site = await _known(bench, (*FOUR, NEW))
    gone = site.devices[NEW]
    if bench.observer is None or not await bench.observer.cause(gone.lfdi, "the removal of this device"):
        bench.trial.skip("nobody can ask the aggregator to remove a device: --observe hook|prompt")
    seen = await bench.required(
        lambda one: one.path == gone.href and one.method == "DELETE",
        bench.patience_s,
        "the EndDevice is deleted in band",
    )
    bench.trial.check(seen.status == 204, "DELETE of the EndDevice is answered 2xx", seen=seen.status)
    bench.trial.check(gone.href not in bench.stage.tree.held, "the EndDevice is gone: GET is 404")


async def moved(bench: ClientBench) -> None:
    """MAINT-003: EDB1 moves from SPB1 to SPA1: told, read again, and subscribed to."""
    site = await _known(bench)
    since, at = len(bench.notified), len(bench.requests)
    target = site.programs["SPA1"]
    bench.stage.unassign(site.assignments.pop(("EDB1", "SPB1")))
    made = site.assignments["EDB1", "SPA1"] = bench.stage.assign(site.devices["EDB1"], [target])
    await heard(bench, site.devices["EDB1"].assignments, "the changed assignments of EDB1", since)
    read = await bench.waits(lambda: bool(bench.reads(made.programs, at)), SETTLE_S)
    bench.trial.check(read, "the programs of the new assignment are read")
    told = await bench.first(lambda one: is_subscription(one, made.programs), SETTLE_S, at)
    bench.trial.check(
        told is not None,
        "the aggregator subscribes to the DERProgramList of the new assignment",
        exchange=bench.proof(told),
    )


async def new_control(bench: ClientBench) -> None:
    """MAINT-004: a control for the transformer, fifteen minutes from now, for five."""
    site = await _known(bench)
    since, known_s = len(bench.notified), bench.stage.now()
    base = factor(930)
    event = _publish(site, "TFA", base, 900, 300)
    await heard(bench, site.programs["TFA"].controls, "the control of TFA", since)
    await bench.until(event.start_s + DEVICE_S)
    await holds(site, base, "while the control runs", ("EDA1", "EDA2"))
    await bench.until(event.end_s + LATE_S)
    _judge_group(site, "TFA", event, known_s)


async def priorities(bench: ClientBench) -> None:
    """MAINT-005: the primacies of segments and transformers are swapped; the better default holds."""
    site = site_of(bench, FOUR)
    for name, primacy in (("TFA", 1), ("TFB", 1), ("SGA", 2), ("SGB", 2)):
        bench.stage.set_default(site.group(name, primacy, GROUPS[name]), _default(name))
    await _settle(site)
    await bench.pause(DEVICE_S)
    await _best(site, "TF", "before the change")
    since = len(bench.notified)
    for name, primacy in (("TFA", 2), ("TFB", 2), ("SGA", 1), ("SGB", 1)):
        bench.stage.set_primacy(site.programs[name], primacy)
    for one in site.assignments.values():
        await heard(bench, one.programs, "a changed DERProgramList", since)
    await bench.pause(DEVICE_S + POLL_LATE_S)
    await _best(site, "SG", "after the change")


async def _best(site: Site, level: str, when: str) -> None:
    for name in site.devices:
        await holds(site, _default(f"{level}{name[2]}"), when, (name,))


def _default(name: str) -> DERControlBase:
    return DERControlBase(opModMaxLimW=9_000 if name.startswith("TF") else 7_000)


async def _known(bench: ClientBench, names: tuple[str, ...] = FOUR) -> Site:
    """All groups of the topology; the aggregator knows them and has subscribed to their lists."""
    if NEW in names:
        _need_new(bench)
    site = site_of(bench, names)
    groups_of(site, NODES)
    await _settle(site)
    return site


async def _settle(site: Site) -> None:
    bench = site.bench
    by_notification(bench)
    await settled(site)
    wanted = {one.programs: "DERProgramList" for one in site.assignments.values()}
    wanted |= {one.controls: "DERControlList" for one in site.programs.values()}
    wanted |= {bench.stage.devices: "EndDeviceList"}

    left = [wanted[href] for href in await subscribed_to(site, list(wanted))]
    for kind in ("DERProgramList", "DERControlList"):
        lacking = left.count(kind)
        bench.trial.check(
            not lacking,
            f"the aggregator subscribes to every {kind} of its devices (P31, P32)",
            seen=f"{lacking} of them without a Subscription" if lacking else "",
        )
    bench.trial.check(
        "EndDeviceList" not in left,
        "the aggregator subscribes to the EndDeviceList (P46)",
        level=Level.SHOULD,
    )


def _need_new(bench: ClientBench) -> None:
    if len(bench.devices) < len(DEVICES):
        bench.trial.skip("needs the LFDIs of five devices of the aggregator: --device for each")


def _publish(site: Site, name: str, base: DERControlBase, start_s: int, duration_s: int) -> StagedEvent:
    stage = site.bench.stage
    return stage.publish(
        site.programs[name], base, start_s=stage.now() + start_s, duration_s=duration_s, description=name
    )


def _judge_group(site: Site, group: str, event: StagedEvent, known_s: float) -> None:
    """Responses of the devices of a group, none of the others."""
    for device in site.devices.values():
        name = next(key for key, one in site.devices.items() if one is device)
        if name in GROUPS[group]:
            judge(
                site.bench, event, device.lfdi, whole(site.bench, event, known_s), f"the control of {group}"
            )
        else:
            silent(site.bench, event, device.lfdi, f"the control of {group}")


def _row(name: str, title: str, requirement: str, procedure: object, lasts_s: float) -> Row:
    return Row(
        name=name,
        title=title,
        requirement=requirement,
        procedure=procedure,  # type: ignore[arg-type]  # all are procedures
        lasts_s=lasts_s,
        client=None,
        aggregator=Level.SHOULD if name == "MAINT-002" else Level.MUST,
        needs=frozenset[Need](),
    )


ROWS: Final = (
    _row(
        "UTIL-002",
        "Aggregator commissioning",
        "The aggregator finds itself and its inverters and puts their DER resources",
        commissioning,
        300,
    ),
    _row(
        "UTIL-003",
        "Aggregator retrieves group assignments",
        "It reads all assignments and programs of each inverter and subscribes to their lists",
        retrieval,
        300,
    ),
    _row(
        "UTIL-004",
        "Aggregator retrieves programs and controls",
        "It answers a control for the inverters of its group, and for no other",
        controls,
        2_400,
    ),
    _row("AGG-001", "Subscription to the EndDeviceList", "A new inverter is taken in", new_device, 420),
    _row("MAINT-001", "Inverter removed out of band", "Nothing is done in its name any more", removed, 600),
    _row("MAINT-002", "Inverter removed in band", "The aggregator may delete an EndDevice", removes, 600),
    _row(
        "MAINT-003", "Inverter moved to another group", "The new group is read and subscribed to", moved, 420
    ),
    _row("MAINT-004", "New control on a group", "The control is run by its group", new_control, 1_500),
    _row("MAINT-005", "Change of program priority", "The default of the best program holds", priorities, 420),
)
CASES: Final = tuple(case for row in ROWS for case in row.cases())
