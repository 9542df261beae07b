"""From the utility's event to the register, and back: what must be seen, step by step. Pure.

A step is seen where what was heard, read or answered shows it; nothing that the demonstration itself said
counts. What is wrong shows nothing, so that the step is not seen in its time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lineside.demo.story import STATUS, USAGE
from lineside.demo.verdict import matching_register, register_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineside.demo.observer import Seen
    from lineside.demo.story import Scene

POWER_SHARE: Final = 0.05
"""How far a mean of the power may be from what was asked, part of it."""
LATE_S: Final = 10.0
"""How late a step may be; a busy machine takes its time."""
READY_S: Final = 20.0
GOOD: Final = 200
Line = dict[str, Any]
"""What the VTN says of one thing: `what`, `detail`, and the values that are judged."""


@dataclass(slots=True)
class Evidence:
    """What was seen of the event: lines of the VTN, the control at the server, registers of the device."""

    scene: Scene
    heard: list[Line] = field(default_factory=list)
    event: Line | None = None
    """What the VTN says that it published."""
    control: dict[str, Any] | None = None
    """The control of the event, as the operator API of the server shows it."""
    responses: tuple[int, ...] = ()
    registers: list[Seen] = field(default_factory=list)
    """The register of the scene while the control was active, as the observer read it."""

    @property
    def load_w(self) -> float:
        """What the VTN asked for, load positive."""
        return -self.scene.modes["opModTargetW"]

    def lines(self, what: str) -> list[Line]:
        """What the VTN heard of one kind; of the event where it says of which."""
        mine = {None, None if self.event is None else self.event["event"]}
        return [one for one in self.heard if one["what"] == what and one.get("event") in mine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: what is wanted of it, how long after the one before at most, and what shows it."""

    name: str
    wanted: str
    within_s: float
    proof: Callable[[Evidence], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of a step: the proof, or None where it was not seen."""

    step: Step
    proof: str | None

    @property
    def flaw(self) -> str | None:
        """Why the demonstration fails, None where it does not."""
        if self.proof is not None:
            return None
        return f"{self.step.name}: not seen within {self.step.within_s:g} s: {self.step.wanted}"


def steps_of(scene: Scene) -> tuple[Step, ...]:
    """The steps of an event whose control is this scene, in their order."""
    load_w = -scene.modes["opModTargetW"]
    starts_s, lasts_s = scene.in_s + LATE_S, scene.duration_s + LATE_S
    point = f"{scene.register.point} {scene.register.value:g}"
    return (
        Step(name="VEN at the VTN", wanted="a registration", within_s=READY_S, proof=_registered),
        Step(name="event", wanted="the VTN publishes it", within_s=LATE_S, proof=_published),
        Step(name="opt", wanted="the VEN opts in, 200", within_s=LATE_S, proof=_opted_in),
        Step(name="DERControl", wanted=f"opModTargetW {-load_w:g} W", within_s=LATE_S, proof=_controlled),
        Step(name="register", wanted=point, within_s=starts_s, proof=_written),
        Step(name="telemetry", wanted=f"about {load_w:g} W", within_s=lasts_s, proof=_measured),
        Step(name="status", wanted="online, not overridden", within_s=lasts_s, proof=_online),
        Step(name="Responses", wanted=f"{list(scene.responses)}", within_s=lasts_s, proof=_answered),
    )


def _registered(seen: Evidence) -> str | None:
    return _first(seen.lines("registered"))


def _published(seen: Evidence) -> str | None:
    return None if seen.event is None else str(seen.event["detail"])


def _opted_in(seen: Evidence) -> str | None:
    """The last answer counts: who opted in and out again does not take part."""
    last = [one for one in seen.lines("opt") if one.get("event")][-1:]
    return _first([one for one in last if one["opt"] == "optIn" and one["code"] == GOOD])


def _controlled(seen: Evidence) -> str | None:
    """The control on the server: the sign is flipped, and the time is that of the event."""
    one, event = seen.control, seen.event
    if one is None or event is None:
        return None
    target = one["DERControl"]["DERControlBase"].get("opModTargetW")
    if target is None or target["value"] * 10 ** target["multiplier"] != -seen.load_w:
        return None
    if (one["start"], one["duration"]) != (event["start"], event["duration_s"]):
        return None
    return f"opModTargetW {-seen.load_w:g} W at {one['href']}, at the event's time"


def _written(seen: Evidence) -> str | None:
    found = matching_register(seen.registers, seen.scene.register)
    return None if found is None else register_text(found)


def _measured(seen: Evidence) -> str | None:
    """A mean of the power in W, of a period within the event, with the sign of the VTN."""
    event = seen.event
    if event is None:
        return None
    most_w = abs(seen.load_w) * POWER_SHARE
    return _first(
        [
            one
            for one in seen.lines(USAGE)
            if one["unit"] == "W"
            and "Bad" not in str(one["quality"])
            and abs(one["value"] - seen.load_w) <= most_w
            and one["start"] >= event["start"]
            and one["start"] + (one["duration_s"] or 0) <= event["start"] + event["duration_s"]
        ]
    )


def _online(seen: Evidence) -> str | None:
    return _first([one for one in seen.lines(STATUS) if one["is_online"] and not one["is_overridden"]])


def _answered(seen: Evidence) -> str | None:
    is_told = seen.responses == seen.scene.responses
    return f"{' '.join(map(str, seen.responses))} at the server" if is_told else None


def _first(lines: list[Line]) -> str | None:
    return str(lines[0]["detail"]) if lines else None
