"""The immediate controls of model 704 in a plan: limits, power, power factor, reactive power, ramp. Pure.

SunSpec model 704; IEEE 2030.5-2018, 10.10 (DERControlBase).
"""

from der_client.sunspec.capabilities import executor
from der_client.sunspec.codec import Rounding
from der_client.sunspec.drafts import Draft, Stage, Wish
from der_client.sunspec.functions import FULL_PCT, FUNCTIONS, REACTIVE_FIELDS, Function, Points
from der_client.sunspec.model import Model
from der_client.sunspec.writes import Step, Wanted, step_of

RAMP_REF_W_MAX = 1
FASTEST_RAMP_PCT_PER_S = 100


def plan_controls(wish: Wish, draft: Draft) -> None:
    """Add what the functions of model 704 do for a Setpoint, as far as no other model does it."""
    model = wish.model(704)
    if model is None:
        return
    for function in FUNCTIONS:
        if executor(wish.device_map, function.field, wish.settings) == 704:
            _Planner(wish, draft, model, function).plan()


class _Planner:
    """Plans one function."""

    def __init__(self, wish: Wish, draft: Draft, model: Model, function: Function) -> None:
        self.wish = wish
        self.draft = draft
        self.model = model
        self.function = function

    def plan(self) -> None:
        function = self.function
        if not self._is_wanted():
            stage = Stage.STOP if function.field in REACTIVE_FIELDS else Stage.RELEASE
            points = {f"{function.prefix}Ena": Wanted(0)}
            self.draft.add(stage, step_of(self.model, function.field, points))
            return
        try:
            step = self._active()
        except ValueError:
            self.draft.refuse([function.field])
            return
        self.draft.add(Stage.LIMIT if function.field == "max_w_pct" else Stage.SETPOINT, step)
        if self.wish.reversion.after_s and not self.model.is_implemented(f"{function.prefix}RvrtTms"):
            self.draft.unguarded.add(function.field)

    def _is_wanted(self) -> bool:
        """True if the function must be enabled.

        A limit of 100 % is released rather than held, unless only an enabled function keeps a tighter
        reversion armed.
        """
        value = getattr(self.wish.setpoint, self.function.field)
        if self.function.field == "max_w_pct" and (value is None or value >= FULL_PCT):
            return self._reverts()
        return value is not None

    def _reverts(self) -> bool:
        """True if the device shall hold a setpoint of this function after a reversion."""
        value = getattr(self.wish.reversion.to, self.function.field)
        return value is not None and (self.function.field != "max_w_pct" or value < FULL_PCT)

    def _active(self) -> Step:
        prefix, wish = self.function.prefix, self.wish
        active = {
            **self.function.active(self.model, wish.bases, wish.setpoint),
            f"{prefix}Ena": Wanted(1),
        }
        return step_of(
            self.model,
            self.function.field,
            active,
            optional=self._reversion_points(active),
            enable=f"{prefix}Ena",
            timer=f"{prefix}RvrtRem",
            permissions=wish.permissions,
        )

    def _reversion_points(self, active: Points) -> Points:
        """The points of the dead-man switch; a reversion value must be in the unit of the setpoint."""
        prefix, wish = self.function.prefix, self.wish
        points = {f"{prefix}RvrtTms": Wanted(wish.reversion.after_s)}
        enable = f"{prefix}EnaRvrt"
        if not self._reverts():
            return points | {enable: Wanted(0)}
        try:
            values = self.function.reverted(self.model, wish.bases, wish.reversion.to)
            unit = self.function.active(self.model, wish.bases, wish.reversion.to).get(f"{prefix}Mod")
        except ValueError:
            return points | {enable: Wanted(0)}
        if unit != active.get(f"{prefix}Mod"):
            return points | {enable: Wanted(0)}
        return {**points, **values, enable: Wanted(1)}


def plan_ramp(wish: Wish, draft: Draft) -> None:
    """Add the ramp: 704.WRmp in whole %/s of WMax, else 121.WGra.

    No limit is the fastest ramp; one below the first step that the register counts is not supported: 0 is no
    ramp, and devices refuse it or hold their power for good.
    """
    grad = wish.setpoint.grad_w_pct_per_s
    if grad is None:
        return
    field, number = "grad_w_pct_per_s", executor(wish.device_map, "grad_w_pct_per_s", wish.settings)
    model = wish.model(number) if number else None
    pct_per_s = min(grad or FASTEST_RAMP_PCT_PER_S, FASTEST_RAMP_PCT_PER_S)
    raw = pct_per_s * (wish.settings.ramp_scale if number == 704 else 1)
    if model is None:
        draft.refuse([field])
        return
    point, reference = ("WRmp", {"WRmpRef": Wanted(RAMP_REF_W_MAX)}) if number == 704 else ("WGra", {})
    wanted = {point: Wanted(raw, Rounding.DOWN, never_zero=True)}
    try:
        step = step_of(model, field, wanted, optional=reference, permissions=wish.permissions)
    except ValueError:
        draft.refuse([field])
        return
    draft.add(Stage.LIMIT, step)
