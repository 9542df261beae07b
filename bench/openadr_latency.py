"""OpenADR 2.0b: from the VTN's answer to a poll until the device sees its DERControl.

The clock starts where the VTN takes the events for its answer, so that its signature, TLS and HTTP are in the
time; it ends where a device that looks every few ms over mutual TLS has the DERControl in its DERControlList.
What the VEN does within: verify, decide, store, answer, translate, store, publish. VTN, VEN and server share
the cores.
"""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from bench.measure import Result
from bench.openadr_site import FLEET, HOUR, WATCHED, event_of, site
from schemas.codes import EventState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.openadr_site import Site, Watcher
    from bench.stand import Stand
    from schemas import DERControl

ROUNDS: Final = 100
TOGETHER: Final = 20
BAR_MS: Final = 300.0
LONGEST_S: Final = 30.0
LOOK_S: Final = 0.004


def measure(stand: Stand) -> list[Result]:
    """Median and p99 of events that are made, modified and cancelled, one device each; and ten at once."""
    with site(stand) as made:
        begins = int(time.time()) + 10 * HOUR
        lives = [_life(made, f"event-{n}", (WATCHED[n % len(WATCHED)],), begins) for n in range(ROUNDS)]
        ten = [_life(made, f"ten-{n}", WATCHED, begins + HOUR) for n in range(TOGETHER)]
    created, modified, cancelled = (list(times) for times in zip(*lives, strict=True))
    return [
        _result("made, one device", created),
        _result("modified, one device", modified),
        _result("cancelled, one device", cancelled),
        _result(f"made, all of {len(WATCHED)} devices", [times[0] for times in ten]),
    ]


def _result(what: str, times_s: Sequence[float]) -> Result:
    ordered = sorted(times_s)
    p99_ms = ordered[math.ceil(0.99 * len(ordered)) - 1] * 1e3
    note = f"{len(ordered)} events, median {statistics.median(ordered) * 1e3:.0f} ms"
    return Result(
        name=f"OpenADR event {what}: until seen, p99",
        ours=p99_ms,
        bar=BAR_MS,
        note=f"{note}; VEN with {len(WATCHED) + len(FLEET)} devices",
    )


def _life(made: Site, name: str, resources: Sequence[str], start: int) -> tuple[float, float, float]:
    """An event that is made, modified and cancelled: how long each took to be seen, s."""
    watchers = [made.watchers[one] for one in resources]
    vtn = made.vtn.vtn
    asked = [-2000 * len(resources), -1500 * len(resources)]
    first = event_of(name, resources, asked[0], start)
    second = replace(event_of(name, resources, asked[1], start), modification=1)
    times = (
        _seen_after(made, partial(vtn.publish, first), watchers, name, _is_made),
        _seen_after(made, partial(vtn.publish, second), watchers, name, _is_modified),
        _seen_after(made, partial(vtn.cancel, name), watchers, name, _is_cancelled),
    )
    made.vtn.do(partial(vtn.events.pop, name))
    return times


def _seen_after(
    made: Site,
    act: Callable[[], object],
    watchers: Sequence[Watcher],
    name: str,
    is_seen: Callable[[list[DERControl]], bool],
) -> float:
    """How long after the VTN's answer the last of the devices saw it, s. TimeoutError where one did not."""
    vtn = made.vtn.vtn
    vtn.answered_s = 0.0
    made.vtn.do(act)
    waiting = list(watchers)
    until = time.perf_counter() + LONGEST_S
    while waiting:
        if time.perf_counter() > until:
            raise TimeoutError(f"{waiting[0].name} did not see {name}")
        if is_seen(waiting[0].controls(name)):
            waiting.pop(0)
        else:
            time.sleep(LOOK_S)
    seen_s = time.perf_counter()
    if not vtn.answered_s:
        raise RuntimeError(f"{name} was seen before the VTN told it")
    return seen_s - vtn.answered_s


def _watts(controls: Sequence[DERControl], state: EventState) -> list[int]:
    """The set points of the controls in a state, W."""
    held = [one.DERControlBase_.opModTargetW for one in controls if one.EventStatus_.currentStatus == state]
    return [one.value * 10**one.multiplier for one in held if one is not None]


def _is_made(controls: list[DERControl]) -> bool:
    return _watts(controls, EventState.SCHEDULED) == [2000]


def _is_modified(controls: list[DERControl]) -> bool:
    """The new one is there, and the old one is not valid any more."""
    return _watts(controls, EventState.SCHEDULED) == [1500] and _watts(controls, EventState.CANCELLED) == [
        2000
    ]


def _is_cancelled(controls: list[DERControl]) -> bool:
    return len(_watts(controls, EventState.CANCELLED)) == len(controls) == 2
