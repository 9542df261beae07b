"""A device that does what it is told, as fast as it may, is never judged to give too much (interlock 21)."""

from dataclasses import dataclass, replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from der_client.device import Setpoint
from der_client.interlocks import SafetyRules
from tests.inputs import inputs
from tests.unit.der_client.safety_bench import PV, SUN, Gate, names

ABOVE = {"power above its limit", "power stays above its limit"}


@dataclass(frozen=True)
class Spell:
    """Some seconds with one limit, %, one gradient, % of setMaxW per second, and so much sun, W."""

    seconds: int
    limit_pct: float | None
    grad_pct_per_s: float | None
    sun_w: float


def spells() -> st.SearchStrategy[list[Spell]]:
    one = st.builds(
        Spell,
        seconds=st.integers(1, 90),
        limit_pct=st.none() | st.floats(0.0, 100.0),
        grad_pct_per_s=st.none() | st.floats(0.5, 20.0),
        sun_w=st.floats(0.0, 10_000.0),
    )
    return st.lists(one, min_size=1, max_size=8)


@settings(max_examples=inputs(100))
@given(spells(), st.none() | st.floats(1.0, 20.0), st.none() | st.floats(3_000.0, 60_000.0))
@example(
    [Spell(60, None, None, 9_500.0), Spell(90, 50.0, 1.0, 9_500.0), Spell(90, 20.0, 1.0, 9_500.0)], 1.0, None
)
def test_a_device_that_follows_is_never_above_its_limit_for_long(
    day: list[Spell], own_pct_per_s: float | None, rule_w_per_min: float | None
) -> None:
    gate = Gate(replace(PV, grad_w_pct_per_s=own_pct_per_s), SafetyRules(ramp_w_per_min=rule_w_per_min))
    power_w, at = day[0].sun_w, 0.0
    for spell in day:
        wish = Setpoint(max_w_pct=spell.limit_pct, grad_w_pct_per_s=spell.grad_pct_per_s)
        for _ in range(spell.seconds):
            result = gate.step(wish, replace(SUN, power_w=power_w), at)
            assert not ABOVE & set(names(result))
            told_pct = 100.0 if result.setpoint.max_w_pct is None else result.setpoint.max_w_pct
            goal_w = min(spell.sun_w, told_pct * 100.0)
            step_w = 10_000.0 if own_pct_per_s is None else own_pct_per_s * 100.0
            power_w = min(max(goal_w, power_w - step_w), power_w + step_w)
            at += 1.0
