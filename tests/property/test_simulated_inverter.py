"""Laws of the simulated inverter: ratings hold whatever is written, steps of any size agree."""

import math

from hypothesis import example, given, settings
from hypothesis import strategies as st

from der_client.sunspec.simulator.bank import put
from der_client.sunspec.simulator.inverter import Inverter
from der_client.sunspec.simulator.settings import InverterSettings
from der_client.sunspec.simulator.sources import IdealBattery
from tests.inputs import inputs

MAX_W, MAX_VA, MAX_VAR, CHARGE_W = 10_000.0, 11_000.0, 4_400.0, 6_000.0
SETTINGS = InverterSettings(
    max_w=MAX_W, max_va=MAX_VA, max_var=MAX_VAR, charge_w=CHARGE_W, discharge_w=MAX_W, capacity_wh=20_000
)
FLAGS = st.dictionaries(
    st.sampled_from(
        ["704.WMaxLimPctEna", "704.WSetEna", "704.VarSetEna", "704.PFWInjEna", "704.PFWAbsEna", "705.Ena",
         "706.Ena", "711.Ena", "712.Ena", "703.ES"]
    ),
    st.integers(0, 1),
)  # fmt: skip
NUMBERS = st.fixed_dictionaries(
    {
        "704.WMaxLimPct": st.integers(0, 100),
        "704.WSet": st.integers(-6_000, 10_000),
        "704.VarSetPct": st.integers(-100, 100),
        "704.VarSetMod": st.integers(0, 3),
        "704.VarSetPri": st.integers(0, 1),
        "704.PFWInj.PF": st.floats(0.1, 1.0),
        "704.PFWInj.Ext": st.integers(0, 1),
        "704.WRmp": st.integers(1, 100),
    }
)
STEPS = st.lists(
    st.tuples(FLAGS, NUMBERS, st.floats(0.3, 1.3), st.floats(56.0, 63.0), st.floats(0.01, 400.0)),
    min_size=1,
    max_size=5,
)
Step = tuple[dict[str, int], dict[str, float], float, float, float]


@settings(deadline=None, max_examples=inputs(60))
@given(steps=STEPS, soc_pct=st.floats(0.0, 100.0))
def test_ratings_hold_whatever_is_written_and_the_grid_does(steps: list[Step], soc_pct: float) -> None:
    battery = IdealBattery(capacity_wh=20_000, charge_w=CHARGE_W, discharge_w=MAX_W, soc_pct=soc_pct)
    inverter = Inverter(SETTINGS, 0.0, battery)
    now = 0.0
    for flags, numbers, per_unit, hertz, seconds in steps:
        for name, value in {**numbers, **flags}.items():
            number, _, point = name.partition(".")
            put(inverter.bank.models[int(number)], point, value)
        inverter.set_grid(voltage_v=per_unit * 240.0, frequency_hz=hertz)
        now += seconds
        inverter.step(now)
        ac = inverter.ac
        assert -CHARGE_W - 1e-6 <= ac.power_w <= MAX_W + 1e-6
        assert abs(ac.reactive_var) <= MAX_VAR + 1e-6
        assert math.hypot(ac.power_w, ac.reactive_var) <= MAX_VA + 1e-6
        assert 0.0 <= battery.soc_pct <= 100.0
        assert ac.injected_wh <= MAX_W * now / 3600 + 1e-6


FAST_RAMP = {
    "704.WMaxLimPct": 0,
    "704.WSet": 0,
    "704.VarSetPct": 0,
    "704.VarSetMod": 0,
    "704.VarSetPri": 0,
    "704.PFWInj.PF": 1.0,
    "704.PFWInj.Ext": 0,
    "704.WRmp": 41,
}
"""4.1 kW in the one second of the step."""


@settings(deadline=None, max_examples=inputs(40))
@given(steps=STEPS, cuts=st.integers(2, 7))
@example(steps=[({"704.WMaxLimPctEna": 1}, FAST_RAMP, 1.0, 60.0, 1.0)], cuts=2)
def test_the_size_of_a_step_does_not_change_what_comes_of_it(steps: list[Step], cuts: int) -> None:
    whole, cut = (Inverter(InverterSettings(), 0.0) for _ in range(2))
    now = 0.0
    for flags, numbers, per_unit, hertz, seconds in steps:
        for inverter in (whole, cut):
            for name, value in {**numbers, **flags, "704.WSet": 0}.items():
                number, _, point = name.partition(".")
                put(inverter.bank.models[int(number)], point, value)
            inverter.set_grid(voltage_v=per_unit * 240.0, frequency_hz=hertz)
        for part in range(1, cuts + 1):
            cut.step(now + seconds * part / cuts)
        now += seconds
        whole.step(now)
    assert abs(whole.ac.power_w - cut.ac.power_w) <= 0.01 * MAX_W
    assert abs(whole.ac.reactive_var - cut.ac.reactive_var) <= 0.01 * MAX_W
    assert abs(whole.ac.injected_wh - cut.ac.injected_wh) <= 0.01 * MAX_W * max(now, 10.0) / 3600
