"""The sum of what the DERs of a site give never exceeds its limit, whatever the mix."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der_client.site_split import split
from tests.inputs import inputs
from tests.unit.der_client.site_bench import PV, STORAGE, Bench, Unit, limited, plan, watts

WATTS = st.floats(0, 10_000)
SLOW = settings(deadline=None, max_examples=inputs(60))
UNITS = st.lists(
    st.builds(
        Unit,
        nameplate=st.sampled_from((PV, STORAGE)),
        sun_w=WATTS,
        power_w=st.floats(-5_000, 10_000),
    ),
    min_size=1,
    max_size=5,
)


@given(st.floats(0, 50_000), st.lists(st.tuples(WATTS, WATTS), max_size=6))
def test_parts_never_add_up_to_more_than_there_is(total: float, pairs: list[tuple[float, float]]) -> None:
    wanted, most = [min(pair) for pair in pairs], [max(pair) for pair in pairs]
    parts = split(total, wanted, most)

    assert sum(parts) == pytest.approx(min(total, sum(most)), abs=1e-6) or total <= sum(wanted)
    assert sum(parts) <= total + 1e-6
    assert all(0 <= part <= top + 1e-6 for part, top in zip(parts, most, strict=True))


def bench_of(units: list[Unit], load_w: float, *, metered: bool) -> Bench:
    return Bench(
        units={str(number): unit for number, unit in enumerate(units)}, load_w=load_w, metered=metered
    )


@SLOW
@given(UNITS, WATTS, st.floats(0, 30_000), st.lists(st.lists(WATTS, min_size=5, max_size=5), max_size=6))
def test_generation_stays_below_its_limit_while_the_sun_does_what_it_will(
    units: list[Unit], load_w: float, limit_w: float, suns: list[list[float]]
) -> None:
    bench = bench_of(units, load_w, metered=True)
    wanted = limited(opModGenLimW=round(limit_w))
    bench.round(wanted, 3)
    sums = []
    for sun in suns:
        for unit, sun_w in zip(units, sun, strict=False):
            unit.sun_w = sun_w
        bench.round(wanted)
        sums.append(sum(max(0.0, unit.power_w) for unit in units))

    assert all(power_w <= round(limit_w) + 1e-3 for power_w in sums)


@SLOW
@given(UNITS, st.lists(st.floats(-8_000, 8_000), min_size=1, max_size=8), st.floats(0, 30_000))
def test_export_stays_below_its_limit_two_rounds_after_each_step_of_the_load(
    units: list[Unit], loads: list[float], limit_w: float
) -> None:
    bench = bench_of(units, loads[0], metered=True)
    wanted = limited(opModExpLimW=round(limit_w))
    bench.round(wanted, 3)
    exports = []
    for load_w in loads:
        bench.load_w = load_w
        bench.round(wanted, 2)
        exports.append((bench.export_w, load_w))

    assert all(export_w <= max(round(limit_w), -load_w) + 1e-3 for export_w, load_w in exports)


@SLOW
@given(UNITS, st.floats(0, 8_000), st.floats(0, 30_000))
def test_without_a_meter_what_all_give_together_stays_below_the_export_limit(
    units: list[Unit], load_w: float, limit_w: float
) -> None:
    bench = bench_of(units, load_w, metered=False)
    bench.round(limited(opModExpLimW=round(limit_w)), 4)

    assert sum(unit.power_w for unit in units) <= round(limit_w) + 1e-3


@SLOW
@given(UNITS, st.floats(0, 8_000), st.floats(0, 30_000), st.floats(-20_000, 20_000))
def test_import_beyond_the_load_stays_below_its_limit(
    units: list[Unit], load_w: float, limit_w: float, target_w: float
) -> None:
    bench = bench_of(units, load_w, metered=True)
    wanted = plan(opModImpLimW=watts(limit_w), opModTargetW=watts(target_w))
    bench.round(wanted, 4)
    taken_w = sum(max(0.0, -unit.power_w) for unit in units)
    given_w = sum(max(0.0, unit.power_w) for unit in units)

    assert taken_w <= max(0.0, round(limit_w) - load_w + given_w) + 1e-3


@SLOW
@given(UNITS, st.floats(0, 30_000), st.floats(0, 30_000), st.integers(1, 600))
def test_on_a_ramp_the_sum_never_rises_above_the_limit_of_the_moment(
    units: list[Unit], first_w: float, second_w: float, ramp_tms: int
) -> None:
    bench = bench_of(units, 0.0, metered=True)
    bench.round(limited(opModGenLimW=round(first_w)), 3)
    wanted = plan(opModGenLimW=watts(second_w), ramp_tms=ramp_tms)
    most_w = max(round(first_w), round(second_w))
    sums = []
    for _ in range(8):
        bench.round(wanted)
        sums.append(sum(max(0.0, unit.power_w) for unit in units))

    assert all(power_w <= most_w + 1e-3 for power_w in sums)
    assert sums[-1] <= round(second_w) + 1e-3
