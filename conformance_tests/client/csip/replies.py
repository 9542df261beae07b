"""Judging the Responses to one event: which, in which order, when, and for whom. IEEE 2030.5-2018, 10.2.3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conformance_tests.client.tolerances import CLOCK_S, EARLY_S, LATE_S, RECEIVED_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance_tests.client.bench import ClientBench, Reply
    from conformance_tests.client.staged import StagedEvent

RECEIVED, STARTED, COMPLETED, CANCELLED, SUPERSEDED, ALTERNATE = 1, 2, 3, 6, 7, 14
LOST: Final = frozenset({SUPERSEDED, ALTERNATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One Response that must come: any of these codes, within this window of the stage's time, s."""

    codes: frozenset[int]
    from_s: float
    until_s: float


def received(bench: ClientBench, event: StagedEvent, known_s: float) -> Due:
    """Response 1: after the first reading in which the event stood; `known_s` is when it was published."""
    hrefs = {event.href, event.list_href}
    reads = [
        one.at_s for one in bench.requests if one.is_read and one.path in hrefs and one.at_s >= known_s - 1
    ]
    told = [one.at_s for one in bench.notified if one.subscribed in hrefs and one.at_s >= known_s - 1]
    first_s = min([*reads, *told], default=known_s)
    return Due(codes=frozenset({RECEIVED}), from_s=known_s - EARLY_S, until_s=first_s + RECEIVED_S)


def at(code: int | frozenset[int], time_s: float, until_s: float | None = None) -> Due:
    """A Response about a moment, with the tolerances; or about a window up to `until_s`."""
    codes = frozenset({code}) if isinstance(code, int) else code
    last_s = time_s if until_s is None else until_s
    return Due(codes=codes, from_s=time_s - EARLY_S, until_s=last_s + LATE_S)


def whole(bench: ClientBench, event: StagedEvent, known_s: float) -> list[Due]:
    """The Responses to an event that runs from its start to its end."""
    return [received(bench, event, known_s), at(STARTED, event.start_s), at(COMPLETED, event.end_s)]


def judge(bench: ClientBench, event: StagedEvent, lfdi: str, due: Sequence[Due], name: str) -> None:
    """Check that exactly these Responses of one device came to an event, in this order, each in its time."""
    found = bench.replies(event.mrid, lfdi)
    expected = ", ".join("/".join(map(str, sorted(one.codes))) for one in due) or "none"
    given = [one.status for one in found]
    in_order = len(found) == len(due) and all(
        reply.status in one.codes for reply, one in zip(found, due, strict=False)
    )
    last = bench.proof(found[-1].seen) if found else None
    bench.trial.check(
        in_order,
        f"{_who(lfdi)} answers {name} with the Responses {expected}, each once and in this order",
        seen=", ".join(map(str, given)) or "no Response",
        exchange=last,
    )
    for one, reply in zip(due, found, strict=False):
        if reply.status in one.codes:
            _judge_time(bench, event, one, reply, name)


def silent(bench: ClientBench, event: StagedEvent, lfdi: str, name: str) -> None:
    """Check that a device which an event is not for says nothing of it."""
    judge(bench, event, lfdi, (), name)


def _judge_time(bench: ClientBench, event: StagedEvent, due: Due, reply: Reply, name: str) -> None:
    proof = bench.proof(reply.seen)
    first, last, came = due.from_s - event.start_s, due.until_s - event.start_s, reply.at_s - event.start_s
    bench.trial.check(
        due.from_s <= reply.at_s <= due.until_s,
        f"Response {reply.status} to {name} comes {first:+.0f} to {last:+.0f} s from its start",
        seen=f"{came:+.1f} s",
        exchange=proof,
    )
    if reply.created_s is not None:
        apart_s = reply.at_s - reply.created_s
        bench.trial.check(
            -CLOCK_S <= apart_s <= LATE_S + CLOCK_S,
            f"createdDateTime of Response {reply.status} to {name} is by the clock of the server",
            seen=f"{apart_s:.0f} s before it came",
            exchange=proof,
        )


def _who(lfdi: str) -> str:
    return f"the device {lfdi[:8]}"
