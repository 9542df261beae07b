"""Curves of the older series in a plan: one is written, then selected and enabled. Pure.

SunSpec models 126 to 142.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from der_client.device import DroopSetpoint
from der_client.sunspec.codec import Rounding, Words
from der_client.sunspec.curve_forms import writable_sets
from der_client.sunspec.curve_values import Content, exactly
from der_client.sunspec.drafts import HZ_ABSOLUTE, CurveBefore, Draft, Stage, Wish
from der_client.sunspec.model import Model
from der_client.sunspec.writes import Block, Step, Wanted, blocks_of, encode_point, step_of, writable_point

ENABLED = 1
ABSOLUTE_FROM_HZ = 20.0
DROOP_POINTS = ("WGra", "HzStr", "HzStop", "HysEna", "ModEna")
Registers = Mapping[str, Words]


def plan_older(
    wish: Wish, draft: Draft, model: Model, field: str, content: Content, reverted: Content | None
) -> None:
    """Add the steps that bring a curve into force.

    Without us the function disables itself, unless this very curve shall hold then. Raises ValueError where
    the model cannot hold the curve; then nothing was added.
    """
    is_kept = reverted == content
    index = _index_for(model, content, wish)
    registers = dict(_registers(model, index, content, wish))
    after_s = 0 if is_kept else wish.reversion.after_s
    selecting = _selecting(wish, model, field, index, enabled=True, after_s=after_s)
    _note_before(wish, draft, model, index)
    draft.add(Stage.CURVE, Step(field=field, model=model, blocks=_blocks(model, index, registers)), selecting)
    is_lost = not is_kept and (reverted is not None or not selecting.refresh_s)
    if wish.reversion.after_s and is_lost:
        draft.unguarded.add(field)


def plan_older_released(wish: Wish, draft: Draft, model: Model, field: str, *, stage: Stage) -> None:
    """Add the steps that put a curve back as it was before this client, or disable it."""
    before = wish.before.get(model.model_id)
    _note_before(wish, draft, model, _active(model))
    if before is None or stage is Stage.STOP or not before.enabled:
        draft.add(stage, step_of(model, field, {"ModEna": Wanted(0)}, permissions=wish.permissions))
        return
    blocks = _blocks(model, before.active, before.words)
    selecting = _selecting(wish, model, field, before.active, enabled=True, after_s=0)
    draft.add(Stage.CURVE, Step(field=field, model=model, blocks=blocks), selecting)


def plan_older_droop(wish: Wish, draft: Draft, model: Model, droop: DroopSetpoint, nominal_hz: float) -> None:
    """Add the over-frequency droop of model 127; it has no reversion timer.

    HzStr counts from nominal or absolutely: the profile or the value that the device holds tells. Raises
    ValueError for a droop without a slope.
    """
    if droop.slope_over <= 0:
        msg = f"a droop with a slope of {droop.slope_over}"
        raise ValueError(msg)
    shown = model.number("HzStr") or 0.0
    form = wish.settings.hz_start or (HZ_ABSOLUTE if shown > ABSOLUTE_FROM_HZ else "")
    start_hz = droop.dead_band_over_hz + (nominal_hz if form == HZ_ABSOLUTE else 0.0)
    points = {
        "WGra": Wanted(100 / (droop.slope_over * nominal_hz), never_zero=True),
        "HzStr": Wanted(start_hz),
        "HzStop": Wanted(start_hz),
        "HysEna": Wanted(0),
        "ModEna": Wanted(ENABLED),
    }
    step = step_of(model, "droop", points, enable="ModEna", permissions=wish.permissions)
    _note_droop_before(wish, draft, model)
    draft.add(Stage.CURVE, step)
    if wish.reversion.after_s:
        draft.unguarded.add("droop")


def plan_older_droop_released(wish: Wish, draft: Draft, model: Model) -> None:
    """Add the step that puts model 127 back as it was before this client."""
    _note_droop_before(wish, draft, model)
    words = draft.touched[model.model_id].words
    placed = ((model.point(name), registers) for name, registers in words.items())
    blocks = blocks_of(model, ((point, registers) for point, registers in placed if point is not None))
    draft.add(Stage.CURVE, Step(field="droop", model=model, blocks=tuple(blocks)))


def _note_droop_before(wish: Wish, draft: Draft, model: Model) -> None:
    raw = {name: model.raw(name) for name in DROOP_POINTS if model.is_implemented(name)}
    draft.touched[model.model_id] = wish.before.get(model.model_id) or CurveBefore(
        enabled=bool((model.integer("ModEna") or 0) & ENABLED),
        active=0,
        words={name: words for name, words in raw.items() if words},
    )


def _selecting(wish: Wish, model: Model, field: str, index: int, *, enabled: bool, after_s: int) -> Step:
    timers = {"WinTms": 0, "RvrtTms": after_s, "RmpTms": 0}
    return step_of(
        model,
        field,
        {"ActCrv": Wanted(index + 1), "ModEna": Wanted(int(enabled))},
        optional={name: Wanted(value) for name, value in timers.items()},
        enable="ModEna",
        permissions=wish.permissions,
    )


def _index_for(model: Model, content: Content, wish: Wish) -> int:
    """The curve to use: one that holds the values already, else one that is not in force."""
    candidates = writable_sets(model)
    if not candidates:
        msg = f"model {model.model_id} keeps no curve that may be written"
        raise ValueError(msg)
    for index in candidates:
        registers = dict(_registers(model, index, content, wish))
        if all(block.is_held for block in _blocks(model, index, registers)):
            return index
    idle = [index for index in candidates if index != _active(model)]
    return (idle or candidates)[0]


def _active(model: Model) -> int | None:
    """The number (from 0) of the curve that is selected."""
    number = model.integer("ActCrv")
    return number - 1 if number else None


def _registers(model: Model, index: int, content: Content, wish: Wish) -> Iterator[tuple[str, Words]]:
    limit = model.integer("NPt") or 0
    needed = content.required["ActPt"].value
    if needed > limit:
        msg = f"model {model.model_id} holds {limit} points, not {needed}"
        raise ValueError(msg)
    wanted = {
        **content.required,
        **{n: w for n, w in content.optional.items() if model.is_implemented(f"curve[{index}].{n}")},
    }
    for name, value in wanted.items():
        point = writable_point(model, f"curve[{index}].{name}", wish.permissions)
        rounded = replace(value, rounding=Rounding.NEAREST)
        words = encode_point(model, point, rounded)
        raw = words[0] - 0x10000 if point.type == "int16" and words[0] & 0x8000 else words[0]
        if content.is_exact and not exactly(value, raw, model.exponent(point) or 0):
            msg = f"{model.model_id}.{point.name} cannot hold {value.value}"
            raise ValueError(msg)
        yield name, words


def _blocks(model: Model, index: int, registers: Registers) -> tuple[Block, ...]:
    placed = ((model.point(f"curve[{index}].{name}"), words) for name, words in registers.items())
    return tuple(blocks_of(model, ((point, words) for point, words in placed if point is not None)))


def _note_before(wish: Wish, draft: Draft, model: Model, index: int | None) -> None:
    """Remember how the model was before this client wrote to it: the curve that was selected, and ours."""
    active = _active(model)
    prefix = f"curve[{active if active is not None else index}]."
    points = model.layout.points if model.layout else ()
    draft.touched[model.model_id] = wish.before.get(model.model_id) or CurveBefore(
        enabled=bool((model.integer("ModEna") or 0) & ENABLED),
        active=active if active is not None else index or 0,
        words={
            point.name.removeprefix(prefix): words
            for point in points
            if point.name.startswith(prefix) and point.writable and not point.name.endswith("CrvNam")
            if (words := model.raw(point.name)) and model.is_implemented(point.name)
        },
    )
