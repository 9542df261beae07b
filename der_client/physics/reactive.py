"""Reactive power of an inverter: fixed, by power factor, by voltage, by active power. IEEE 1547-2018, 5.3."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from der_client.physics.capability import (
    along,
    max_va_at,
    var_from_share,
    within_excitation,
    within_va,
    within_var,
)
from der_client.physics.curve import LAGS_TO_90_PCT, interpolate, lagged
from der_client.physics.orders import Orders, PowerFactor, VoltVar

SETTLED = 1e-4
V_REF_LOW, V_REF_HIGH = 0.95, 1.05
"""The range of an autonomous reference voltage. IEEE 1547-2018, 5.3.3."""


@dataclass(slots=True)
class ReactivePower:
    """The state of the reactive functions: volt-var on its way, and the reference voltage that it follows."""

    share: float | None = None
    v_ref: float | None = None

    def step(self, orders: Orders, voltage: float, dt_s: float) -> None:
        """Move on by `dt_s` at a constant per unit voltage."""
        function = orders.volt_var
        if function is None:
            self.share = self.v_ref = None
            return
        self.v_ref = self._v_ref(function, voltage, dt_s)
        target = interpolate(function.curve, voltage - (self.v_ref - 1.0))
        first = target if self.share is None else self.share
        self.share = lagged(first, target, function.response_s, dt_s)

    def is_moving(self, orders: Orders, voltage: float) -> bool:
        """True while a lag is under way, so that a long step must be cut."""
        function = orders.volt_var
        if function is None or self.share is None or self.v_ref is None:
            return False
        if function.follows_v_ref and abs(self.v_ref - max(V_REF_LOW, min(voltage, V_REF_HIGH))) > SETTLED:
            return True
        target = interpolate(function.curve, voltage - (self.v_ref - 1.0))
        return abs(target - self.share) > SETTLED

    def reset(self) -> None:
        """Out of service: volt-var begins at nothing again."""
        self.share = 0.0

    def settle(self, orders: Orders, power_w: float) -> tuple[float, float]:
        """Active and reactive power within the ratings, for the active power that is wanted."""
        max_va = max_va_at(orders.ratings, power_w)
        bound = self._bound_to_power(orders, power_w)
        if bound is not None:
            settled_w, reactive_var = along(power_w, bound, max_va)
        else:
            wanted_var, reactive_first = self._free(orders, power_w)
            settled_w, reactive_var = within_va(power_w, wanted_var, max_va, reactive_first=reactive_first)
        return within_excitation(settled_w, reactive_var, orders.ratings), reactive_var

    def _v_ref(self, function: VoltVar, voltage: float, dt_s: float) -> float:
        if not function.follows_v_ref:
            return function.v_ref
        before = function.v_ref if self.v_ref is None else self.v_ref
        followed = lagged(before, voltage, function.v_ref_s * LAGS_TO_90_PCT, dt_s)
        return max(V_REF_LOW, min(followed, V_REF_HIGH))

    def _free(self, orders: Orders, power_w: float) -> tuple[float, bool]:
        """Reactive power of the functions that do not look at active power, and whether it goes first."""
        ratings = orders.ratings
        if orders.var is not None:
            wanted_var = var_from_share(orders.var.value, orders.var.ref, ratings, power_w)
            return within_var(wanted_var, ratings), orders.var.reactive_first
        if orders.volt_var is not None and self.share is not None:
            wanted_var = var_from_share(self.share, orders.volt_var.ref, ratings, power_w)
            return within_var(wanted_var, ratings), orders.volt_var.reactive_first
        return 0.0, False

    def _bound_to_power(self, orders: Orders, power_w: float) -> Callable[[float], float] | None:
        """Reactive power as a function of active power, for the functions that bind them."""
        ratings = orders.ratings
        factor = orders.pf_inject if power_w >= 0 else orders.pf_absorb
        if orders.var is not None:
            return None
        if factor is not None:
            return lambda watts: within_var(_var_of(factor, watts), ratings)
        if orders.volt_var is not None:
            return None
        if orders.watt_var is not None:
            curve, ref = orders.watt_var.curve, orders.watt_var.ref
            return lambda w: within_var(
                var_from_share(interpolate(curve, w / ratings.max_w), ref, ratings, w), ratings
            )
        if orders.watt_pf is not None:
            factors = orders.watt_pf.curve
            return lambda w: within_var(_var_of(_signed(interpolate(factors, w / ratings.max_w)), w), ratings)
        return None


def _signed(factor: float) -> PowerFactor:
    return PowerFactor(factor=min(1.0, max(abs(factor), 0.01)), absorbing=factor < 0)


def _var_of(factor: PowerFactor, power_w: float) -> float:
    """Reactive power that makes this power factor."""
    magnitude = abs(power_w) * math.tan(math.acos(factor.factor))
    return -magnitude if factor.absorbing else magnitude
