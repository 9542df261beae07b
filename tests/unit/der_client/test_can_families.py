"""The high-voltage family, variants by flags and files, frames to the BMS, and batteries of one's own DBC."""

from pathlib import Path

import pytest
from cantools.database.can import Database

from der_client.can import (
    BmsState,
    CanFrame,
    Pack,
    PackSettings,
    Profile,
    ProfileError,
    SimulatedBms,
    load_profile,
)
from der_client.can.decode import BmsDecoder
from der_client.can.encode import encode_status
from der_client.device import BatteryState

HV_VARIANTS = ("pylontech_hv", "pylontech_hv_plain", "pylontech_hv_swapped")


def frame(text: str) -> CanFrame:
    identifier, data = text.split("#")
    return CanFrame(
        arbitration_id=int(identifier, 16), data=bytes.fromhex(data), is_extended=len(identifier) > 3
    )


def fed(profile: Profile, *texts: str) -> BmsState:
    state = BmsState(profile)
    for text in texts:
        assert state.feed(frame(text), 1.0) == ()
    return state


def battery(state: BmsState) -> BatteryState:
    answer = state.assess(1.0)
    assert isinstance(answer, BatteryState)
    return answer


HV_ROUND = (
    "00004210#D40F4E75E2043264",
    "00004220#68102C0DF8773873",
    "00004230#E40CDA0C01000200",
    "00004240#E704DD0403000400",
    "00004250#022C010000000000",
    "00004280#0000000000000000",
)
"""405.2 V, 3.0 A of discharge, 25 degC, SoC 50 %; limits 71.2 A and 50.4 A; cells; 300 cycles; allowed."""


def test_the_high_voltage_family_with_its_offsets() -> None:
    state = fed(load_profile("pylontech_hv"), *HV_ROUND)

    found = battery(state)
    assert (found.voltage_v, found.current_a, found.temperature_c) == (405.2, -3.0, 25.0)
    assert (found.soc_pct, found.soh_pct) == (50.0, 100.0)
    assert (found.charge_limit_a, found.discharge_limit_a) == pytest.approx((71.2, 50.4))
    assert (found.charge_voltage_v, found.discharge_voltage_v) == (420.0, 337.2)
    assert (found.cell_v_max, found.cell_v_min) == (3.3, 3.29)
    assert (found.cell_c_max, found.cell_c_min) == pytest.approx((25.5, 24.5))
    assert state.details() == {"cycles": 300.0, "error": 0.0}


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("00004280#AA00000000000000", (False, True)),
        ("00004280#00AA000000000000", (True, False)),
        ("00004280#0101000000000000", (True, True)),
    ],
)
def test_only_the_code_aa_forbids(text: str, is_open: tuple[bool, bool]) -> None:
    found = battery(fed(load_profile("pylontech_hv"), *HV_ROUND, text))

    assert (found.charge_allowed, found.discharge_allowed) == is_open


def test_any_protection_bit_is_an_alarm_and_any_alarm_bit_a_warning() -> None:
    found = battery(fed(load_profile("pylontech_hv"), *HV_ROUND, "00004250#0300000000800001"))

    assert found.alarms == {"protection"}
    assert found.warnings == {"general"}
    assert not found.charge_allowed


def test_force_charge_of_the_high_voltage_family_stops_discharge() -> None:
    found = battery(fed(load_profile("pylontech_hv"), *HV_ROUND, "00004250#0B00000000000000"))

    assert (found.wants_charge, found.discharge_allowed) == (True, False)


def test_a_pack_at_another_address_has_other_identifiers() -> None:
    profile = load_profile("pylontech_hv", overrides={"address": 3})
    elsewhere = BmsState(profile)
    elsewhere.feed(frame(HV_ROUND[0]), 1.0)
    moved = [text[:7] + "3" + text[8:] for text in HV_ROUND]

    assert "voltage" in elsewhere.decoder.missing()
    assert battery(fed(profile, *moved)).voltage_v == 405.2


def test_an_address_is_from_0_to_15() -> None:
    with pytest.raises(ProfileError, match="address: 16 is no number from 0 to 15"):
        load_profile("pylontech_hv", overrides={"address": 16})


def test_the_variant_without_offset_reads_twos_complement() -> None:
    state = fed(load_profile("pylontech_hv_plain"), "00004210#D40FE2FFE2043264", "00004220#68102C0DC80208FE")
    found = battery(state)

    assert (found.current_a, found.charge_limit_a, found.discharge_limit_a) == (3.0, 71.2, 50.4)


