"""What a client does with events that the CSIP procedures leave out: late, gone, for others, of one program.

IEEE 2030.5-2018, 10.2.3. DER clients and aggregators play the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from conformance_tests.case import AnyCase, Case, Role
from conformance_tests.client.csip.physical import holds
from conformance_tests.client.csip.replies import (
    CANCELLED,
    COMPLETED,
    STARTED,
    SUPERSEDED,
    Due,
    at,
    judge,
    received,
    silent,
    whole,
)
from conformance_tests.client.csip.row import PROFILES
from conformance_tests.client.csip.site import Site, factor, levels_of, settled, site_of
from conformance_tests.client.tolerances import DEVICE_S, LATE_S
from conformance_tests.server.event_laws import CLAUSE
from conformance_tests.sources import STANDARD

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conformance_tests.client.bench import ClientBench
    from conformance_tests.client.staged import StagedEvent, StagedProgram

IDLE: Final = factor(980)
"""The default of the one program in these cases."""
ASKED: Final = factor(930)
RANDOM_S: Final = 60
EXPIRED: Final = 254
THERMOSTAT: Final = "00000001"
"""A deviceCategory that no DER has."""


async def _one_program(bench: ClientBench) -> tuple[Site, StagedProgram]:
    site = levels_of(site_of(bench), ("SP",))
    program = site.programs["SP"]
    bench.stage.set_default(program, IDLE)
    await settled(site)
    return site, program


async def superseded(bench: ClientBench) -> None:
    """A newer control of the same program and mode takes over at its start; the older one is not resumed."""
    site, program = await _one_program(bench)
    known_s = bench.stage.now()
    older = bench.stage.publish(program, factor(950), start_s=known_s + 60, duration_s=300)
    await bench.until(older.start_s + DEVICE_S)
    newer_s = bench.stage.now()
    newer = bench.stage.publish(program, ASKED, start_s=newer_s + 60, duration_s=60)
    await bench.until(newer.start_s + DEVICE_S)
    await holds(site, ASKED, "while the newer control runs")
    await bench.until(newer.end_s + DEVICE_S)
    await holds(site, IDLE, "once the newer control is over: the older one is not resumed")
    await bench.until(older.end_s + LATE_S)
    for device in site.devices.values():
        lost = [received(bench, older, known_s), at(STARTED, older.start_s), at(SUPERSEDED, newer.start_s)]
        judge(bench, older, device.lfdi, lost, "the older control")
        judge(bench, newer, device.lfdi, whole(bench, newer, newer_s), "the newer control")


async def expired(bench: ClientBench) -> None:
    """A control that is over when it comes is refused with 254, and never run."""
    site, program = await _one_program(bench)
    known_s = bench.stage.now()
    over = bench.stage.publish(program, ASKED, start_s=known_s - 62, duration_s=60, creationTime=known_s - 90)
    await bench.pause(DEVICE_S)
    await holds(site, IDLE, "though a control came that is over")
    for device in site.devices.values():
        judge(bench, over, device.lfdi, [_soon(bench, over, EXPIRED, known_s)], "a control that is over")


async def late(bench: ClientBench) -> None:
    """A control that runs already when it comes is begun at once, and ends at its specified end."""
    site, program = await _one_program(bench)
    known_s = bench.stage.now()
    event = bench.stage.publish(
        program, ASKED, start_s=known_s - 60, duration_s=240, creationTime=known_s - 90
    )
    await bench.until(event.end_s - DEVICE_S)
    await holds(site, ASKED, "while the control runs that came late")
    await bench.until(event.end_s + LATE_S)
    for device in site.devices.values():
        due = [received(bench, event, known_s), _soon(bench, event, STARTED, known_s)]
        judge(bench, event, device.lfdi, [*due, at(COMPLETED, event.end_s)], "a control that came late")


async def left_the_list(bench: ClientBench) -> None:
    """A control that is no longer in its list was not cancelled: it is run to its end."""
    site, program = await _one_program(bench)
    known_s = bench.stage.now()
    event = bench.stage.publish(program, ASKED, start_s=known_s + 60, duration_s=240)
    await bench.until(event.start_s + DEVICE_S)
    bench.stage.tree.leave(program.controls, event.href)
    bench.stage.changed({program.controls})
    await bench.pause(2 * DEVICE_S)
    await holds(site, ASKED, "while the control runs that has left its list")
    await bench.until(event.end_s + LATE_S)
    for device in site.devices.values():
        judge(bench, event, device.lfdi, whole(bench, event, known_s), "the control")


async def cancelled_randomly(bench: ClientBench) -> None:
    """A control that is cancelled with randomization ends within its random part, and is answered 6."""
    site, program = await _one_program(bench)
    known_s = bench.stage.now()
    event = bench.stage.publish(
        program, ASKED, start_s=known_s + 60, duration_s=400, randomizeDuration=RANDOM_S
    )
    await bench.until(event.start_s + DEVICE_S)
    cancelled_s = bench.stage.now()
    bench.stage.cancel(event, randomized=True)
    latest_s = cancelled_s + bench.stage.tree.poll_rate_s + RANDOM_S
    await bench.until(latest_s + DEVICE_S)
    await holds(site, IDLE, "once the control is cancelled with randomization")
    await bench.until(event.end_s + LATE_S)
    for device in site.devices.values():
        due = [received(bench, event, known_s), at(STARTED, event.start_s)]
        judge(bench, event, device.lfdi, [*due, at(CANCELLED, cancelled_s, latest_s)], "the control")


async def early_start(bench: ClientBench) -> None:
    """A negative randomizeStart lets a control begin earlier, by no more than that."""
    site, program = await _one_program(bench)
    known_s = bench.stage.now()
    event = bench.stage.publish(
        program, ASKED, start_s=known_s + 180, duration_s=120, randomizeStart=-RANDOM_S
    )
    await bench.until(event.end_s + LATE_S)
    for device in site.devices.values():
        due = [
            received(bench, event, known_s),
            at(STARTED, event.start_s - RANDOM_S, event.start_s),
            at(COMPLETED, event.end_s - RANDOM_S, event.end_s),
        ]
        judge(bench, event, device.lfdi, due, "the control")


async def other_category(bench: ClientBench) -> None:
    """A control for other categories of devices is neither run nor answered."""
    site, program = await _one_program(bench)
    event = bench.stage.publish(
        program, ASKED, start_s=bench.stage.now() + 60, duration_s=60, deviceCategory=THERMOSTAT
    )
    await bench.until(event.start_s + DEVICE_S)
    await holds(site, IDLE, "while a control for thermostats runs")
    await bench.until(event.end_s + LATE_S)
    for device in site.devices.values():
        silent(bench, event, device.lfdi, "a control for thermostats")


def _soon(bench: ClientBench, event: StagedEvent, code: int, known_s: float) -> Due:
    """A Response as soon as the client knows of an event."""
    return replace(received(bench, event, known_s), codes=frozenset({code}))


_ROWS: Final[tuple[tuple[str, str, str, Callable[[ClientBench], Awaitable[None]], int], ...]] = (
    (
        "superseded",
        "a newer control of the same modes supersedes an older one",
        "Of two controls of one program and mode the newer one is run from its start, the older answered 7.",
        superseded,
        500,
    ),
    (
        "expired",
        "a control that is over when it comes is refused",
        "A control that is received after its end is answered 254 and never run.",
        expired,
        150,
    ),
    (
        "late",
        "a control that runs when it comes is begun at once",
        "A control that is received while it runs is begun at once, and ends at its specified end.",
        late,
        350,
    ),
    (
        "left-the-list",
        "a control that has left its list was not cancelled",
        "Status alone ends a control before its time: one that is no longer listed is run to its end.",
        left_the_list,
        400,
    ),
    (
        "cancelled-randomly",
        "a control is cancelled with randomization",
        "A control with status 3 ends within its random part and is answered 6.",
        cancelled_randomly,
        550,
    ),
    (
        "random-start",
        "a control begins within its random start",
        "With a negative randomizeStart a control begins before its start by no more than that.",
        early_start,
        400,
    ),
    (
        "other-category",
        "a control for other devices is left alone",
        "A control whose deviceCategory is another's is neither run nor answered.",
        other_category,
        250,
    ),
)


def _case(row: tuple[str, str, str, Callable[[ClientBench], Awaitable[None]], int], role: Role) -> AnyCase:
    name, title, requirement, procedure, lasts_s = row
    return Case(
        id=f"events/{name}/{role}",
        title=title,
        source=STANDARD,
        clause=CLAUSE,
        requirement=requirement,
        role=role,
        procedure=procedure,
        profiles=PROFILES,
        lasts_s=lasts_s,
    )


CASES: Final = tuple(_case(row, role) for row in _ROWS for role in (Role.DER_CLIENT, Role.AGGREGATOR))
