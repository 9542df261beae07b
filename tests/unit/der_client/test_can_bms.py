"""The simulated BMS against the core that reads it: agreement, alarms, every fault on command."""

import pytest

from der_client.can import (
    BatteryLimits,
    BmsFault,
    BmsSettings,
    BmsState,
    CanFrame,
    Pack,
    PackSettings,
    Profile,
    SimulatedBms,
    load_profile,
)
from der_client.can.state import Phase
from der_client.device import BatteryState, Fault


@pytest.fixture(scope="module", params=["pylontech_lv", "sma_35x"])
def profile(request: pytest.FixtureRequest) -> Profile:
    return load_profile(str(request.param))


@pytest.fixture(scope="module")
def pylontech() -> Profile:
    return load_profile("pylontech_lv")


class Bench:
    """A simulated BMS and the state that hears it, one round of frames each second."""

    def __init__(self, profile: Profile, settings: BmsSettings | None = None, **pack: float) -> None:
        self.pack = Pack(
            PackSettings(soc_pct=pack.get("soc_pct", 50.0), ambient_c=pack.get("ambient_c", 25.0))
        )
        self.bms = SimulatedBms(self.pack, profile, settings)
        self.state = BmsState(profile, BatteryLimits(max_charge_a=100.0, max_discharge_a=100.0))
        self.now = 0.0
        self.rejections: list[str] = []

    def run(self, seconds: int = 1) -> BatteryState | Fault:
        for _ in range(seconds):
            self.now += 1.0
            for frame in self.bms.due_frames(self.now):
                self.rejections += [item.reason for item in self.state.feed(frame, self.now)]
        return self.state.assess(self.now)

    def battery(self, seconds: int = 1) -> BatteryState:
        answer = self.run(seconds)
        assert isinstance(answer, BatteryState)
        return answer


def test_reader_sees_the_pack_within_the_resolution_of_the_signals(profile: Profile) -> None:
    bench = Bench(profile)
    bench.pack.transfer(2500.0, 1000.0)
    state = bench.battery()
    assert state.voltage_v == pytest.approx(bench.pack.voltage_v, abs=0.005)
    assert state.current_a == pytest.approx(bench.pack.current_a, abs=0.05)
    assert state.soc_pct == pytest.approx(bench.pack.soc_pct, abs=0.5)
    assert state.temperature_c == pytest.approx(bench.pack.temperature_c, abs=0.05)
    assert state.charge_limit_a == pytest.approx(bench.pack.ccl_a, abs=0.05)
    assert state.discharge_limit_a == pytest.approx(bench.pack.dcl_a, abs=0.05)
    assert (state.soh_pct, state.charge_voltage_v, state.alarms, state.warnings) == (
        100.0, 56.8, frozenset(), frozenset(),
    )  # fmt: skip
    assert bench.rejections == []


def test_cells_capacity_and_name_are_sent(profile: Profile) -> None:
    bench = Bench(profile)
    bench.run()
    decoder = bench.state.decoder
    assert decoder.value("cell_v_min") == pytest.approx(bench.pack.cell_voltages_v[0], abs=0.0005)
    assert decoder.value("cell_t_max") == pytest.approx(25.0, abs=0.5)
    assert (decoder.value("capacity"), decoder.value("modules")) == (195.0, 2.0)
    assert decoder.text("manufacturer") == "LINESIDE"


def test_each_message_keeps_its_period(pylontech: Profile) -> None:
    bms = SimulatedBms(Pack(), pylontech)
    counts = [len(bms.due_frames(now)) for now in (0.0, 0.5, 0.999, 1.0, 1.5, 2.0)]
    assert (counts, bms.period_s) == ([8, 0, 0, 8, 0, 8], 1.0)


def test_period_may_be_overridden(pylontech: Profile) -> None:
    bms = SimulatedBms(Pack(), pylontech, BmsSettings(period_s=0.2))
    assert [len(bms.due_frames(now)) for now in (0.0, 0.1, 0.2)] == [8, 0, 8]


def test_alarm_has_hysteresis(profile: Profile) -> None:
    bench = Bench(profile)
    seen = []
    for temperature_c in (59.9, 60.1, 46.0, 44.9):
        bench.pack.temperature_c = bench.pack.settings.ambient_c + (temperature_c - 25.0) / 1.1
        seen.append(set(bench.battery().alarms))
    assert seen == [set(), {"high_temperature"}, {"high_temperature"}, set()]