def test_the_swapped_variant_reads_the_other_byte_order() -> None:
    state = fed(
        load_profile("pylontech_hv_swapped"), "00004210#0FD4754E04E23264", "00004220#10680D2C77F87338"
    )

    assert (battery(state).voltage_v, battery(state).current_a) == (405.2, -3.0)


@pytest.mark.parametrize("name", HV_VARIANTS)
def test_the_simulated_pack_of_a_variant_is_read_as_it_is(name: str) -> None:
    profile = load_profile(name, overrides={"address": 2})
    pack = Pack(PackSettings(cells=120, capacity_wh=38_400, soc_pct=62.0, max_charge_a=80.0))
    pack.transfer(-8_000.0, 10.0)
    bms, state = SimulatedBms(pack, profile), BmsState(profile)
    frames = bms.due_frames(1.0)
    rejections = [refusal for one in frames for refusal in state.feed(one, 1.0)]
    found = battery(state)

    assert rejections == []
    assert {one.arbitration_id % 16 for one in frames} == {2}
    assert found.voltage_v == pytest.approx(pack.voltage_v, abs=0.05)
    assert found.current_a == pytest.approx(pack.current_a, abs=0.05)
    assert found.charge_limit_a == pytest.approx(80.0, abs=0.05)
    assert (found.soc_pct, found.charge_allowed, found.discharge_allowed) == (62.0, True, True)


def test_an_alarm_without_a_bit_of_its_own_is_told_by_the_general_one() -> None:
    profile = load_profile("pylontech_hv")
    bms, state = SimulatedBms(Pack(PackSettings(cells=120, ambient_c=65.0)), profile), BmsState(profile)
    for one in bms.due_frames(1.0):
        state.feed(one, 1.0)

    assert battery(state).alarms == {"protection"}
    assert battery(state).warnings == {"general"}


def test_we_ask_the_high_voltage_pack_for_state_and_for_equipment() -> None:
    profile = load_profile("pylontech_hv")

    assert [(str(encode_status(profile, one, {})), one.period_s) for one in profile.outgoing] == [
        ("00004200#0000000000000000", 1.0),
        ("00004200#0200000000000000", 60.0),
    ]


def test_victron_gets_zeros_and_who_we_are() -> None:
    profile = load_profile("victron_35x")

    assert [str(encode_status(profile, one, {"voltage": 51.2})) for one in profile.outgoing] == [
        "305#0000000000000000",
        "307#4C494E4553494445",
    ]
    assert profile.alarms == load_profile("sma_35x").alarms


STATE_TO_SMA = """
name = "own"
extends = "sma_35x"
[[outgoing]]
message = "InverterState"
[outgoing.signals]
BatterySoH = { value = "soh" }
ChargeProcedure = 1
OperatingState = 2
ChargeVoltageSetpoint = { value = "cvl" }
"""


def test_0x306_tells_the_bms_health_procedure_state_and_charge_voltage(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(STATE_TO_SMA)
    profile = load_profile(path)

    sent = encode_status(profile, profile.outgoing[0], {"soh": 98.0, "cvl": 56.8})

    assert str(sent) == "306#6200010200003802"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('name = "x"\nextends = 3\n', "extends: 3 is no profile to begin with"),
        ('name = "x"\nextends = "x.toml"\n', "extends: 'x.toml' is no profile to begin with"),
        ('name = "x"\nextends = "nowhere"\n', "neither a file nor one of"),
        (
            'name = "x"\nextends = "sma_35x"\nquick_stop = "Halt"\n',
            "quick_stop: no message 'Halt' in the DBC",
        ),
        (
            'name = "x"\nextends = "sma_35x"\n[[outgoing]]\n'
            'message = "InverterIdentity"\ntext = "TOO LONG A NAME"\n',
            "text: 'TOO LONG A NAME' is longer than 8 characters",
        ),
    ],
)
def test_a_profile_that_cannot_be_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)

    with pytest.raises(ProfileError) as caught:
        load_profile(path)
    assert words in str(caught.value)


def test_the_quick_stop_of_the_simulated_bms_is_an_empty_frame_once() -> None:
    bms = SimulatedBms(Pack(), load_profile("sma_35x"))
    bms.demand_stop()

    assert str(bms.due_frames(0.0)[0]) == "00F#"
    assert "00F#" not in [str(one) for one in bms.due_frames(1.0)]


def test_a_family_without_quick_stop_refuses_to_demand_one() -> None:
    with pytest.raises(ValueError, match="profile pylontech_lv has no quick stop"):
        SimulatedBms(Pack(), load_profile("pylontech_lv")).demand_stop()


