"""What this VEN is to do for an event: what the state machine says, and a translation reads."""

from dataclasses import dataclass

from openadr_ven.events.event import Event, Signal, Value


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Rank:
    """Who wins: the smallest. A limit beats a set point, then comes the priority, then the newer event.

    `priority` is that of both profiles on one scale: 1 first, `LAST` for none. OpenADR 2.0b, R3; OpenADR
    3.1.0.
    """

    is_set_point: bool
    priority: int
    older_s: int
    eventID: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """One interval that resources of ours are to keep.

    `start` and `end` are as published (`end` None: until further notice; it is no part of the interval),
    `offset_s` the draw of this VEN: it acts from `start + offset_s` to `end + offset_s`. A translation that
    passes the event's randomization on to the devices uses `start` and leaves the offset alone. `part`
    counts the equal parts of a payload of 3.x with several values, `round` the loops of an event that is
    longer than its intervals.
    """

    eventID: str
    modification: int
    signal: Signal
    uid: int
    part: int
    round: int
    start: int
    end: int | None
    offset_s: int
    values: tuple[Value, ...]
    resources: tuple[str, ...]
    rank: Rank

    @property
    def own_start(self) -> int:
        """The first second at which this VEN acts."""
        return self.start + self.offset_s

    @property
    def own_end(self) -> int | None:
        """The first second at which it does not act any more; None: none is known."""
        return None if self.end is None else self.end + self.offset_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An event that resources of ours are to carry out, with what is left of it within a horizon.

    `start` and `end` are as published. `ramp` is from when to when this VEN ramps up, `recovery_end` when its
    recovery is over, both with its draw. `stop_at` is when it stops an event that was cancelled after it had
    begun, with the randomised part (R65). An event that is cancelled before it begins has no plan.
    """

    event: Event
    start: int
    end: int | None
    resources: tuple[str, ...]
    dispatches: tuple[Dispatch, ...]
    ramp: tuple[int, int] | None = None
    recovery_end: int | None = None
    stop_at: int | None = None
