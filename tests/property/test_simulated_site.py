"""A site neither makes nor loses energy, whatever happens on it and however its time is cut."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der_client.sunspec.simulator.bank import put
from lineside.sim.build import Wish, build
from lineside.sim.rig import Rig
from tests.inputs import inputs

START = 1_782_000_000.0
STEPS = st.lists(
    st.tuples(
        st.floats(0.1, 900.0),
        st.floats(-5_000.0, 5_000.0),
        st.floats(0.9, 1.05),
        st.floats(59.0, 61.0),
        st.floats(0.0, 1.0),
    ),
    min_size=1,
    max_size=4,
)


def live(rig: Rig, steps: list[tuple[float, float, float, float, float]]) -> None:
    """Let a site live: time, what the battery is asked for, grid, and what the household may take."""
    assert rig.site is not None
    battery = rig.devices["battery"].inverter
    assert battery is not None
    now = START
    for seconds, asked_w, per_unit, hertz, share in steps:
        controls = battery.bank.models[704]
        put(controls, "WSet", round(asked_w))
        put(controls, "WSetEna", 1)
        rig.set_grid(per_unit, hertz)
        rig.site.flexible_share = share
        now += seconds
        rig.step(now)


@settings(deadline=None, max_examples=inputs(20))
@given(seed=st.integers(0, 1_000), steps=STEPS, self_consumption=st.booleans())
def test_what_the_meter_counts_is_what_the_devices_count_and_the_household_takes(
    seed: int, steps: list[tuple[float, float, float, float, float]], *, self_consumption: bool
) -> None:
    rig = build(Wish(kind="site", start=START, seed=seed, self_consumption=self_consumption))
    live(rig, steps)
    site = rig.site
    assert site is not None
    given_wh = math.fsum(d.ac.injected_wh - d.ac.absorbed_wh for d in site.devices.values())
    passed_wh = site.flow.exported_wh - site.flow.imported_wh
    assert passed_wh == pytest.approx(given_wh - site.household_wh, abs=1e-6)
    power_w = math.fsum(d.ac.power_w for d in site.devices.values()) - site.household_w()
    assert site.flow.power_w == pytest.approx(power_w, abs=1e-9)


@settings(deadline=None, max_examples=inputs(8))
@given(seed=st.integers(0, 1_000), steps=STEPS)
def test_the_same_seed_gives_the_same_day(
    seed: int, steps: list[tuple[float, float, float, float, float]]
) -> None:
    days = [build(Wish(kind="site", start=START, seed=seed)) for _ in range(2)]
    for rig in days:
        live(rig, steps)
    assert days[0].status() == days[1].status()