def test_low_alarm_has_hysteresis_the_other_way(profile: Profile) -> None:
    bench = Bench(profile, soc_pct=0.0)
    first = bench.battery()
    bench.pack.soc_pct = 4.0
    second = bench.battery()
    bench.pack.soc_pct = 8.0
    third = bench.battery()
    assert [set(state.alarms) for state in (first, second, third)] == [
        {"low_voltage"},
        {"low_voltage"},
        set(),
    ]
    assert [set(state.warnings) for state in (first, second, third)] == [
        {"low_voltage"},
        {"low_voltage"},
        set(),
    ]


def test_alarm_on_command_arrives_and_leaves(profile: Profile) -> None:
    bench = Bench(profile)
    bench.run()
    bench.bms.raise_alarm("bms_internal")
    arrived = bench.battery()
    bench.bms.clear_alarm("bms_internal")
    left = bench.battery()
    restarted = bench.battery(60)
    assert [set(state.alarms) for state in (arrived, left, restarted)] == [{"bms_internal"}, set(), set()]
    assert [state.charge_allowed for state in (arrived, left, restarted)] == [False, False, True]


def test_alarm_that_the_family_does_not_have_is_refused(profile: Profile) -> None:
    with pytest.raises(ValueError, match=f"tsunami: not an alarm of profile {profile.name}"):
        SimulatedBms(Pack(), profile).raise_alarm("tsunami")


def test_silent_bms_is_stale_then_lost_then_recovers(profile: Profile) -> None:
    bench = Bench(profile)
    bench.run()
    bench.bms.inject(BmsFault.SILENT)
    phases = []
    for seconds in (2, 1, 7):
        bench.run(seconds)
        phases.append(bench.state.phase)
    bench.bms.clear(BmsFault.SILENT)
    for seconds in (30, 1):
        bench.run(seconds)
        phases.append(bench.state.phase)
    assert phases == [Phase.OK, Phase.STALE, Phase.LOST, Phase.RECOVERING, Phase.OK]


def test_frozen_soc_is_noticed(profile: Profile) -> None:
    bench = Bench(profile)
    bench.bms.inject(BmsFault.FROZEN_SOC)
    bench.pack.transfer(2500.0, 900.0)
    state = bench.battery(602)
    assert (state.soc_pct, set(state.warnings)) == (50.0, {"soc_frozen"})


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(BmsFault.ALL_ZERO, "all zero"), (BmsFault.TRUNCATED, "shorter than the signals that are needed")],
)
def test_broken_must_have_frames_end_as_stale(profile: Profile, fault: BmsFault, reason: str) -> None:
    bench = Bench(profile)
    bench.run()
    bench.bms.inject(fault)
    state = bench.battery(3)
    assert (bench.state.phase, state.charge_limit_a, set(bench.rejections)) == (Phase.STALE, 0.0, {reason})


def test_swapped_bytes_never_open_the_limits(profile: Profile) -> None:
    bench = Bench(profile)
    bench.bms.inject(BmsFault.SWAPPED_BYTES)
    answer = bench.run(10)
    assert isinstance(answer, Fault)
    assert "out of range" in bench.rejections


@pytest.mark.parametrize(
    ("fault", "limits"),
    [(BmsFault.CHARGE_BLOCKED, (0.0, 100.0)), (BmsFault.DISCHARGE_BLOCKED, (100.0, 0.0))],
)
def test_blocked_direction_has_limit_0(
    profile: Profile, fault: BmsFault, limits: tuple[float, float]
) -> None:
    bench = Bench(profile)
    bench.bms.inject(fault)
    state = bench.battery()
    assert (state.charge_limit_a, state.discharge_limit_a) == limits


def test_limits_over_nameplate_are_cut_then_distrusted(profile: Profile) -> None:
    bench = Bench(profile)
    bench.bms.inject(BmsFault.OVER_NAMEPLATE)
    first = bench.battery()
    assert (first.charge_limit_a, first.discharge_limit_a, set(first.warnings)) == (
        100.0, 100.0, {"limit_implausible"},
    )  # fmt: skip
    assert bench.battery(2).charge_limit_a == 0.0


def test_disabled_bms_closes_both_directions(pylontech: Profile) -> None:
    bench = Bench(pylontech)
    bench.bms.inject(BmsFault.DISABLED)
    state = bench.battery()
    assert (state.charge_allowed, state.discharge_allowed) == (False, False)


def test_bms_that_misses_the_ems_stops_until_it_hears_it(profile: Profile) -> None:
    bench = Bench(profile, BmsSettings(alive_timeout_s=5.0))
    assert bench.battery(5).charge_limit_a == 100.0
    assert bench.battery(1).charge_limit_a == 0.0
    bench.bms.hear(CanFrame(arbitration_id=0x123, data=b""), bench.now)
    assert bench.battery().charge_limit_a == 0.0
    bench.bms.hear(CanFrame(arbitration_id=0x305, data=bytes(8)), bench.now)
    assert bench.battery().charge_limit_a == 100.0
