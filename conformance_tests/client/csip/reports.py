"""CORE-014 and BASIC-027 to 029: ratings and settings, alarms, status, monitoring data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance_tests.client.csip.ratings import STORAGE, judged
from conformance_tests.client.csip.row import Row
from conformance_tests.client.csip.site import Site, levels_of, settled, site_of
from conformance_tests.client.csip.timing import spaced
from conformance_tests.client.tolerances import SETTLE_S
from schemas import (
    DERCapability,
    DERSettings,
    LogEvent,
    MirrorMeterReading,
    MirrorMeterReadingList,
    MirrorUsagePoint,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance_tests.client.bench import ClientBench
    from conformance_tests.client.seen import Seen
    from conformance_tests.client.staged import StagedDevice

ALARMS: Final = 5
POST_RATE_S: Final = 60
POSTINGS: Final = 3
UNITS: Final = {38: "active power, W", 63: "reactive power, var", 33: "frequency, Hz", 29: "voltage, V"}
"""Reading types of BASIC-029 by uom."""
WATT, ELECTRICITY, POWER = 38, 1, 37
"""The uom, commodity and kind of active power. IEEE 2030.5-2018, B.2.3.4."""
MOST_OF_RATED: Final = 2.0
"""Power beyond so many times the rating was scaled wrongly."""
GENERATOR: Final = (
    "genConnectStatus",
    "inverterStatus",
    "localControlModeStatus",
    "manufacturerStatus",
    "operationalModeStatus",
)
STORED: Final = ("stateOfChargeStatus", "storageModeStatus", "storConnectStatus")


async def settings(bench: ClientBench) -> None:
    """CORE-014: DERCapability and DERSettings are put, and fit each other and the modes."""
    site = await _ready(bench)
    for name, device in site.devices.items():
        capability = await _put(bench, "DERCapability", device.ders[0].capability, name)
        given = await _put(bench, "DERSettings", device.ders[0].settings, name)
        held, beside = capability.resource, given.resource
        if isinstance(held, DERCapability) and isinstance(beside, DERSettings):
            for one in judged(held, beside):
                bench.trial.check(one.held, f"{name}: {one.what}", seen=one.seen, exchange=bench.proof(given))


async def alarms(bench: ClientBench) -> None:
    """BASIC-027: five LogEvents are posted and kept, newest first."""
    site = await _ready(bench)
    device = next(iter(site.devices.values()))
    caused = await _cause(bench, device.lfdi)

    def posted() -> list[Seen]:
        return [one for one in bench.writes("POST", "LogEventList") if one.path == device.log]

    enough = await bench.waits(lambda: len(posted()) >= ALARMS, bench.patience_s)
    found = posted()
    if not enough and not caused:
        came = f"{len(found)} LogEvents came" if found else "no LogEvent came"
        bench.trial.skip(f"{came}, and nobody could be asked to cause {ALARMS}: --observe hook|prompt")
    bench.trial.check(enough, f"{ALARMS} LogEvents are posted to the LogEventList", seen=f"{len(found)} came")
    for one in found:
        event = one.resource
        bench.trial.check(
            isinstance(event, LogEvent) and one.status == 201 and not one.flaws,
            "a LogEvent is valid and is taken with 201",
            seen=f"{one.status} {'; '.join(one.flaws)}".strip(),
            exchange=bench.proof(one),
        )
    shown = bench.stage.tree.item_hrefs(device.log, bench.stage.now())
    times = [getattr(bench.stage.tree.held[href].resource, "createdDateTime", 0) for href in shown]
    bench.trial.check(times == sorted(times, reverse=True), "the LogEvents read back newest first")


async def _cause(bench: ClientBench, lfdi: str) -> bool:
    """Ask who stands at the device for five alarms, or their ends; whether somebody causes them."""
    what = f"{ALARMS} alarms or returns to normal, one after the other"
    if bench.observer is None:
        return False
    bench.trial.note(f"who watches the device is asked to cause: {what}")
    return await bench.observer.cause(lfdi, what)


async def status(bench: ClientBench) -> None:
    """BASIC-028: DERStatus is put with what a generator, and what storage, has to say."""
    site = await _ready(bench)
    for name, device in site.devices.items():
        capability = await _put(bench, "DERCapability", device.ders[0].capability, name)
        await _put(bench, "DERStatus", device.ders[0].status, name)
        kind = capability.resource.type if isinstance(capability.resource, DERCapability) else 0
        wanted = (*GENERATOR, *(STORED if kind in STORAGE else ()))
        put = await _told_all(bench, device.ders[0].status, wanted)
        for field in wanted:
            bench.trial.check(
                getattr(put.resource, field, None) is not None,
                f"DERStatus of {name} has {field}",
                seen="absent" if getattr(put.resource, field, None) is None else "",
                exchange=bench.proof(put),
            )


async def _told_all(bench: ClientBench, href: str, fields: tuple[str, ...]) -> Seen:
    """The last DERStatus, once one says all of this; a client that has just begun may not know all yet."""

    def last() -> Seen:
        return [one for one in bench.requests if one.path == href and one.method == "PUT"][-1]

    await bench.waits(lambda: None not in [getattr(last().resource, f, None) for f in fields], SETTLE_S)
    return last()


async def monitoring(bench: ClientBench) -> None:
    """BASIC-029: mirror usage points with four reading types; readings at postRate, mRIDs reused."""
    bench.stage.tree.post_rate_s = POST_RATE_S
    site = await _ready(bench)
    for name, device in site.devices.items():
        await _mirrored(bench, name, device.lfdi)
        _plausible(bench, name, device)


async def _mirrored(bench: ClientBench, name: str, lfdi: str) -> None:
    points = await _points(bench, name, lfdi)
    places = {one.exchange.header("Location") or "" for one in points}

    def readings() -> list[Seen]:
        return [one for one in bench.writes("POST", "MirrorUsagePoint") if one.path in places]

    def is_enough() -> bool:
        units = _units([*points, *readings()])
        per_place = [sum(one.path == place for one in readings()) for place in places]
        return UNITS.keys() <= units and min(per_place, default=0) >= POSTINGS

    enough = await bench.waits(is_enough, POST_RATE_S * (POSTINGS + 2) + SETTLE_S)
    came = readings()
    what = f"each mirror usage point of {name} gets {POSTINGS} postings, one each {POST_RATE_S} s"
    bench.trial.check(enough, what, seen=f"{len(came)} to {len(places)}")
    units = _units([*points, *came])
    for unit, words in UNITS.items():
        bench.trial.check(unit in units, f"{name} mirrors {words} (uom {unit})", seen=f"uom {sorted(units)}")
    for place in sorted(places):
        there = [one for one in came if one.path == place]
        bench.trial.check(there, f"readings of {name} are posted to the Location of their mirror usage point")
        _reused(bench, name, there, [one for one in points if one.exchange.header("Location") == place])
    for one in came:
        bench.trial.check(
            one.status in {201, 204} and not one.flaws,
            f"a posting of readings of {name} is valid and taken",
            seen="; ".join(one.flaws) or one.status,
            exchange=bench.proof(one),
        )


def _plausible(bench: ClientBench, name: str, device: StagedDevice) -> None:
    """Active power is electricity and power by its reading type, and not beyond what the DER is rated for."""
    points = _points_of(bench, device.lfdi)
    places = {one.exchange.header("Location") for one in points}
    posted = [one for one in bench.writes("POST", "MirrorUsagePoint") if one.path in places]
    readings = [reading for one in (*points, *posted) for reading in _meter_readings(one)]
    types = {one.mRID.upper(): one.ReadingType_ for one in readings if one.ReadingType_ is not None}
    power = {mrid: one for mrid, one in types.items() if one.uom == WATT}
    odd = [
        one
        for one in power.values()
        if (one.commodity or ELECTRICITY, one.kind or POWER) != (ELECTRICITY, POWER)
    ]
    what = (
        f"the reading type of active power of {name} is that of electricity (commodity 1) and power (kind 37)"
    )
    bench.trial.check(not odd, what, seen=[(one.commodity, one.kind) for one in odd])
    held = bench.stage.tree.held.get(device.ders[0].capability)
    if held is None or not isinstance(held.resource, DERCapability):
        return
    rated = held.resource.rtgMaxW
    most_w = MOST_OF_RATED * float(rated.value * 10.0**rated.multiplier)
    values = [
        value * 10.0 ** (power[one.mRID.upper()].powerOfTenMultiplier or 0)
        for one in readings
        if one.mRID.upper() in power
        for value in _values(one)
    ]
    beyond = [value for value in values if abs(value) > most_w]
    what = f"active power that is mirrored of {name} is not beyond what its DER is rated for"
    bench.trial.check(not beyond, what, seen=f"{beyond[:3]} W of {most_w / MOST_OF_RATED:.0f} W")


def _values(reading: MirrorMeterReading) -> list[int]:
    single = [reading.Reading_] if reading.Reading_ is not None else []
    held = [*single, *(one for group in reading.MirrorReadingSet_ for one in group.Reading_)]
    return [one.value for one in held if one.value is not None]


async def _points(bench: ClientBench, name: str, lfdi: str) -> list[Seen]:
    def is_ours(one: Seen) -> bool:
        return one.route == "MirrorUsagePointList" and _is_of(one, lfdi)

    await bench.required(is_ours, bench.patience_s, f"a mirror usage point of {name} is posted")
    await bench.pause(POST_RATE_S)
    found = _points_of(bench, lfdi)
    for one in found:
        bench.trial.check(
            one.status in {201, 204} and not one.flaws,
            f"the mirror usage point of {name} is valid and taken with 201 and a Location",
            seen="; ".join(one.flaws) or one.status,
            exchange=bench.proof(one),
        )
    return found


def _points_of(bench: ClientBench, lfdi: str) -> list[Seen]:
    """The postings of mirror usage points of a device."""
    return [one for one in bench.writes("POST", "MirrorUsagePointList") if _is_of(one, lfdi)]


def _is_of(seen: Seen, lfdi: str) -> bool:
    point = seen.resource
    return isinstance(point, MirrorUsagePoint) and point.deviceLFDI.upper() == lfdi.upper()


def _reused(bench: ClientBench, name: str, came: list[Seen], points: list[Seen]) -> None:
    """Check the intervals of each MirrorMeterReading, and that its mRID stays the same."""
    by_mrid: dict[str, list[Seen]] = {}
    for one in came:
        for reading in _meter_readings(one):
            by_mrid.setdefault(reading.mRID.upper(), []).append(one)
    for mrid, seen in by_mrid.items():
        spaced(bench, f"{name} ({mrid[:8]})", seen, POST_RATE_S)
    if came:
        once = [mrid for mrid, seen in by_mrid.items() if len(seen) == 1]
        known = {reading.mRID.upper() for one in points for reading in _meter_readings(one)}
        bench.trial.check(
            not [mrid for mrid in once if mrid not in known] or len(came) == 1,
            f"the mRIDs of the MirrorMeterReadings of {name} are used again in every posting",
            seen=f"{len(by_mrid)} mRIDs in {len(came)} postings",
        )


def _units(seen: Iterable[Seen]) -> set[int]:
    readings = [reading for one in seen for reading in _meter_readings(one)]
    types = [one.ReadingType_ for one in readings if one.ReadingType_ is not None]
    return {int(one.uom) for one in types if one.uom is not None}


def _meter_readings(seen: Seen) -> list[MirrorMeterReading]:
    one = seen.resource
    if isinstance(one, MirrorMeterReading):
        return [one]
    if isinstance(one, MirrorMeterReadingList | MirrorUsagePoint):
        return list(one.MirrorMeterReading_)
    return []


async def _ready(bench: ClientBench) -> Site:
    site = levels_of(site_of(bench), ("SP",))
    await settled(site)
    return site


async def _put(bench: ClientBench, route: str, href: str, name: str) -> Seen:
    seen = await bench.required(
        lambda one: one.path == href and one.method == "PUT",
        bench.patience_s,
        f"the client puts the {route} of {name}",
    )
    bench.trial.check(
        seen.status == 204 and not seen.flaws,
        f"the {route} of {name} is valid and taken with 204",
        seen="; ".join(seen.flaws) or seen.status,
        exchange=bench.proof(seen),
    )
    return seen


def _row(name: str, title: str, requirement: str, procedure: Any) -> Row:  # noqa: ANN401  a procedure
    return Row(name=name, title=title, requirement=requirement, procedure=procedure, lasts_s=600)


ROWS: Final = (
    _row(
        "CORE-014",
        "Basic DER settings",
        "Ratings and settings of the supported modes are put, and no setting is beyond its rating",
        settings,
    ),
    _row("BASIC-027", "Alarms", "Alarms are posted as LogEvents", alarms),
    _row("BASIC-028", "DER status", "DERStatus says how generator and storage are", status),
    _row(
        "BASIC-029",
        "Monitoring data",
        "Active and reactive power, frequency and voltage are mirrored, not more often than postRate",
        monitoring,
    ),
)
CASES: Final = tuple(case for row in ROWS for case in row.cases())
