"""Cells of a battery, DC inputs and models that are not used, as SunSpec devices tell them."""

from collections.abc import Mapping, Sequence

import pytest

from der_client.desired import Desired
from der_client.device import CellExtremes, DcInput, Setpoint, Telemetry
from der_client.interlocks import SafetyRules, Surroundings
from der_client.safety import SafeSetpoint, SafetyState, clamp
from der_client.sunspec.battery_cells import cells_of
from der_client.sunspec.codec import Value
from der_client.sunspec.drafts import MappingSettings
from der_client.sunspec.model import DeviceMap, Model
from der_client.sunspec.mppt import dc_inputs_of
from der_client.sunspec.polling import reads_of, telemetry_models
from der_client.sunspec.readings import telemetry_of
from der_client.sunspec.simulator.bank import build_model
from der_client.sunspec.unused_models import own_schedule
from tests.sunspec_devices import HYBRID, INVERTER, older_map
from tests.unit.der_client.plates import STORAGE

SCALES = {"CellV_SF": -3, "ModTmp_SF": -1}


def string(number: int, address: int, **values: float) -> Model:
    """Model 804 of one string with one module."""
    own = {"Idx": number, **SCALES, **{name: value for name, value in values.items() if "_" not in name}}
    module = {
        f"lithium_ion_string_module[0].{name[2:]}": value
        for name, value in values.items()
        if name[:2] == "M_"
    }
    return build_model(804, address, {"NMod": 1}, {**own, **module})


def with_models(*models: Model) -> DeviceMap:
    return DeviceMap(base=40000, models=(*older_map(HYBRID).models, *models))


def test_a_battery_that_tells_no_cells_has_none() -> None:
    assert cells_of(older_map(HYBRID)) is None


def test_extremes_are_those_of_all_strings_and_modules() -> None:
    found = cells_of(
        with_models(
            string(1, 41000, CellVMax=3.31, CellVMin=3.25, ModTmpMax=24.0, ModTmpMin=21.0),
            string(2, 41200, CellVMax=3.30, CellVMin=3.28, M_ModCellTmpMax=41.5, M_ModCellVMin=3.11),
        )
    )
    assert found == CellExtremes(cell_v_min=3.11, cell_v_max=3.31, cell_c_min=21.0, cell_c_max=41.5)


def test_a_bank_tells_the_cells_of_its_strings_and_a_module_its_own() -> None:
    bank = build_model(
        803,
        41000,
        {"NStr": 2},
        {**SCALES, "ModTmpMax": 30.0, "string[1].StrCellVMin": 3.2, "string[0].StrCellVMax": 3.4},
    )
    module = build_model(805, 41200, {}, {"CellV_SF": -3, "Tmp_SF": 0, "CellTmpMin": -3.0}, length=42)
    assert cells_of(with_models(bank, module)) == CellExtremes(
        cell_v_min=3.2, cell_v_max=3.4, cell_c_min=-3.0, cell_c_max=30.0
    )


def test_all_strings_are_read_each_cycle() -> None:
    device = with_models(string(1, 41000), string(2, 41200))
    reads = reads_of(device, telemetry_models(device), 125)
    covered = {address for read in reads for address in range(read.address, read.address + read.count)}
    assert {41000, 41061, 41200, 41261} <= covered


def told(readings: Sequence[CellExtremes], rules: SafetyRules | None = None) -> SafeSetpoint:
    """What is left of a charge with 2 kW after so many readings, 15 s apart, of a battery without a BMS."""
    state, around = SafetyState(), Surroundings(rules=rules or SafetyRules())
    for number, cells in enumerate(readings):
        reading = Telemetry(power_w=-2_000.0, reactive_var=0.0, soc_pct=50.0, cells=cells)
        wish = Desired(setpoint=Setpoint(target_w=-2_000.0))
        safe = clamp(wish, reading, STORAGE, state, 100.0 + 15.0 * number, around=around)
        state = safe.state
    return safe


def names(safe: SafeSetpoint) -> set[str]:
    return {reason.name for reason in safe.reasons}


def test_cells_of_a_device_without_a_bms_are_limited_as_those_of_one_that_has_it() -> None:
    good = told([CellExtremes(cell_v_max=3.3, cell_v_min=3.29, cell_c_max=25.0, cell_c_min=24.0)] * 2)
    full = told([CellExtremes(cell_v_max=3.61, cell_v_min=3.6)] * 2)
    hot = told([CellExtremes(cell_c_max=61.0, cell_c_min=40.0)] * 2)
    assert (good.setpoint.target_w, names(good)) == (-2_000.0, set())
    assert full.setpoint.target_w == 0.0
    assert "cell over voltage" in names(full)
    assert "battery far too hot" in names(hot)
    assert hot.setpoint.energize is False


def test_a_battery_that_warms_fast_is_seen_without_a_bms() -> None:
    safe = told([CellExtremes(cell_c_max=20.0 + 10 * step, cell_c_min=20.0) for step in range(4)])
    assert names(safe) >= {"thermal runaway"}


MPPT: Mapping[str, Value] = {
    "DCA_SF": -1,
    "DCV_SF": 0,
    "DCW_SF": 1,
    "DCWH_SF": 0,
    "module[0].ID": 1,
    "module[0].IDStr": "East",
    "module[0].DCW": 2_000,
    "module[0].DCV": 410,
    "module[0].DCA": 4.9,
    "module[0].Tmp": 61,
    "module[0].DCSt": 4,
    "module[1].ID": 2,
    "module[1].DCW": 0,
    "module[1].DCSt": 7,
    "module[1].DCEvt": 1,
}


def test_dc_inputs_are_read_with_their_health() -> None:
    model = build_model(160, 41000, {"N": 2}, MPPT, length=48)
    found = telemetry_of(with_models(model))
    assert isinstance(found, Telemetry)
    assert found.dc_inputs == (
        DcInput(name="East", power_w=2_000, voltage_v=410, current_a=4.9, temperature_c=61),
        DcInput(name="input 2", power_w=0, has_fault=True, has_ground_fault=True),
    )
    assert found.temperatures_c["East"] == 61.0
    assert "ground fault" in found.inputs
    assert found.gen_connect & 16
    assert dc_inputs_of(older_map(INVERTER)) == ()


@pytest.mark.parametrize(
    ("stops", "inputs"), [(False, frozenset[str]()), (True, frozenset({"emergency stop"}))]
)
def test_a_manual_shutdown_is_an_alarm_and_an_emergency_stop_only_where_the_profile_says_so(
    stops: bool, inputs: frozenset[str]
) -> None:
    found = telemetry_of(
        older_map(INVERTER, values={"103.Evt1": 1 << 6}), MappingSettings(manual_shutdown_stops=stops)
    )
    assert isinstance(found, Telemetry)
    assert (found.alarms, found.inputs) == (frozenset({7}), inputs)


@pytest.mark.parametrize(
    ("enabled", "active", "words"),
    [(1, 0b101, "schedule 1, 3 of its own (model 133)"), (0, 0b101, None), (1, 0, None)],
)
def test_a_schedule_that_a_device_follows_is_named(enabled: int, active: int, words: str | None) -> None:
    values = {"ModEna": enabled, "ActSchd": active, "NSchd": 4, "NPts": 10}
    model = build_model(133, 41000, {}, values, length=8)
    assert own_schedule(with_models(model)) == words
    assert own_schedule(older_map(INVERTER)) is None
