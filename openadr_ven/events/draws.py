"""Random starts: drawn once, kept, and drawn anew only for another window. OpenADR 2.0b, R30, R65."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from openadr_ven.events.event import Event, Profile, Randomization

Draw = Callable[[str, Randomization], int]
"""The port of chance: an offset, s, of an event (by its ID) within a window, both ends included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One draw that is kept: of the event (`uid` None), or of an interval of 3.x with a window of its own."""

    randomization: Randomization
    offset_s: int
    uid: int | None = None


def uniform(random: Callable[[], float]) -> Draw:
    """Draws that spread evenly over the window; `random` gives [0, 1)."""

    def draw(_: str, window: Randomization) -> int:
        size = window.early_s + window.late_s
        return min(int(random() * (size + 1)), size) - window.early_s

    return draw


def drawn_within(draw: Draw, eventID: str, window: Randomization) -> int:
    """What the port draws, nothing without a window. Raises ValueError for an offset beyond it."""
    if window == Randomization():
        return 0
    offset_s = draw(eventID, window)
    if not -window.early_s <= offset_s <= window.late_s:
        raise ValueError(f"event {eventID}: drawn {offset_s} s is outside of {window}")
    return offset_s


def draws_of(event: Event, kept: Iterable[Drawn], draw: Draw) -> tuple[Drawn, ...]:
    """The draws of an event: the kept one wherever its window is the same as before."""
    windows: dict[int | None, Randomization] = {None: event.randomization}
    if event.profile is not Profile.V20B:
        intervals = (one for signal in event.signals for one in signal.intervals)
        windows |= {one.uid: one.randomization for one in intervals if one.randomization is not None}
    before = {one.uid: one for one in kept}
    return tuple(
        before[uid]
        if uid in before and before[uid].randomization == window
        else Drawn(uid=uid, randomization=window, offset_s=drawn_within(draw, event.eventID, window))
        for uid, window in windows.items()
    )


def offset_of(drawn: Iterable[Drawn], uid: int | None = None) -> int:
    """The offset that was drawn, s; 0 where there is none."""
    return next((one.offset_s for one in drawn if one.uid == uid), 0)
