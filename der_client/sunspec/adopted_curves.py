"""Curves that a device stores and adopts on request, in a plan. Pure.

Curve 1 shows what is in force and is never written. Another one is written whole (what the Setpoint does not
say is taken from what is in force), read back, adopted, enabled; one more may hold what the device reverts
to. SunSpec models 705 to 712, adopt request and result.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from der_client.sunspec.codec import Words, integer_of
from der_client.sunspec.curve_forms import group_of, writable_sets
from der_client.sunspec.curve_values import Content, exactly, neutral_of
from der_client.sunspec.definitions import Point
from der_client.sunspec.drafts import CurveBefore, Draft, Stage, Wish
from der_client.sunspec.model import Model
from der_client.sunspec.permissions import Permissions
from der_client.sunspec.writes import (
    ADOPTING,
    Step,
    Use,
    Wanted,
    blocks_of,
    encode_point,
    step_of,
    writable_point,
)

IN_FORCE = 0
Registers = Mapping[str, Words]


def plan_adopted(
    wish: Wish, draft: Draft, model: Model, field: str, content: Content, reverted: Content | None
) -> None:
    """Add the steps that bring a curve into force and say where the device goes without us.

    That is the default curve; without one that which was in force before us; without that one that asks for
    nothing. Raises ValueError where the model cannot hold the curve; then nothing was added.
    """
    active = registers_of(model, content, wish.permissions)
    fallback = _fallback(wish, model, content, reverted)
    steps: list[Step] = []
    if not _shows(model, IN_FORCE, active):
        steps += _adopting(model, field, _stored_for(model, active), active, wish.permissions)
    timers: dict[str, Wanted] = {"RvrtTms": Wanted(0)}
    is_guarded = False
    if fallback is not None:
        is_guarded = all(fallback.get(name) == words for name, words in active.items())
        if not is_guarded and wish.reversion.after_s:
            index = _free_for(model, fallback, active, adopts=bool(steps))
            if index is not None:
                steps += _storing(model, field, index, fallback, wish.permissions)
                timers = {
                    "RvrtTms": Wanted(wish.reversion.after_s),
                    _reversion(model): Wanted(index + 1),
                }
                is_guarded = True
    enabling = step_of(
        model,
        field,
        {"Ena": Wanted(1)},
        optional=timers,
        enable="Ena",
        timer="RvrtRem",
        permissions=wish.permissions,
    )
    shown = tuple(blocks_of(model, _placed(model, IN_FORCE, active), Use.EXPECTED))
    _note_before(wish, draft, model)
    draft.add(Stage.CURVE, *steps, replace(enabling, blocks=(*enabling.blocks, *shown)))
    if wish.reversion.after_s and not is_guarded:
        draft.unguarded.add(field)


def _fallback(wish: Wish, model: Model, content: Content, reverted: Content | None) -> Registers | None:
    """The curve to which a device reverts by its timer, `None` where it has no such timer."""
    if not all(model.is_implemented(name) for name in ("RvrtTms", _reversion(model))):
        return None
    if reverted is not None:
        return registers_of(model, reverted, wish.permissions)
    before = _before(wish, model)
    if before.enabled:
        return before.words
    neutral = neutral_of(model.model_id, content)
    return registers_of(model, neutral, wish.permissions) if neutral else None


def plan_released(wish: Wish, draft: Draft, model: Model, field: str, *, stage: Stage) -> None:
    """Add the steps that put a curve back as it was before this client, or disable it.

    A device that is adopting another one still is told to adopt this one, though it shows it: later it would
    not any more, when nobody looks.
    """
    before = wish.before.get(model.model_id)
    _note_before(wish, draft, model)
    if stage is Stage.STOP or before is None or not before.enabled:
        draft.add(stage, step_of(model, field, {"Ena": Wanted(0)}, permissions=wish.permissions))
        return
    steps: list[Step] = []
    busy = _being_adopted(model)
    if busy is not None or not _shows(model, IN_FORCE, before.words):
        index = _stored_for(model, before.words, busy)
        steps += _adopting(model, field, index, before.words, wish.permissions)
    timers = {"RvrtTms": Wanted(0)}
    draft.add(
        Stage.CURVE,
        *steps,
        step_of(
            model,
            field,
            {"Ena": Wanted(1)},
            optional=timers,
            enable="Ena",
            permissions=wish.permissions,
        ),
    )


def registers_of(model: Model, content: Content, permissions: Permissions) -> Registers:
    """The registers of a stored curve by its points. Raises ValueError where the model cannot hold it."""
    group = group_of(model)
    found: dict[str, Words] = {}
    for name, wanted in content.required.items():
        if "Pt[" not in name and not model.is_implemented(f"{group}[{IN_FORCE}].{name}"):
            msg = f"{model.model_id}.{name} is not implemented"
            raise ValueError(msg)
        found[name] = _encoded(model, f"{group}[{IN_FORCE}].{name}", wanted, content, permissions)
    for name, wanted in content.optional.items():
        if model.is_implemented(f"{group}[{IN_FORCE}].{name}"):
            found[name] = _encoded(model, f"{group}[{IN_FORCE}].{name}", wanted, content, permissions)
    return found


def _encoded(model: Model, path: str, wanted: Wanted, content: Content, permissions: Permissions) -> Words:
    point = writable_point(model, path, permissions)
    words = encode_point(model, point, wanted)
    raw = integer_of(words, signed=point.type.startswith("int"))
    if content.is_exact and not exactly(wanted, raw, model.exponent(point) or 0):
        msg = f"{model.model_id}.{path} cannot hold {wanted.value}"
        raise ValueError(msg)
    return words


def _placed(model: Model, index: int, registers: Registers) -> Iterator[tuple[Point, Words]]:
    """The registers at the points of one stored curve."""
    group = group_of(model)
    for name, words in registers.items():
        point = model.point(f"{group}[{index}].{name}")
        if point is not None:
            yield point, words


def _shows(model: Model, index: int, registers: Registers) -> bool:
    return all(
        tuple(model.words[point.offset : point.end]) == words
        for point, words in _placed(model, index, registers)
    )


def _whole(model: Model, index: int, registers: Registers) -> Registers:
    """All writable registers of a stored curve: those given, the others as they are in force."""
    group = group_of(model)
    prefix = f"{group}[{index}]."
    whole: dict[str, Words] = {}
    for point in model.layout.points if model.layout else ():
        name = point.name.removeprefix(prefix)
        if name == point.name or not point.writable:
            continue
        source = f"{group}[{IN_FORCE}].{name}"
        kept = model.raw(source) if model.is_implemented(source) else None
        if name not in registers and kept and model.is_implemented(point.name):
            whole[name] = kept
    return whole | dict(registers)


def _stored_for(model: Model, registers: Registers, busy: int | None = None) -> int:
    """The stored curve to use: one that holds the registers already, else the first that may be written.

    Of those that hold them the one that is being adopted, of the others rather another one.
    """
    candidates = writable_sets(model)
    if not candidates:
        msg = f"model {model.model_id} keeps no curve that may be written"
        raise ValueError(msg)
    holding = [index for index in candidates if _shows(model, index, registers)]
    if holding:
        return busy if busy is not None and busy in holding else holding[0]
    return next((index for index in candidates if index != busy), candidates[0])


def _being_adopted(model: Model) -> int | None:
    """The stored curve that the device was told to adopt and has not said that it did, `None` where none is.

    A device that never reports the result is never known to be done.
    """
    request, result = _adopt_points(model)
    index = (model.integer(request) or 0) - 1
    return index if model.integer(result) == ADOPTING and index in writable_sets(model) else None


def _free_for(model: Model, registers: Registers, active: Registers, *, adopts: bool) -> int | None:
    """The stored curve for the reversion: another one than that to be adopted, unless there is only one.

    The only one is free once what it held is in force.
    """
    candidates = writable_sets(model)
    taken = _stored_for(model, active) if adopts else None
    free = [index for index in candidates if index != taken] or list(candidates)
    holding = (index for index in free if _shows(model, index, registers))
    return next(holding, free[0] if free else None)


def _storing(
    model: Model, field: str, index: int, registers: Registers, permissions: Permissions
) -> Iterator[Step]:
    placed = list(_placed(model, index, _whole(model, index, registers)))
    for point, _ in placed:
        writable_point(model, point.name, permissions)
    yield Step(field=field, model=model, blocks=tuple(blocks_of(model, placed)), verify=True)


def _adopting(
    model: Model, field: str, index: int, registers: Registers, permissions: Permissions
) -> Iterator[Step]:
    """Store a curve, then have it adopted; the second step is over when the device shows it in force."""
    request, result = _adopt_points(model)
    yield from _storing(model, field, index, registers, permissions)
    point = writable_point(model, request, permissions)
    order = blocks_of(model, [(point, encode_point(model, point, Wanted(index + 1)))], Use.ORDER)
    shown = blocks_of(model, _placed(model, IN_FORCE, registers), Use.EXPECTED)
    yield Step(field=field, model=model, blocks=(*order, *shown), result=result)


def _adopt_points(model: Model) -> tuple[str, str]:
    return ("AdptCtlReq", "AdptCtlRslt") if model.model_id == 711 else ("AdptCrvReq", "AdptCrvRslt")


def _reversion(model: Model) -> str:
    return "RvrtCtl" if model.model_id == 711 else "RvrtCrv"


def _note_before(wish: Wish, draft: Draft, model: Model) -> None:
    """Remember how the model was before this client wrote to it."""
    draft.touched[model.model_id] = _before(wish, model)


def _before(wish: Wish, model: Model) -> CurveBefore:
    """How the model was before this client wrote to it."""
    known = wish.before.get(model.model_id)
    prefix = f"{group_of(model)}[{IN_FORCE}]."
    points = model.layout.points if model.layout else ()
    return known or CurveBefore(
        enabled=model.integer("Ena") == 1,
        active=IN_FORCE,
        words={
            point.name.removeprefix(prefix): words
            for point in points
            if point.name.startswith(prefix) and point.writable
            if (words := model.raw(point.name)) and model.is_implemented(point.name)
        },
    )
