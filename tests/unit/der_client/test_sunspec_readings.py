"""Ratings, settings and one reading of a device, from its registers."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from der_client.device import Fault, FaultKind, Nameplate, Telemetry
from der_client.sunspec.codec import Value
from der_client.sunspec.drafts import MappingSettings
from der_client.sunspec.model import DeviceMap, Model
from der_client.sunspec.nameplate import nameplate_of
from der_client.sunspec.permissions import Permissions
from der_client.sunspec.readings import telemetry_of
from der_client.sunspec.simulator.bank import build_model, put
from der_client.sunspec.simulator.image import build_bank
from der_client.sunspec.simulator.settings import InverterSettings

PV = InverterSettings(
    max_w=10_000, max_va=11_000, max_var=4_400, manufacturer="Acme ", serial="S1", version="2.0"
)
BATTERY = InverterSettings(
    max_w=5_000, charge_w=4_000, discharge_w=4_500, capacity_wh=13_500, ramp_pct_per_s=5
)
RUNNING: dict[str, Value] = {
    "W": 4_000,
    "Var": -500,
    "VA": 4_031,
    "A": 16.8,
    "LNV": 240.1,
    "Hz": 59.98,
    "St": 1,
    "InvSt": 3,
    "ConnSt": 1,
    "TotWhInj": 123_456,
    "TotWhAbs": 0,
}


def device(
    settings: InverterSettings,
    values: Mapping[str, Value | None] | None = None,
    without: tuple[int, ...] = (),
) -> DeviceMap:
    """A device whose points (`701.W`) hold `values`."""
    models = build_bank(settings).models
    for name, value in (values or {}).items():
        number, _, point = name.partition(".")
        put(models[int(number)], point, value)
    return DeviceMap(base=40000, models=tuple(m for m in models.values() if m.model_id not in without))


def running(**changes: Value | None) -> DeviceMap:
    """A PV inverter that runs; `changes` are points of model 701."""
    return device(PV, {f"701.{name}": value for name, value in (RUNNING | changes).items()})


def nameplate(of: DeviceMap) -> Nameplate:
    result = nameplate_of(of)
    assert isinstance(result, Nameplate)
    return result


def telemetry(of: DeviceMap) -> Telemetry:
    result = telemetry_of(of)
    assert isinstance(result, Telemetry)
    return result


def test_nameplate_of_a_pv_inverter() -> None:
    assert nameplate(device(PV)) == Nameplate(
        manufacturer="Acme",
        model="Simulated inverter",
        serial="S1",
        version="2.0",
        der_type=4,
        modes=frozenset(
            {
                "opModMaxLimW",
                "opModFixedW",
                "opModTargetW",
                "opModFixedVar",
                "opModTargetVar",
                "opModFixedPFInjectW",
                "opModFixedPFAbsorbW",
                "opModVoltVar",
                "opModVoltWatt",
                "opModWattVar",
                "opModFreqDroop",
                "opModFreqWatt",
                "opModConnect",
                "opModEnergize",
            }
        ),
        max_w=10_000,
        max_va=11_000,
        max_var=4_400,
        max_var_neg=4_400,
        set_max_w=10_000,
        set_max_va=11_000,
        set_max_var=4_400,
        set_max_var_neg=4_400,
        v_nom_v=240,
        max_a=45.8,
        min_pf_over_excited=0.9,
        min_pf_under_excited=0.9,
        grad_w_pct_per_s=100,
        normal_category=2,
        abnormal_category=3,
    )


def test_nameplate_of_a_battery() -> None:
    plate = nameplate(device(BATTERY))
    assert (plate.der_type, plate.is_storage, plate.grad_w_pct_per_s) == (80, True, 5)
    assert (plate.max_charge_w, plate.max_discharge_w, plate.capacity_wh) == (4_000, 4_500, 13_500)


def test_setting_replaces_the_rating_and_is_the_rating_where_missing() -> None:
    plate = nameplate(device(PV, {"702.WMax": 8_000, "702.VAMax": None, "702.VarMaxInj": 3_000}))
    assert (plate.max_w, plate.set_max_w) == (10_000, 8_000)
    assert (plate.max_va, plate.set_max_va) == (11_000, 11_000)
    assert (plate.max_var, plate.set_max_var, plate.set_max_var_neg) == (4_400, 3_000, 4_400)


@pytest.mark.parametrize(
    ("control_modes", "gone"),
    [
        (0b0001, "opModFixedVar"),
        (0b1110, "opModMaxLimW"),
        (0b0111, "opModFixedPFInjectW"),
        (0b1101, "opModTargetW"),
    ],
)
def test_mode_that_the_device_does_not_claim_is_not_offered(control_modes: int, gone: str) -> None:
    assert gone not in nameplate(device(PV, {"702.CtrlModes": control_modes})).modes


def test_device_without_control_modes_offers_what_it_implements() -> None:
    plate = nameplate(device(PV, {"702.CtrlModes": None, "704.VarSetEna": None}))
    assert "opModMaxLimW" in plate.modes
    assert "opModFixedVar" not in plate.modes


@pytest.mark.parametrize(
    ("without", "modes"),
    [
        ((703, 704, 715), frozenset()),
        ((703, 704), {"opModConnect"}),
        ((704, 715), {"opModConnect", "opModEnergize"}),
    ],
)
def test_connect_needs_an_operation_or_enter_service_register(
    without: tuple[int, ...], modes: set[str]
) -> None:
    curves = (705, 706, 711, 712)
    assert nameplate(device(PV, without=(*without, *curves))).modes == modes


def test_ride_through_is_offered_only_with_permission() -> None:
    settings = MappingSettings(permissions=Permissions(allow_grid_code_writes=True))
    plain, permitted = nameplate_of(device(PV)), nameplate_of(device(PV), settings)
    assert isinstance(plain, Nameplate)
    assert isinstance(permitted, Nameplate)
    assert permitted.modes - plain.modes == {
        *(f"op{mode}MustTrip" for mode in ("ModLVRT", "ModHVRT", "ModLFRT", "ModHFRT")),
        *(f"op{mode}MayTrip" for mode in ("ModLVRT", "ModHVRT", "ModLFRT", "ModHFRT")),
        "opModLVRTMomentaryCessation",
        "opModHVRTMomentaryCessation",
    }


@pytest.mark.parametrize("without", [705, 706, 712])
def test_curve_without_its_model_is_not_offered(without: int) -> None:
    lost = nameplate(device(PV)).modes - nameplate(device(PV, without=(without,))).modes
    assert lost == {{705: "opModVoltVar", 706: "opModVoltWatt", 712: "opModWattVar"}[without]}


@pytest.mark.parametrize(
    ("settings", "values", "without", "der_type"),
    [
        (PV, {}, (), 4),
        (BATTERY, {}, (), 80),
        (BATTERY, {"714.Prt[0].PrtTyp": None}, (), 80),
        (BATTERY, {}, (714,), 80),
        (BATTERY, {"713.WHRtg": None}, (714,), 4),
        (PV, {}, (714,), 4),
    ],
)
def test_type_comes_from_the_ports_else_from_the_storage_model(
    settings: InverterSettings, values: dict[str, Value | None], without: tuple[int, ...], der_type: int
) -> None:
    assert nameplate(device(settings, values, without)).der_type == der_type


def test_pv_and_battery_ports_make_a_hybrid() -> None:
    ports = build_model(714, 41000, {"NPrt": 2}, {"Prt[0].PrtTyp": 0, "Prt[1].PrtTyp": 1})
    without = device(BATTERY, without=(714,))
    assert nameplate(replace(without, models=(*without.models, ports))).der_type == 83


def test_device_without_measurements_has_no_nameplate() -> None:
    detail = "the device has no model of an inverter (701, 101 to 113)"
    assert nameplate_of(device(PV, without=(701,))) == Fault(kind=FaultKind.MALFORMED, detail=detail)


def test_device_without_ratings_has_no_nameplate() -> None:
    assert nameplate_of(device(PV, without=(702,))) == Fault(
        kind=FaultKind.MALFORMED, detail="the device does not say its rating: set rating_w", point="120.WRtg"
    )


def test_device_without_a_rating_has_no_nameplate() -> None:
    fault = nameplate_of(device(PV, {"702.WMaxRtg": None}))
    assert isinstance(fault, Fault)
    assert fault.point == "702.WMaxRtg"


def test_device_without_a_common_model_has_no_name() -> None:
    plate = nameplate(device(PV, without=(1,)))
    assert (plate.manufacturer, plate.model, plate.serial, plate.version) == ("", "", "", "")


def test_reading_of_a_running_pv_inverter() -> None:
    assert telemetry(running()) == Telemetry(
        power_w=4_000,
        reactive_var=-500,
        apparent_va=4_031,
        voltage_v=240.1,
        current_a=16.8,
        frequency_hz=59.98,
        injected_wh=123_456,
        absorbed_wh=0,
        available_w=4_000,
        gen_connect=0b111,
        inverter_status=4,
        operational_mode=2,
        temperatures_c={"cabinet": 25.0},
        heartbeat=0,
        power_factor=4_000 / 4_031,
    )


@pytest.mark.parametrize(
    ("throttled_pct", "available_w"), [(0, 4_000), (35, 7_500), (90, 10_000), (None, None)]
)
def test_available_power_is_what_flows_and_what_is_held_back(
    throttled_pct: int | None, available_w: float | None
) -> None:
    assert telemetry(running(ThrotPct=throttled_pct)).available_w == available_w


@pytest.mark.parametrize(
    ("changes", "bits"),
    [
        ({}, 0b111),
        ({"W": 100}, 0b011),
        ({"W": -200}, 0b111),
        ({"InvSt": 4}, 0b111),
        ({"InvSt": 7}, 0b011),
        ({"InvSt": 0, "St": 0}, 0b001),
        ({"ConnSt": 0}, 0b110),
        ({"InvSt": 6}, 0b10001),
        ({"Alrm": 1}, 0b10111),
    ],
)
def test_connection_status_bits(changes: dict[str, Value | None], bits: int) -> None:
    assert telemetry(running(**changes)).gen_connect == bits


@pytest.mark.parametrize(("state", "status"), [(0, 1), (3, 4), (6, 7), (7, 8), (None, 0)])
def test_inverter_status_is_the_state_plus_one(state: int | None, status: int) -> None:
    assert telemetry(running(InvSt=state)).inverter_status == status


@pytest.mark.parametrize(("on", "mode"), [(0, 1), (1, 2), (None, 0)])
def test_operational_mode_follows_the_operating_state(on: int | None, mode: int) -> None:
    assert telemetry(running(St=on)).operational_mode == mode


@pytest.mark.parametrize(("bit", "alarm"), [(10, {1}), (11, {2}), (8, {3}), (9, {4}), (6, {7}), (0, set())])
def test_alarm_bits_are_translated(bit: int, alarm: set[int]) -> None:
    assert telemetry(running(Alrm=1 << bit)).alarms == alarm


@pytest.mark.parametrize(
    ("changes", "voltage_v"),
    [
        ({"ACType": 0, "LNV": 240.1, "LLV": 415.0}, 240.1),
        ({"ACType": 0, "LNV": None, "VL1": 239.0}, 239.0),
        ({"ACType": 2, "LNV": 277.0, "LLV": 480.0}, 480.0),
        ({"ACType": 1, "LNV": 120.0, "LLV": None}, 120.0),
        ({"ACType": 2, "LNV": None, "LLV": None}, None),
    ],
)
def test_voltage_is_to_neutral_for_single_phase_only(
    changes: dict[str, Value | None], voltage_v: float | None
) -> None:
    assert telemetry(running(**changes)).voltage_v == voltage_v


@pytest.mark.parametrize("state", [0, 1, 7])
def test_sleeping_device_without_measurements_gives_no_power(state: int) -> None:
    asleep = telemetry(running(W=None, Var=None, VA=None, A=None, InvSt=state))
    assert (asleep.power_w, asleep.reactive_var, asleep.apparent_va) == (0.0, 0.0, None)


def test_running_device_without_power_is_a_fault() -> None:
    fault = telemetry_of(running(W=None))
    assert fault == Fault(kind=FaultKind.MALFORMED, detail="the device gives no active power", point="701.W")


def test_device_without_measurements_is_a_fault() -> None:
    assert isinstance(telemetry_of(device(PV, without=(701,))), Fault)


def test_battery_tells_its_state_of_charge() -> None:
    battery = telemetry(device(BATTERY, {"713.SoC": 61.5, "713.SoH": 98, "701.InvSt": 3, "701.W": -1000}))
    assert (battery.soc_pct, battery.soh_pct, battery.power_w) == (61.5, 98, -1000)


@pytest.mark.parametrize(("soc_pct", "available_w"), [(50, 4_500), (0, 0), (None, None)])
def test_battery_offers_its_discharge_rate_until_it_is_empty(
    soc_pct: float | None, available_w: float | None
) -> None:
    battery = telemetry(device(BATTERY, {"713.SoC": soc_pct, "701.InvSt": 3, "701.W": 0}))
    assert battery.available_w == available_w


def test_pv_inverter_tells_no_state_of_charge() -> None:
    storage = build_model(713, 41000, {}, {"SoC": 0, "Pct_SF": 0})
    pv = running()
    reading = telemetry(replace(pv, models=(*pv.models, storage)))
    assert (reading.soc_pct, reading.stor_connect) == (None, None)


@pytest.mark.parametrize(
    ("port_state", "bits"), [(1, 0b111), (2, 0b111), (0, 0b001), (3, 0b10111), (None, 0b111)]
)
def test_storage_connection_is_narrowed_by_the_state_of_its_port(port_state: int | None, bits: int) -> None:
    values: dict[str, Value | None] = {f"701.{name}": value for name, value in RUNNING.items()}
    assert telemetry(device(BATTERY, values | {"714.Prt[0].DCSta": port_state})).stor_connect == bits


@pytest.mark.parametrize(("register", "local"), [(0, False), (1, True), (None, False)])
def test_local_control_is_reported(register: int | None, local: bool) -> None:
    reading = telemetry(device(PV, {"715.LocRemCtl": register, "701.W": 0, "701.InvSt": 3}))
    assert reading.local_control is local


def test_unread_model_has_no_values() -> None:
    model = Model(model_id=713, address=40000, length=7)
    assert (model.value("SoC"), model.raw("SoC"), model.text("SoC"), list(model.values())) == (
        None,
        None,
        "",
        [],
    )
    assert not model.is_implemented("SoC")


def test_value_whose_scale_factor_is_missing_counts_as_unscaled() -> None:
    storage = build_model(713, 40000, {}, {"SoC": 55})
    assert storage.value("SoC") == 55


def test_registers_that_were_not_read_have_no_value() -> None:
    storage = build_model(713, 40000, {}, {"SoC": 55})
    point = storage.point("SoC")
    del storage.words[3:]
    assert point is not None
    assert (storage.value_of(point), storage.raw("SoC"), storage.end) == (None, None, 40009)


def test_settings_of_charge_and_discharge_stand_beside_their_ratings() -> None:
    plate = nameplate_of(device(BATTERY, {"702.WChaRteMax": 1_000, "702.WDisChaRteMax": 9_000}))
    assert isinstance(plate, Nameplate)
    assert (plate.max_charge_w, plate.charge_w) == (4_000, 1_000)
    assert (plate.max_discharge_w, plate.discharge_w) == (4_500, 4_500)


def test_a_setting_above_its_rating_counts_as_the_rating() -> None:
    plate = nameplate_of(device(PV, {"702.WMax": 12_000, "702.VarMaxInj": 9_000}))
    assert isinstance(plate, Nameplate)
    assert (plate.set_max_w, plate.set_max_var) == (10_000, 4_400)
