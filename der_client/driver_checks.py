"""The promises of a driver, each as a coroutine that a rig is held to. `driver_contract` lists them."""

from __future__ import annotations

import asyncio
import math
from contextlib import aclosing
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Final

from der_client.device import (
    Applied,
    CurvePoint,
    CurveSetpoint,
    DroopSetpoint,
    Fault,
    FaultKind,
    PowerFactorSetpoint,
    Reversion,
    Setpoint,
    Telemetry,
    VarSetpoint,
)
from der_client.driver import HealthState
from der_client.driver_rig import (
    Rig,
    applied,
    bounded,
    identified,
    needs,
    reading,
    recovered,
    require,
)
from owner import shapes_of

if TYPE_CHECKING:
    from collections.abc import Coroutine

HALF: Final = Setpoint(max_w_pct=50.0)
REVERSION: Final = Reversion(after_s=60, to=Setpoint(max_w_pct=20.0))
SETTLE_S: Final = 30.0
SLACK_PCT: Final = 0.5
CANCEL_AFTER: Final = (0, 1, 2, 3, 5, 8, 13, 21, 34)
CANCEL_S: Final = 2.0

DROOP: Final = DroopSetpoint(
    dead_band_over_hz=0.036, dead_band_under_hz=0.036, slope_over=0.05, slope_under=0.05, open_loop_s=5.0
)
PROBES: Final[dict[str, tuple[Setpoint, frozenset[str]]]] = {
    "max_w_pct": (HALF, frozenset({"opModMaxLimW"})),
    "target_w": (Setpoint(target_w=0.0), frozenset({"opModTargetW", "opModFixedW"})),
    "pf_inject": (
        Setpoint(pf_inject=PowerFactorSetpoint(power_factor=0.95, absorbing=True)),
        frozenset({"opModFixedPFInjectW"}),
    ),
    "pf_absorb": (
        Setpoint(pf_absorb=PowerFactorSetpoint(power_factor=0.95, absorbing=True)),
        frozenset({"opModFixedPFAbsorbW"}),
    ),
    "var": (Setpoint(var=VarSetpoint(value=10.0, ref=2)), frozenset({"opModFixedVar", "opModTargetVar"})),
    "droop": (Setpoint(droop=DROOP), frozenset({"opModFreqDroop"})),
}
"""For each field of a Setpoint: one that asks for it, and the modes of which one must be offered."""

NO_SUCH_MODE: Final = "opModNobodyHasThis"
NO_SUCH_CURVE: Final = CurveSetpoint(
    mode=NO_SUCH_MODE, points=(CurvePoint(x=0.0, y=0.0), CurvePoint(x=100.0, y=0.0))
)


async def has_a_schema(rig: Rig) -> None:
    """Settings can be checked, printed and written."""
    settings = type(rig.driver).Settings
    require(is_dataclass(settings), f"{settings.__name__} is no dataclass")
    parameters = getattr(settings, "__dataclass_params__", None)
    require(getattr(parameters, "frozen", False), f"{settings.__name__} is not frozen")
    require(type(rig.driver).kind, "the driver has no kind")
    for shape in shapes_of(settings):
        require("|" not in shape.type_name, f"{settings.__name__}.{shape.name}: one type is wanted")


async def opens_nothing(rig: Rig) -> None:
    """A driver that was never used, or is used no more, can be closed."""
    require(rig.driver.health().state is HealthState.UNKNOWN, "health is known before anything was asked")
    await bounded(rig.driver.close(), "close of a fresh driver")
    await bounded(rig.driver.close(), "a second close")


async def identifies(rig: Rig) -> None:
    """Ratings that a schedule can be made of."""
    plate = await identified(rig)
    require(plate.manufacturer or plate.model or plate.serial, "identify gives no identity at all")
    powers = {"max_w": plate.max_w, "set_max_w": plate.set_max_w, "max_va": plate.max_va}
    for name, value in powers.items():
        require(math.isfinite(value) and value > 0, f"{name} is {value}")
    require(plate.set_max_w <= plate.max_w * 1.001, "set_max_w is above max_w")
    require(all(mode.startswith("opMod") for mode in plate.modes), f"modes are {sorted(plate.modes)}")
    again = await identified(rig)
    require(again == plate, f"a second identify gives something else: {again}")


async def reads(rig: Rig) -> None:
    """Telemetry is that of the device, with its sign."""
    plate = await identified(rig)
    await rig.advance(SETTLE_S)
    found = await reading(rig)
    for field in fields(found):
        value = getattr(found, field.name)
        require(not isinstance(value, float) or math.isfinite(value), f"{field.name} is {value}")
    _require_near(found.power_w, rig.held().power_w, 0.02 * plate.set_max_w, "read: power_w")