def test_our_high_voltage_dbc_has_the_places_of_the_facts(vectors: Path) -> None:
    facts = Database()
    facts.add_dbc_file(vectors / "devices" / "dbc" / "bms_hv_42x0.dbc")
    ours = load_profile("pylontech_hv").database
    same = {"HvPack": "Pack", "HvLimits": "Limits", "HvCellVoltage": "CellVoltages", "HvForbid": "Forbidden"}

    def places(database: Database, name: str) -> set[tuple[int, int, float, float]]:
        message = database.get_message_by_name(name)
        return {(s.start, s.length, s.conversion.scale, s.conversion.offset) for s in message.signals}

    assert {name: places(facts, name) for name in same} == {
        name: places(ours, own) for name, own in same.items()
    }


JK_DBC = """
VERSION ""
BU_: BMS

BO_ 756 BatteryState: 8 BMS
 SG_ Voltage : 0|16@1+ (0.1,0) [0|0] "V" BMS
 SG_ Current : 16|16@1+ (0.1,-400) [0|0] "A" BMS
 SG_ SoC : 32|8@1+ (1,0) [0|0] "%" BMS

BO_ 1268 CellVoltage: 8 BMS
 SG_ CellMax : 0|16@1+ (0.001,0) [0|0] "V" BMS
 SG_ CellMaxNumber : 16|8@1+ (1,0) [0|0] "" BMS
 SG_ CellMin : 24|16@1+ (0.001,0) [0|0] "V" BMS
 SG_ CellMinNumber : 40|8@1+ (1,0) [0|0] "" BMS

BO_ 1524 CellTemperature: 8 BMS
 SG_ TempMax : 0|8@1+ (1,-50) [0|0] "degC" BMS
 SG_ TempMin : 16|8@1+ (1,-50) [0|0] "degC" BMS

BO_ 2036 Alarms: 8 BMS
 SG_ CellOverVoltage : 0|2@1+ (1,0) [0|0] "" BMS
 SG_ CellUnderVoltage : 2|2@1+ (1,0) [0|0] "" BMS
"""
JK_PROFILE = """
name = "jk"
dbc = "jk.dbc"
[values]
voltage = { signal = "BatteryState.Voltage" }
current = { signal = "BatteryState.Current" }
soc = { signal = "BatteryState.SoC" }
temp = { signal = "CellTemperature.TempMax" }
cell_v_max = { signal = "CellVoltage.CellMax" }
cell_v_min = { signal = "CellVoltage.CellMin" }
cell_t_min = { signal = "CellTemperature.TempMin" }
[constants]
soh = 100
cvl = 57.6
ccl = 50
dcl = 100
[alarms]
coding = "arrive_leave"
high_voltage = "Alarms.CellOverVoltage"
low_voltage = "Alarms.CellUnderVoltage"
"""


def test_a_battery_of_another_maker_is_read_by_its_own_dbc_and_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "jk.dbc").write_text(JK_DBC)
    (tmp_path / "jk.toml").write_text(JK_PROFILE)
    profile = load_profile(tmp_path / "jk.toml")
    state = fed(profile, "2F4#0802BA0F370000", "4F4#E40C03DA0C070000", "5F4#4B014800", "7F4#0200")
    found = battery(state)

    assert (found.voltage_v, found.soc_pct, found.temperature_c) == (52.0, 55.0, 25.0)
    assert found.current_a == pytest.approx(2.6)
    assert (found.cell_v_max, found.cell_v_min, found.cell_c_min) == (3.3, 3.29, 22.0)
    assert (found.charge_limit_a, found.discharge_limit_a, found.alarms) == (50.0, 100.0, frozenset())


FOXBMS_CELLS = """
name = "foxbms2"
[constants]
soc = 50
soh = 100
cvl = 80
temp = 25
[values]
voltage = { signal = "f_StringValuesP0.Voltage" }
current = { signal = "f_StringValuesP0.Current" }
ccl = { signal = "f_PackLimits.MaximumChargeCurrent" }
dcl = { signal = "f_PackLimits.MaximumDischargeCurrent" }
cell_v_min = { signal = "f_CellVoltages.CellVoltage_008", factor = 0.001 }
cell_v_max = { signal = "f_CellVoltages.CellVoltage_009", factor = 0.001 }
"""


def test_multiplexed_cells_of_foxbms_are_read_from_the_page_that_a_frame_holds(
    vectors: Path, tmp_path: Path
) -> None:
    path = tmp_path / "fox.toml"
    path.write_text(FOXBMS_CELLS)
    decoder = BmsDecoder(load_profile(path, vectors / "devices" / "dbc" / "foxbms2.dbc"))
    assert decoder.feed(frame("250#0203E61F54FA27CF"), 1.0) == ()

    assert (decoder.value("cell_v_min"), decoder.value("cell_v_max")) == (1.996, 2.005)
