"""A start that knows no plan yet leaves its device as it is, unless an interlock must stop it."""

from dataclasses import dataclass, replace

import pytest

from der_client.desired import Desired
from der_client.device import Fault, FaultKind, Setpoint, Telemetry
from der_client.interlocks import Surroundings
from der_client.safety import SafetyState, clamp, unasked
from tests.integration.control_bench import BATTERY, OUT, PLATE, Bench, Notes, Rig, target

LEFT = Telemetry(power_w=3_000.0, reactive_var=0.0, battery=BATTERY)
"""A battery that an earlier run left discharging."""


@dataclass
class LeftRig(Rig):
    """A device that goes on with what an earlier run told it."""

    def says(self, **change: object) -> None:
        self.reading = replace(LEFT, battery=replace(BATTERY, **change))  # type: ignore[arg-type]


@pytest.fixture
def bench() -> Bench:
    """A loop that knows no plan, of a battery that goes on giving 3 kW."""
    it = Bench(LeftRig(reading=LEFT))
    it.plan.set(None)
    return it


@pytest.mark.parametrize(
    "trip", [{"cell_v_max": 3.70}, {"temperature_c": 70.0}, {"alarms": frozenset({"high_voltage"})}]
)
async def test_a_battery_beyond_a_limit_is_stopped_before_a_plan_is_known(
    bench: Bench, trip: dict[str, object]
) -> None:
    bench.rig.says(**trip)
    for _ in range(3):
        await bench.cycle()

    setpoint, reversion = bench.rig.told[0]
    assert replace(setpoint, open_contactor=False) == OUT
    assert reversion.to.energize is False
    assert bench.reasons != []


async def test_delays_of_interlocks_run_before_a_plan_is_known(bench: Bench) -> None:
    bench.rig.says(cell_v_min=2.75)
    held = [await bench.cycle() for _ in range(3)]

    assert [setpoint.energize for setpoint in held] == [None, None, False]


async def test_what_does_not_stop_a_device_writes_nothing_before_a_plan_is_known(bench: Bench) -> None:
    bench.rig.says(cell_v_max=3.61)
    for _ in range(5):
        await bench.cycle()

    assert bench.rig.told == []


@pytest.mark.parametrize(("kind", "told"), [(FaultKind.STALE, 1), (FaultKind.NO_ANSWER, 0)])
async def test_a_bms_that_fell_silent_stops_its_battery_and_one_that_never_spoke_is_waited_for(
    bench: Bench, kind: FaultKind, told: int
) -> None:
    bench.rig.reading = replace(LEFT, battery=Fault(kind=kind, detail="silent"))
    for _ in range(5):
        await bench.cycle()

    assert [setpoint.energize for setpoint, _ in bench.rig.told] == [False] * told


async def test_a_latch_of_an_earlier_run_is_told_before_a_plan_is_known(bench: Bench) -> None:
    bench.memory = Notes({"latched of cellar": '["cell far over voltage"]'})
    await bench.begin()

    assert await bench.cycle() == OUT


async def test_a_stop_before_a_plan_is_known_ends_after_its_cause_with_the_plan(bench: Bench) -> None:
    bench.rig.says(alarms=frozenset({"high_voltage"}))
    await bench.cycle()
    bench.rig.says()
    bench.now += 0.5
    still = await bench.cycle()
    bench.plan.set(target(1_000))
    for _ in range(70):
        held = await bench.cycle()

    assert still == OUT
    assert (held.energize, held.target_w) == (None, 1_000.0)


def test_a_device_that_is_left_as_it_is_is_not_held_against_what_nobody_told_it() -> None:
    state = SafetyState()
    for at in range(300):
        seen = unasked(LEFT, PLATE, state, float(at), around=Surroundings())
        assert seen is not None
        state = seen

    wish = Desired(setpoint=Setpoint(target_w=1_000.0, grad_w_pct_per_s=1.0))
    safe = clamp(wish, LEFT, PLATE, state, 300.0, around=Surroundings())
    assert safe.reasons == ()
    assert safe.setpoint.target_w == 3_000.0