async def executes_a_limit(rig: Rig) -> None:
    """A limit is in the device, acts, and goes."""
    plate = await identified(rig)
    needs(plate, "opModMaxLimW")
    result = await applied(rig, HALF, REVERSION)
    require("max_w_pct" not in result.unsupported, "opModMaxLimW is offered and then not supported")
    _require_limit(rig, 50.0, "after apply")
    await rig.advance(SETTLE_S)
    most_w = 0.51 * plate.set_max_w
    require(rig.held().power_w <= most_w, f"{rig.held().power_w:g} W flow above a limit of 50 %")
    await reading(rig)
    await applied(rig, Setpoint(), REVERSION)
    limit_pct = rig.held().max_w_pct
    require(limit_pct is None or limit_pct >= 20.0, f"a released limit leaves {limit_pct} %")


async def executes_a_target(rig: Rig) -> None:
    """A setpoint in W is in the device; a storage device takes negative ones."""
    plate = await identified(rig)
    needs(plate, "opModTargetW")
    powers_w = [0.3 * plate.set_max_w, *([-0.3 * plate.charge_w] if plate.is_storage else [])]
    for power_w in powers_w:
        result = await applied(rig, Setpoint(target_w=power_w))
        require("target_w" not in result.unsupported, "opModTargetW is offered and then not supported")
        held_w = rig.held().target_w
        require(held_w is not None, f"the device holds no target after {power_w:g} W")
        _require_near(held_w or 0.0, power_w, 0.005 * plate.set_max_w, "the target held")


async def names_what_it_cannot(rig: Rig) -> None:
    """Every field without its mode comes back as unsupported."""
    plate = await identified(rig)
    for field, (setpoint, modes) in PROBES.items():
        if not modes & plate.modes:
            await _require_unsupported(rig, setpoint, field)
    await _require_unsupported(rig, Setpoint(curves=(NO_SUCH_CURVE,)), NO_SUCH_MODE)
    if not plate.is_storage:
        await _require_unsupported(rig, Setpoint(target_w=-100.0), "target_w")
    await applied(rig, Setpoint())


async def reverts(rig: Rig) -> None:
    """The device gives a setpoint up by itself, not before its time."""
    needs(await identified(rig), "opModMaxLimW")
    await applied(rig, HALF, REVERSION)
    await rig.advance(0.8 * REVERSION.after_s)
    _require_limit(rig, 50.0, "before the reversion time")
    await applied(rig, HALF, REVERSION)
    await rig.advance(0.8 * REVERSION.after_s)
    _require_limit(rig, 50.0, "after a refresh, before the reversion time")
    await rig.advance(0.4 * REVERSION.after_s)
    _require_limit(rig, 20.0, "after the reversion time")
    await applied(rig, HALF, REVERSION)
    _require_limit(rig, 50.0, "after an apply that follows a reversion")


async def leaves_timers_armed(rig: Rig) -> None:
    """The device of a client that has gone holds on for the reversion time, then falls back."""
    needs(await identified(rig), "opModMaxLimW")
    await applied(rig, HALF, REVERSION)
    await bounded(rig.driver.close(), "close")
    await rig.advance(0.5 * REVERSION.after_s)
    _require_limit(rig, 50.0, "after close, before the reversion time")
    await rig.advance(0.7 * REVERSION.after_s)
    _require_limit(rig, 20.0, "after close and the reversion time")


async def opens_again(rig: Rig) -> None:
    """After a close the next call opens what it needs."""
    plate = await identified(rig)
    await bounded(rig.driver.close(), "close")
    again = await identified(rig)
    require(again == plate, f"after a close identify gives {again}")
    await bounded(rig.driver.close(), "close")
    await reading(rig)


async def bounds_a_dead_device(rig: Rig) -> None:
    """No answer is a Fault of that kind, soon; a device that comes back is found again."""
    await rig.set_reachable(is_reachable=False)
    await _require_silence(rig, "a device that never was there")
    await rig.set_reachable(is_reachable=True)
    await recovered(rig, "the line was mended")
    await reading(rig)
    await rig.set_reachable(is_reachable=False)
    await _require_silence(rig, "a device that went away")
    await rig.set_reachable(is_reachable=True)
    await recovered(rig, "the line was mended again")
    await reading(rig)


