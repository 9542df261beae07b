"""Ratings and readings of devices of the older series, of batteries and of meters; counters that jump."""

from collections.abc import Mapping

import pytest

from der_client.device import Fault, FaultKind, Nameplate, SiteReading, Telemetry
from der_client.sunspec.codec import Value
from der_client.sunspec.drafts import UNDER_EXCITED_NEGATIVE, MappingSettings
from der_client.sunspec.measured import power_factor_of
from der_client.sunspec.meter import site_reading_of
from der_client.sunspec.model import DeviceMap
from der_client.sunspec.nameplate import nameplate_of
from der_client.sunspec.permissions import Permissions
from der_client.sunspec.plausible import EnergyWatch
from der_client.sunspec.polling import telemetry_models
from der_client.sunspec.readings import telemetry_of
from der_client.sunspec.settings import MeterSettings
from tests.sunspec_devices import HYBRID, INVERTER, Older, newer_map, older_map

FLOATS: Mapping[str, Value] = {
    "A": 14.5,
    "W": 9_800.0,
    "Hz": 50.0,
    "VA": 10_000.0,
    "VAr": 1_990.0,
    "PhVphA": 230.0,
    "PhVphB": 230.0,
    "PhVphC": 230.0,
    "WH": 123_456.0,
    "St": 4,
    "Evt1": 0,
}
BATTERY: Mapping[str, Value] = {
    "SoC": 71.5,
    "SoH": 98,
    "State": 3,
    "Hb": 17,
    "LocRemCtl": 0,
    "SoC_SF": -1,
    "SoH_SF": 0,
}
METER: Mapping[str, Value] = {
    "W": 2_500,
    "WphA": 1_000,
    "WphB": 900,
    "WphC": 600,
    "VAR": -300,
    "PhVphA": 230.0,
    "PhVphB": 231.0,
    "PhVphC": 0,
    "Hz": 50.0,
    "TotWhExp": 1_000,
    "TotWhImp": 2_000,
    "V_SF": -1,
    "Hz_SF": -1,
    "W_SF": 0,
    "VAR_SF": 0,
    "TotWh_SF": 0,
}


def plate(of: DeviceMap, settings: MappingSettings | None = None) -> Nameplate:
    result = nameplate_of(of, settings)
    assert isinstance(result, Nameplate), result
    return result


def telemetry(of: DeviceMap, settings: MappingSettings | None = None) -> Telemetry:
    result = telemetry_of(of, settings)
    assert isinstance(result, Telemetry), result
    return result


def changed(**changes: Value | None) -> DeviceMap:
    """An inverter whose points of model 103 are changed."""
    return older_map(INVERTER, values={f"103.{name}": value for name, value in changes.items()})


def test_nameplate_of_a_pv_inverter_of_the_older_series() -> None:
    assert plate(older_map(INVERTER)) == Nameplate(
        manufacturer="Acme",
        model="Old",
        serial="S1",
        version="1.0",
        der_type=4,
        modes=frozenset(
            {
                "opModMaxLimW",
                "opModFixedW",
                "opModTargetW",
                "opModFixedPFInjectW",
                "opModFixedVar",
                "opModTargetVar",
                "opModConnect",
                "opModEnergize",
            }
        ),
        max_w=10_000,
        max_va=11_000,
        max_var=6_000,
        max_var_neg=5_000,
        set_max_w=10_000,
        set_max_va=11_000,
        set_max_var=6_000,
        set_max_var_neg=5_000,
        v_nom_v=230,
        max_a=16,
        min_pf_over_excited=0.8,
        min_pf_under_excited=0.85,
        grad_w_pct_per_s=20,
        ramps=frozenset({"max_w_pct", "pf_inject", "var"}),
    )


def test_hybrid_has_the_powers_of_its_battery() -> None:
    found = plate(older_map(HYBRID))
    assert (found.der_type, found.charge_w, found.discharge_w, found.is_storage) == (83, 5_000, 5_000, True)


def test_setting_above_its_rating_counts_as_the_rating() -> None:
    assert plate(older_map(INVERTER, values={"121.WMax": 12_000})).set_max_w == 10_000


def test_rating_that_the_device_does_not_say_is_that_of_the_operator() -> None:
    bare = older_map({1: INVERTER[1], 103: INVERTER[103]})
    assert nameplate_of(bare) == Fault(
        kind=FaultKind.MALFORMED, detail="the device does not say its rating: set rating_w", point="120.WRtg"
    )
    found = plate(bare, MappingSettings(rating_w=33_000))
    assert (found.max_w, found.set_max_w, found.modes) == (33_000, 33_000, frozenset())


def test_curves_of_the_older_series_are_offered_with_permission_only() -> None:
    on = older_map(INVERTER, *(Older(model_id=number) for number in (126, 129, 131, 132, 134)))
    permitted = plate(on, MappingSettings(permissions=Permissions(models=(126, 131, 132, 134))))
    assert permitted.modes - plate(on).modes == {
        "opModVoltVar",
        "opModWattPF",
        "opModVoltWatt",
        "opModFreqWatt",
    }
    everything = plate(on, MappingSettings(permissions=Permissions(allow_grid_code_writes=True)))
    assert everything.modes - permitted.modes == {"opModLVRTMustTrip"}


