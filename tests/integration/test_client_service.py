"""What takes a device out of service, and what brings it back, over restarts and without a client."""

from dataclasses import replace

import pytest

from der_client.client_event import What
from der_client.device import Applied, Fault, FaultKind, Reversion, Setpoint, Telemetry
from der_client.override import Override
from der_client.plan import Plan
from der_client.sunspec import SunSpecDevice, read_points
from der_client.sunspec.simulator import InverterHandle, InverterSettings, serve_inverter
from function_sets import ModeSource
from tests.integration.control_bench import PLATE, Bench, Notes, Rig

SWITCHED = replace(PLATE, modes=PLATE.modes | {"opModEnergize"})


def holding(mode: str) -> Plan:
    """A plan of one event that takes the device out of service."""
    source = ModeSource(mode=mode, value=False, mRID="AA", program_href="/p", primacy=1)
    return Plan(modes={mode: source})


async def points_of(handle: InverterHandle, *names: str) -> dict[str, object]:
    found = await read_points("127.0.0.1", handle.port, 1, list(names))
    return {name: found[name].value for name in names}


async def run_once(handle: InverterHandle, notes: Notes, plan: Plan) -> None:
    """One run of a client: some periods with one plan."""
    device = SunSpecDevice("pv", "127.0.0.1", handle.port)
    bench = Bench(device, notes)  # type: ignore[arg-type]
    bench.plan.set(plan)
    try:
        await bench.begin()
        await bench.loop.cycle()
        bench.now += 1.0
        await bench.loop.cycle()
    finally:
        await device.close()


@pytest.mark.parametrize(
    ("series", "mode", "point", "out", "back"),
    [
        (700, "opModEnergize", "703.ES", 0, 1),
        (700, "opModConnect", "715.OpCtl", 0, 1),
        (100, "opModEnergize", "123.WMaxLim_Ena", 1, 0),
        (100, "opModConnect", "123.Conn", 0, 1),
    ],
)
async def test_a_device_is_back_in_service_when_the_event_ended_while_the_client_was_away(
    series: int, mode: str, point: str, out: int, back: int
) -> None:
    handle, notes = await serve_inverter(InverterSettings(series=series)), Notes()
    try:
        await run_once(handle, notes, holding(mode))
        before = await points_of(handle, point)
        await run_once(handle, notes, Plan())
        after = await points_of(handle, point)
    finally:
        await handle.close()

    assert (before, after) == ({point: out}, {point: back})


async def test_a_device_that_somebody_else_took_out_of_service_stays_out() -> None:
    rig, notes = Rig(), Notes()
    bench = Bench(rig, notes)
    bench.plan.set(Plan())
    await bench.begin()
    held = await bench.cycle()

    assert (held.energize, held.connect) == (None, None)


async def test_a_device_is_brought_back_once() -> None:
    rig, notes = Rig(plate=SWITCHED), Notes()
    first = Bench(rig, notes)
    first.plan.set(holding("opModEnergize"))
    await first.begin()
    out = await first.cycle()
    second = Bench(rig, notes)
    second.plan.set(Plan())
    await second.begin()
    back = await second.cycle()
    after = await second.cycle()

    assert (out.energize, back.energize, after.energize) == (False, True, None)
    assert notes["taken out of cellar"] == "[]"


async def test_a_battery_stays_out_after_a_restart_until_its_bms_has_spoken() -> None:
    rig, notes = Rig(plate=SWITCHED), Notes({"taken out of cellar": '["energize"]'})
    rig.reading = Telemetry(
        power_w=0.0, reactive_var=0.0, battery=Fault(kind=FaultKind.NO_ANSWER, detail="not received yet")
    )
    bench = Bench(rig, notes)
    await bench.begin()
    unheard = await bench.cycle()
    rig.says()
    bench.now += 60.0
    await bench.cycle()
    await bench.cycle()
    heard = [setpoint.energize for setpoint, _ in rig.told]

    assert (unheard.energize, unheard.target_w) == (None, 0.0)
    assert True in heard
    assert notes["taken out of cellar"] == "[]"


async def test_without_a_client_a_device_that_an_interlock_stopped_stays_stopped() -> None:
    rig = Rig()
    bench = Bench(rig)
    await bench.cycle()
    rig.says(temperature_c=70.0)
    bench.now += 1.0
    await bench.cycle()
    await bench.cycle()

    assert bench.reasons == ["battery far too hot"]
    assert rig.told[-1][1] == Reversion(
        after_s=60, to=Setpoint(connect=False, energize=False, max_w_pct=0.0, target_w=0.0)
    )


async def test_without_a_client_a_device_that_an_operator_stopped_stays_stopped() -> None:
    rig = Rig()
    bench = Bench(rig)
    await bench.loop.override(Override(energize=False))
    await bench.cycle()

    assert rig.told[-1][1].to.energize is False
    assert rig.told[-1][1].to.max_w_pct == 0.0


async def test_an_older_inverter_that_an_operator_stopped_has_no_timer_that_lets_it_go() -> None:
    handle = await serve_inverter(InverterSettings(series=100))
    device = SunSpecDevice("pv", "127.0.0.1", handle.port)
    bench = Bench(device)  # type: ignore[arg-type]
    try:
        await bench.loop.override(Override(energize=False))
        await bench.loop.cycle()
        found = await points_of(handle, "123.WMaxLimPct", "123.WMaxLim_Ena", "123.WMaxLimPct_RvrtTms")
    finally:
        await device.close()
        await handle.close()

    assert found == {"123.WMaxLimPct": 0.0, "123.WMaxLim_Ena": 1, "123.WMaxLimPct_RvrtTms": 0}


async def test_what_a_device_has_not_done_yet_is_looked_at_again_and_is_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(
        Rig(answer=Fault(kind=FaultKind.PENDING, detail="not adopted yet", point="705.AdptCrvRslt"))
    )
    for _ in range(40):
        await bench.cycle()
    told, reasons = len(bench.rig.told), bench.reasons
    bench.rig.answer = Applied()
    for _ in range(3):
        await bench.cycle()

    assert (told, len(bench.rig.told)) == (40, 41)
    assert (reasons, bench.loop.view.value.failed) == ([], {})
    assert [what for what, _ in bench.heard].count(What.APPLIED) == 1
    assert "not adopted" not in caplog.text


class Unlimited(Rig):
    """Storage without a BMS that can be given a power and has no limit of charging of its own."""

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        await super().apply(setpoint, reversion)
        lacks = setpoint.target_w is None and setpoint.max_charge_w is not None
        return Applied(unsupported=frozenset({"max_charge_w"} if lacks else ()))


async def test_storage_that_turns_out_to_have_no_limit_of_charging_is_held_by_a_target() -> None:
    bench = Bench(Unlimited(reading=Telemetry(power_w=-5_000.0, reactive_var=0.0, soc_pct=100.0)))
    bench.plan.set(Plan())
    for _ in range(12):
        held = await bench.cycle()

    assert held.target_w == 0.0
    assert [told.target_w for told, _ in bench.rig.told if told.max_charge_w == 0.0][:2] == [None, 0.0]