async def tells_health(rig: Rig) -> None:
    """Health follows the exchanges, and asks nothing itself."""
    await identified(rig)
    require(rig.driver.health().state is HealthState.GOOD, f"identified, and health is {rig.driver.health()}")
    await rig.set_reachable(is_reachable=False)
    await bounded(rig.driver.read(), "read of a dead device")
    health = rig.driver.health()
    require(health.state is HealthState.SILENT, f"the device is dead, and health is {health}")
    require(health.detail, "health does not say what is wrong")
    require(health.silent_s is not None, "health does not say for how long")
    await rig.set_reachable(is_reachable=True)
    await recovered(rig, "the line was mended")
    await reading(rig)
    require(rig.driver.health().state is HealthState.GOOD, f"mended, and health is {rig.driver.health()}")


async def survives_faults(rig: Rig) -> None:
    """Under each fault every call gives a value, and `Applied` is only said of what the device holds."""
    plate = await identified(rig)
    for name, switch in rig.faults.items():
        await applied(rig, Setpoint(max_w_pct=80.0) if "opModMaxLimW" in plate.modes else Setpoint())
        switch(True)
        await _require_honest(rig, name)
        await bounded(rig.driver.read(), f"read under {name}")
        await bounded(rig.driver.identify(), f"identify under {name}")
        switch(False)
        await recovered(rig, f"the end of {name}")
        await reading(rig)


async def survives_cancellation(rig: Rig) -> None:
    """A call that is cut off leaves nothing behind that the next call could stumble over."""
    plate = await identified(rig)
    setpoint = HALF if "opModMaxLimW" in plate.modes else Setpoint()
    for turns in CANCEL_AFTER:
        await _cancelled(rig.driver.read(), turns)
        await _cancelled(rig.driver.apply(setpoint, REVERSION), turns)
        again = await recovered(rig, f"a call was cancelled after {turns} turns")
        require(again == plate, f"after a cancelled call identify gives {again}")
        found = await reading(rig)
        slack_w = 0.05 * plate.set_max_w
        _require_near(found.power_w, rig.held().power_w, slack_w, "after a cancelled call: power_w")
    await applied(rig, setpoint, REVERSION)
    if setpoint.max_w_pct is not None:
        _require_limit(rig, 50.0, "after cancelled calls")


async def subscribes(rig: Rig) -> None:
    """Readings come by themselves, faults among them; closing ends it."""
    await identified(rig)
    async with aclosing(rig.driver.subscribe(0.01)) as readings:
        for _ in range(3):
            found = await bounded(anext(readings), "subscribe")
            require(isinstance(found, Telemetry), f"subscribe gives {found}")
        await rig.set_reachable(is_reachable=False)
        is_told = False
        for _ in range(10):
            is_told = is_told or isinstance(await bounded(anext(readings), "subscribe"), Fault)
        require(is_told, "subscribe does not tell that the device is dead")
    await rig.set_reachable(is_reachable=True)
    await recovered(rig, "a subscription was closed")


async def _cancelled(call: Coroutine[object, object, object], turns: int) -> None:
    """Begin a call, cut it off after so many turns of the loop, and see that it ends."""
    task = asyncio.ensure_future(call)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    _, waiting = await asyncio.wait({task}, timeout=CANCEL_S)
    require(not waiting, f"a cancelled call does not end within {CANCEL_S:g} s")


async def _require_honest(rig: Rig, name: str) -> None:
    result = await bounded(rig.driver.apply(HALF, REVERSION), f"apply under {name}")
    if isinstance(result, Applied) and "max_w_pct" not in result.unsupported:
        _require_limit(rig, 50.0, f"apply under {name} says Applied, and")


async def _require_unsupported(rig: Rig, setpoint: Setpoint, name: str) -> None:
    result = await applied(rig, setpoint)
    require(name in result.unsupported, f"{name} cannot be executed, and apply says {result}")


async def _require_silence(rig: Rig, what: str) -> None:
    calls = {
        "identify": rig.driver.identify(),
        "read": rig.driver.read(),
        "apply": rig.driver.apply(HALF, REVERSION),
    }
    for name, call in calls.items():
        result = await bounded(call, f"{name} of {what}")
        is_told = isinstance(result, Fault) and result.kind is FaultKind.NO_ANSWER
        require(is_told, f"{name} of {what} gives {result}")


def _require_limit(rig: Rig, limit_pct: float, when: str) -> None:
    held_pct = rig.held().max_w_pct
    is_right = held_pct is not None and abs(held_pct - limit_pct) <= SLACK_PCT
    require(is_right, f"{when} the device holds a limit of {held_pct} %, not {limit_pct:g} %")


def _require_near(value: float, wanted: float, slack: float, what: str) -> None:
    require(abs(value - wanted) <= slack, f"{what} is {value:g}, the device's own is {wanted:g}")