def test_reading_of_a_running_inverter_of_the_older_series() -> None:
    assert telemetry(older_map(INVERTER)) == Telemetry(
        power_w=9_800,
        reactive_var=1_990,
        apparent_va=10_000,
        power_factor=-0.98,
        voltage_v=230.0,
        current_a=14.5,
        frequency_hz=50.01,
        injected_wh=123_456,
        available_w=9_900,
        gen_connect=0b111,
        inverter_status=4,
        operational_mode=2,
        phase_v=(230.0, 231.0, 229.0),
        temperatures_c={"cabinet": 41.0},
    )


@pytest.mark.parametrize("model_id", [111, 112, 113])
def test_float_models_read_alike(model_id: int) -> None:
    models = {1: INVERTER[1], model_id: FLOATS, 120: INVERTER[120]}
    found = telemetry(older_map(models))
    assert (found.power_w, found.reactive_var, found.injected_wh) == (9_800.0, 1_990.0, 123_456.0)
    assert (found.gen_connect, found.inverter_status) == (0b111, 4)


@pytest.mark.parametrize(("state", "status"), [(1, 1), (2, 2), (5, 5), (8, 8), (11, 0), (None, 0)])
def test_state_of_the_inverter_is_that_of_the_standard(state: int | None, status: int) -> None:
    assert telemetry(changed(St=state)).inverter_status == status


@pytest.mark.parametrize("state", [1, 2, 8])
def test_device_that_sleeps_without_measurements_gives_nothing(state: int) -> None:
    assert telemetry(changed(St=state, W=None, VA=None, VAr=None)).power_w == 0


def test_device_that_hides_everything_at_night_gives_nothing() -> None:
    assert telemetry(changed(St=None, W=None, VA=None, VAr=None, A=None)).power_w == 0


def test_running_device_without_power_is_a_fault() -> None:
    assert telemetry_of(changed(W=None)) == Fault(
        kind=FaultKind.MALFORMED, detail="the device gives no active power", point="103.W"
    )


def test_sample_of_zeros_with_a_fault_is_dropped() -> None:
    zeros: dict[str, Value | None] = dict.fromkeys(("W", "VA", "VAr", "A", "Hz", "PhVphA"), 0)
    fault = Fault(kind=FaultKind.MALFORMED, detail="a sample of zeros", point="103.St")
    assert telemetry_of(changed(**zeros, St=7)) == fault
    assert telemetry(changed(**zeros, St=4)).power_w == 0
    assert telemetry(changed(St=7)).gen_connect == 0b10111


@pytest.mark.parametrize(
    ("said", "scale", "factor"),
    [(-0.98, -3, -0.98), (-98.0, -1, -0.98), (0.5, -3, 0.98), (None, -3, 0.98), (100, 0, 0.98)],
    ids=["as a number", "as a percentage", "wrong", "not given", "percentage within the tolerance"],
)
def test_power_factor_is_trusted_where_powers_agree(said: float | None, scale: int, factor: float) -> None:
    on = changed(PF_SF=scale, PF=said).first(103)
    assert on is not None
    found = power_factor_of(on)
    assert found == pytest.approx(factor if said != 100 else 1.0)


@pytest.mark.parametrize(
    ("sign", "reactive_var"), [("over_excited_negative", 1989.97), (UNDER_EXCITED_NEGATIVE, -1989.97)]
)
def test_reactive_power_that_is_not_given_follows_from_the_power_factor(
    sign: str, reactive_var: float
) -> None:
    found = telemetry(changed(VAr=None), MappingSettings(pf_sign=sign))
    assert found.reactive_var == pytest.approx(reactive_var, abs=0.01)
    assert telemetry(changed(VAr=None, PF=None)).reactive_var == 0


@pytest.mark.parametrize(
    ("events", "alarms", "inputs"),
    [
        (1 << 10, {1}, set()),
        (1 << 6, {7}, set()),
        (1, set(), {"ground fault"}),
        (1 << 5, set(), {"door open"}),
    ],
)
def test_events_become_alarms_and_inputs(events: int, alarms: set[int], inputs: set[str]) -> None:
    found = telemetry(changed(Evt1=events))
    assert found.alarms == alarms
    assert found.inputs == inputs


def test_ground_fault_of_the_dc_side_is_an_input() -> None:
    assert telemetry(older_map({**INVERTER, 160: {"Evt": 1, "N": 0}})).inputs == {"ground fault"}


