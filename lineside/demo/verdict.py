"""The end of the demonstration: what was expected, what was seen, and the table of both. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lineside.demo.observer import Seen
    from lineside.demo.steps import Told
    from lineside.demo.story import Frame, Register, Scene

STEP_COLUMNS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One control at one device: its Responses, the register and the frame as the observer saw them."""

    control: str
    device: str
    responses: tuple[int, ...]
    wanted: tuple[int, ...]
    register: str
    frame: str
    flaws: tuple[str, ...] = ()


def row_of(
    scene: Scene,
    responses: Sequence[int],
    registers: Sequence[Seen],
    frames: Sequence[Seen],
) -> Row:
    """The row of a scene from what was seen while it was active."""
    register = matching_register(registers, scene.register)
    frame = None if scene.frame is None else matching_frame(frames, scene.frame)
    flaws = []
    if tuple(responses) != scene.responses:
        flaws.append(f"responses {list(responses)}, wanted {list(scene.responses)}")
    if register is None:
        flaws.append(f"{scene.register.point} was never {scene.register.value:g}")
    if scene.frame is not None and frame is None:
        flaws.append(f"{scene.frame.signal} never between {scene.frame.low:g} and {scene.frame.high:g}")
    return Row(
        control=scene.name,
        device=scene.device,
        responses=tuple(responses),
        wanted=scene.responses,
        register=register_text(register),
        frame="" if frame is None else f"0x{frame.address:X} {frame.value:g} A",
        flaws=tuple(flaws),
    )


def default_row(name: str, device: str, wanted: Register, registers: Sequence[Seen]) -> Row:
    """The row of a default control: no Response is due, the register must show it."""
    found = matching_register(registers, wanted)
    flaws = () if found else (f"{wanted.point} was never {wanted.value:g}",)
    return Row(
        control=name,
        device=device,
        responses=(),
        wanted=(),
        register=register_text(found),
        frame="",
        flaws=flaws,
    )


def matching_register(seen: Iterable[Seen], wanted: Register) -> Seen | None:
    """The first observation that shows the value."""
    return next((s for s in seen if s.name == wanted.point and abs(s.value - wanted.value) < 0.5), None)


def matching_frame(seen: Iterable[Seen], wanted: Frame) -> Seen | None:
    """The last frame whose signal lies in the range: by then a ramp has ended."""
    name = f"{wanted.message}.{wanted.signal}"
    found = [s for s in seen if s.name == name and wanted.low <= s.value <= wanted.high]
    return found[-1] if found else None


def register_text(seen: Seen | None) -> str:
    """`40275 704.WMaxLimPct 01F4 = 50`, or a dash."""
    return "-" if seen is None else f"{seen.address} {seen.name} {seen.raw} = {seen.value:g}"


def table(rows: Sequence[Row]) -> str:
    """All rows with the flaws below, at most 100 columns wide."""
    head = ("control", "device", "responses", "register (read by the observer)", "CAN frame", "")
    lines = [
        (r.control, r.device, " ".join(map(str, r.responses)) or "-", r.register, r.frame or "-", _mark(r))
        for r in rows
    ]
    widths = [max(len(line[n]) for line in [head, *lines]) for n in range(len(head))]
    text = [
        "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip()
        for line in [head, *lines]
    ]
    text.insert(1, "-" * max(map(len, text)))
    return "\n".join(text + [f"  {r.control}: {flaw}" for r in rows for flaw in r.flaws])


def step_text(told: Told) -> str:
    """A line for a step of the utility's event: its name, and what showed it."""
    return f"{told.step.name:<{STEP_COLUMNS}} {told.proof or 'NOT SEEN'}"


def _mark(row: Row) -> str:
    return "NOT SEEN" if row.flaws else "ok"
