"""Laws of reports upwards: energy is conserved by resampling, signs mirror each other."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from openadr_ven.back import (
    Description,
    Heard,
    Quantity,
    Reply,
    Sample,
    hear,
    heard_of,
    heard_table,
    periods_of,
    points,
    stances,
)
from tests.inputs import inputs
from tests.unit.openadr_ven.known_builder import DELTA, FORWARD, REVERSE, T0, counter, known, power

STEPS = st.lists(st.integers(1, 900), min_size=1, max_size=12)
LAWS = settings(deadline=None, max_examples=inputs(50))
IMPORTED = Description(rID="e", quantity=Quantity.IMPORTED)
POWER = Description(rID="p", quantity=Quantity.POWER)


def laid_out(steps: list[int], values: list[Decimal]) -> tuple[Sample, ...]:
    starts = [T0 + sum(steps[:index]) for index in range(len(steps))]
    return tuple(
        Sample(start=start, duration_s=step, value=value)
        for start, step, value in zip(starts, steps, values, strict=True)
    )


def amounts(of: tuple[Sample, ...], granularity_s: int, **more: int) -> list[Decimal]:
    end = of[-1].end
    series = counter(samples=of, **more)
    found = points(known(series), [IMPORTED], periods_of(T0 - 77, end + 77, granularity_s))
    return [point.value for point in found if isinstance(point.value, Decimal)]


@LAWS
@given(steps=STEPS, granularity_s=st.integers(20, 1000), data=st.data())
def test_energy_of_deltas_is_conserved_by_any_granularity(
    steps: list[int], granularity_s: int, data: st.DataObject
) -> None:
    values = [Decimal(data.draw(st.integers(0, 10**9))).scaleb(-3) for _ in steps]
    told = amounts(laid_out(steps, values), granularity_s, accumulationBehaviour=DELTA)
    assert sum(told) == sum(values)


@LAWS
@given(steps=STEPS, granularity_s=st.integers(20, 1000), data=st.data())
def test_energy_of_a_counter_is_conserved_by_any_granularity(
    steps: list[int], granularity_s: int, data: st.DataObject
) -> None:
    rises = [data.draw(st.integers(0, 10**6)) for _ in steps]
    states = [Decimal(sum(rises[: index + 1])) for index in range(len(steps))]
    told = amounts(laid_out(steps, states), granularity_s)
    assert sum(told) == states[-1] - states[0]
    assert all(one >= 0 for one in told)


@LAWS
@given(steps=STEPS, granularity_s=st.integers(20, 1000), data=st.data())
def test_power_of_the_other_flow_has_the_other_sign(
    steps: list[int], granularity_s: int, data: st.DataObject
) -> None:
    held = laid_out(steps, [Decimal(data.draw(st.integers(-9999, 9999))) for _ in steps])
    periods = periods_of(T0, held[-1].end, granularity_s)
    forward = points(known(power(flow=FORWARD, samples=held)), [POWER], periods)
    reverse = points(known(power(flow=REVERSE, samples=held)), [POWER], periods)
    assert [point.value for point in forward] == [
        None if point.value is None else -point.value  # type: ignore[operator]
        for point in reverse
    ]


@LAWS
@given(steps=STEPS, granularity_s=st.integers(20, 1000), data=st.data())
def test_a_mean_is_never_outside_of_what_was_measured(
    steps: list[int], granularity_s: int, data: st.DataObject
) -> None:
    values = [Decimal(data.draw(st.integers(-9999, 9999))) for _ in steps]
    held = laid_out(steps, values)
    found = points(known(power(samples=held)), [POWER], periods_of(T0, held[-1].end, granularity_s))
    assert all(min(values) <= point.value <= max(values) for point in found)  # type: ignore[operator]


@LAWS
@given(steps=STEPS, granularity_s=st.integers(20, 1000))
def test_the_same_facts_make_the_same_points(steps: list[int], granularity_s: int) -> None:
    of = known(power(samples=laid_out(steps, [Decimal(one) for one in steps])))
    periods = periods_of(T0, T0 + 3000, granularity_s)
    assert points(of, [POWER], periods) == points(replace(of), [POWER], periods)


REPLIES = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.sampled_from(("c1", "c2")), st.sampled_from((1, 2, 3, 4, 5, 8, 253))
    ),
    max_size=12,
)


@LAWS
@given(said=REPLIES, data=st.data())
def test_replies_heard_again_or_in_another_order_are_the_same(
    said: list[tuple[str, str, int]], data: st.DataObject
) -> None:
    found = [
        (device, Reply(id=number, control=control, status=status))
        for number, (device, control, status) in enumerate(said, 1)
    ]
    once = hear(Heard(), "e", found)
    mixed = hear(hear(Heard(), "e", data.draw(st.permutations(found))), "e", found[::2])
    assert (stances(once, "e"), once.cursors) == (stances(mixed, "e"), mixed.cursors)
    assert heard_of(heard_table(once)) == once