@pytest.mark.parametrize(
    ("changes", "alarms"),
    [
        ({"PhVphC": 200.0}, {5}),
        ({"AphA": 9.0, "AphB": 4.0, "AphC": 4.0}, {6}),
        ({"AphA": 0.9, "AphB": 0.1, "AphC": 0.1}, set()),
    ],
    ids=["voltage", "current", "hardly any current"],
)
def test_imbalance_of_the_phases_is_an_alarm(changes: dict[str, Value], alarms: set[int]) -> None:
    assert telemetry(changed(**changes)).alarms == alarms


def test_reading_of_a_hybrid_has_the_state_of_its_battery() -> None:
    found = telemetry(older_map(HYBRID, values={"122.StorConn": 5}))
    assert (found.soc_pct, found.stor_connect, found.available_w) == (62.5, 5, 10_000)


@pytest.mark.parametrize(("state", "bits"), [(3, 0b111), (2, 0b000), (99, 0b10101), (5, 0b101)])
def test_battery_model_narrows_the_connection_of_storage(state: int, bits: int) -> None:
    models = {**HYBRID, 802: {**BATTERY, "State": state}}
    found = telemetry(older_map(models, values={"122.StorConn": 0b101}))
    assert (found.stor_connect, found.soc_pct, found.soh_pct, found.heartbeat) == (bits, 71.5, 98, 17)


def test_battery_under_local_control_is_told() -> None:
    assert telemetry(older_map({**HYBRID, 802: {**BATTERY, "LocRemCtl": 1}})).local_control


def test_cycle_reads_the_models_of_one_series() -> None:
    assert 103 in telemetry_models(older_map(HYBRID))
    assert 701 in telemetry_models(newer_map())
    assert not {103, 122, 124} & set(telemetry_models(newer_map()))


@pytest.mark.parametrize(
    ("positive", "power_w", "reactive_var"), [("import", -2_500, 300), ("export", 2_500, -300)]
)
def test_meter_is_positive_out_of_the_site(positive: str, power_w: float, reactive_var: float) -> None:
    assert site_reading_of(older_map({1: INVERTER[1], 203: METER}), positive) == SiteReading(
        power_w=power_w,
        reactive_var=reactive_var,
        phase_v=(230.0, 231.0),
        frequency_hz=50.0,
        exported_wh=1_000,
        imported_wh=2_000,
    )


def test_a_phase_that_is_dead_does_not_lend_its_place_to_the_next() -> None:
    found = site_reading_of(older_map({203: METER}, values={"203.PhVphA": None, "203.PhVphC": 229}))
    assert isinstance(found, SiteReading)
    assert found.phase_v == (0.0, 231.0, 229.0)


def test_phases_of_a_meter_are_added_up_where_it_gives_no_total() -> None:
    found = site_reading_of(older_map({203: METER}, values={"203.W": None}))
    assert isinstance(found, SiteReading)
    assert found.power_w == -2_500


@pytest.mark.parametrize("lacking", [{203: {"Hz": 50, "Hz_SF": 0}}, {1: INVERTER[1]}], ids=["power", "model"])
def test_meter_without_power_is_a_fault(lacking: Mapping[int, Mapping[str, Value]]) -> None:
    found = site_reading_of(older_map(lacking))
    assert isinstance(found, Fault)
    assert found.kind is FaultKind.MALFORMED


def test_direction_of_a_meter_is_one_of_two() -> None:
    with pytest.raises(ValueError, match="meter_positive: 'up' is neither import nor export"):
        MeterSettings(meter_positive="up")


def watched(*values: float, max_w: float = 10_000, period_s: float = 3_600) -> list[float | None]:
    watch = EnergyWatch()
    return [watch.checked("injected", value, max_w, n * period_s) for n, value in enumerate(values)]


def test_counter_that_moves_as_the_rating_allows_is_believed() -> None:
    assert watched(5e6, 5e6, 5_012_000, 5_025_000) == [5e6, 5e6, 5_012_000, 5_025_000]


def test_counter_that_jumps_by_terawatt_hours_is_dropped_while_it_does() -> None:
    assert watched(5e6, 4e12, 4e12, 5_020_000) == [5e6, None, None, 5_020_000]


def test_first_value_that_no_life_is_long_enough_for_is_dropped() -> None:
    assert watched(4e12, 4e12, 5_000) == [None, None, 5_000]


def test_counter_that_runs_backwards_is_dropped_until_it_goes_on_from_there() -> None:
    assert watched(5e6, 10, 11, 12, 13, 14, 15) == [5e6, None, None, None, None, 14, 15]


def test_garbage_that_stands_still_never_becomes_a_counter() -> None:
    assert watched(5e6, *[9e15] * 8) == [5e6, *[None] * 8]


def test_counters_are_watched_apart_and_leave_the_rest_of_a_reading_alone() -> None:
    watch = EnergyWatch()
    first = SiteReading(power_w=1.0, exported_wh=10.0, imported_wh=2_000.0)
    jumped = SiteReading(power_w=2.0, exported_wh=9e12, imported_wh=2_100.0)
    assert watch.site(first, 1e4, 0) == first
    assert watch.site(jumped, 1e4, 60) == SiteReading(power_w=2.0, imported_wh=2_100.0)
