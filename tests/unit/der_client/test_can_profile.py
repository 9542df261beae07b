"""Profiles: what the built-in ones say, and which mistakes of an installer are found, with file and key."""

from pathlib import Path

import pytest

from der_client.can import BusError, BusSettings, ProfileError, builtin_profiles, load_profile
from der_client.can.mapping import AlarmCoding, Outgoing, OutgoingSignal, Timing
from tests.hopeless_toml import HOPELESS

BASE = """
name = "mine"
dbc = "lv_35x.dbc"
[values]
voltage = { signal = "Measurements.Voltage" }
current = { signal = "Measurements.Current", sign = -1, factor = 2.0 }
temp = { signal = "Measurements.Temperature" }
soc = { signal = "StateOfCharge.SoC" }
cvl = { signal = "Limits.ChargeVoltageLimit" }
ccl = { signal = "Limits.ChargeCurrentLimit" }
dcl = { signal = "Limits.DischargeCurrentLimit" }
soh = { signal = "StateOfCharge.SoH", required = false, range = [1, 110], not_available = [0] }
[constants]
soh = 97
"""


def written(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_built_in_profiles_are_named() -> None:
    assert builtin_profiles() == (
        "pylontech_hv",
        "pylontech_hv_plain",
        "pylontech_hv_swapped",
        "pylontech_lv",
        "sma_35x",
        "victron_35x",
    )


def test_pylontech_profile_sends_eight_zero_bytes_each_second() -> None:
    profile = load_profile("pylontech_lv")
    assert profile.outgoing == (Outgoing(message="InverterStatus", period_s=1.0),)
    assert (profile.alarm_coding, profile.is_swapped) == (AlarmCoding.BIT, False)
    assert profile.timing == Timing(stale_s=3.0, lost_s=10.0, recover_s=30.0, restart_delay_s=60.0)


def test_sma_profile_sends_status_and_reads_two_bit_alarms() -> None:
    profile = load_profile("sma_35x")
    (outgoing,) = profile.outgoing
    assert [(signal.signal, signal.value) for signal in outgoing.signals] == [
        ("BatteryVoltage", "voltage"),
        ("BatteryCurrent", "current"),
        ("BatteryTemperature", "temp"),
        ("BatterySoC", "soc"),
    ]
    assert (profile.alarm_coding, len(profile.alarms)) == (AlarmCoding.ARRIVE_LEAVE, 26)


@pytest.mark.parametrize("name", ["pylontech_lv", "sma_35x"])
def test_limits_soc_and_measurements_are_must_have(name: str) -> None:
    assert load_profile(name).must_have == {"Limits", "StateOfCharge", "Measurements"}


def test_own_profile_uses_the_built_in_dbc_and_its_own_numbers(tmp_path: Path) -> None:
    profile = load_profile(written(tmp_path, BASE))
    current, soh = profile.values["current"], profile.values["soh"]
    assert (current.sign, current.factor, set(current.not_available)) == (-1, 2.0, {-32768})
    assert (soh.is_required, soh.low, soh.high, set(soh.not_available)) == (False, 1.0, 110.0, {0})
    assert profile.constants == {"soh": 97.0}


def test_dbc_beside_the_profile_is_found_first(tmp_path: Path) -> None:
    written(tmp_path, 'VERSION ""\n\nBU_: BMS\n\nBO_ 1 Empty: 8 BMS\n', "lv_35x.dbc")
    with pytest.raises(ProfileError, match=r"values\.voltage\.signal: no message 'Measurements' in the DBC"):
        load_profile(written(tmp_path, BASE))


def test_outgoing_frame_may_hold_constants_and_scaled_values(tmp_path: Path) -> None:
    outgoing = (
        '[[outgoing]]\nmessage = "InverterState"\nperiod_s = 0.5\n[outgoing.signals]\n'
        'OperatingState = 3\nBatterySoH = { value = "soc", factor = 0.5 }\n'
    )
    profile = load_profile(written(tmp_path, BASE + outgoing))
    signals = (
        OutgoingSignal(signal="OperatingState", value=None, factor=3.0),
        OutgoingSignal(signal="BatterySoH", value="soc", factor=0.5),
    )
    assert profile.outgoing == (Outgoing(message="InverterState", period_s=0.5, signals=signals),)


def test_byte_order_as_the_dbc_has_it_swaps_nothing(tmp_path: Path) -> None:
    assert load_profile(written(tmp_path, 'byte_order = "little"' + BASE)).is_swapped is False
    assert load_profile(written(tmp_path, 'byte_order = "big"' + BASE)).is_swapped is True


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "mine"', "", "mine.toml: name: missing"),
        ('name = "mine"', "name = 3", "mine.toml: name: 3 is not a string"),
        ('name = "mine"', 'name = "mine"\ncolour = 1', "mine.toml: colour: unknown key"),
        ('name = "mine"', 'name = "mine"\nbyte_order = "middle"', "'middle' is not dbc, little or big"),
        ('name = "mine"', 'name = "mine"\ntiming = 3', "mine.toml: timing: 3 is not a table"),
        ('name = "mine"', 'name = "mine"\noutgoing = 3', "outgoing: 3 is not an array of tables"),
        ('dbc = "lv_35x.dbc"', "", "mine.toml: dbc: missing"),
        ('dbc = "lv_35x.dbc"', 'dbc = "none.dbc"', "mine.toml: dbc: no file 'none.dbc'"),
        ("Measurements.Voltage", "Measures.Voltage", "voltage.signal: no message 'Measures' in the DBC"),
        ("Measurements.Voltage", "Measurements.Volt", "no signal 'Volt' in message Measurements"),
        ("Measurements.Voltage", "Voltage", "'Voltage' is not message.signal"),
        ('voltage = { signal = "Measurements.Voltage" }', "", "values.voltage: missing: needed as"),
        ('voltage = { signal = "Measurements.Voltage" }', "voltage = 3", "values.voltage: 3 is not a table"),
        ("voltage = {", "volts = {", "values.volts: not a canonical name"),
        ("sign = -1", "sign = 2", "values.current.sign: 2 is not 1 or -1"),
        ("factor = 2.0", "factor = 0", "values.current.factor: 0 is not above 0"),
        ("factor = 2.0", 'factor = "x"', "values.current.factor: 'x' is not a number"),
        ("factor = 2.0", "factor = true", "values.current.factor: True is not a number"),
        ("factor = 2.0", "factor = nan", "values.current.factor: nan is not a number"),
        ("factor = 2.0", "weight = 2.0", "values.current.weight: unknown key"),
        ("factor = 2.0", 'fine_signal = "Fine"', "fine_signal: no signal 'Fine' in message Measurements"),
        ("required = false", "required = 0", "values.soh.required: 0 is not true or false"),
        ("range = [1, 110]", "range = [110, 1]", "values.soh.range: [110, 1] is not [lowest, highest]"),
        ("range = [1, 110]", "range = 3", "values.soh.range: 3 is not [lowest, highest]"),
        ("not_available = [0]", "not_available = [0.5]", "not_available: [0.5] is not a list of integers"),
        ("soh = 97", "soh = 0", "constants.soh: 0 outside 1..100"),
        ("soh = 97", "soh = 97\ncolour = 1", "constants.colour: not a canonical name"),
        ("soh = 97", "soh = 97\nsoc = 97", "constants.soc: is also a required value"),
        ("soh = 97", "", "values.soh: missing: needed as a required value or a constant"),
        ("[constants]", "[timing]\nlost_s = 2\n[constants]", "timing.lost_s: 2 is not above stale_s (3)"),
        ("[constants]", "[timing]\nlate_s = 2\n[constants]", "timing.late_s: unknown key"),
        ("[constants]", '[alarms]\ncoding = "x"\n[constants]', "coding: 'x' is not one of bit, arrive_leave"),
        ("[constants]", "[alarms]\nx = 3\n[constants]", "alarms.x: 3 is not a string or a list of strings"),
        (
            "[constants]",
            '[warnings]\nx = "SmaAlarms.WarnGeneral"\n[constants]',
            "warnings.x: signal SmaAlarms.WarnGeneral has 2 bits, coding bit needs 1",
        ),
        ("[constants]", '[texts]\ncolour = "Manufacturer"\n[constants]', "texts.colour: not one of cell"),
        ("[constants]", '[texts]\nmodel = "Name"\n[constants]', "texts.model: no message 'Name' in the DBC"),
        ("[constants]", '[fixed]\n"Limits.X" = 1\n[constants]', "fixed.Limits.X: no signal 'X' in message"),
        ("[constants]", "[lengths]\nLimits = 9\n[constants]", "lengths.Limits: 9 outside 0..8"),
        ("[constants]", "[[outgoing]]\n[constants]", "outgoing[0].message: missing"),
        (
            "[constants]",
            '[[outgoing]]\nmessage = "InverterStatus"\n[outgoing.signals]\nX = 1\n[constants]',
            "outgoing[0].signals.X: no signal 'X' in message InverterStatus",
        ),
        (
            "[constants]",
            '[[outgoing]]\nmessage = "InverterStatus"\n'
            'signals = { BatterySoC = { value = "x" } }\n[constants]',
            "outgoing[0].signals.BatterySoC.value: 'x' is not one of voltage, current, temp, soc",
        ),
        *(("[constants]", f"{text}\n[constants]", "mine.toml: (whole file): ") for text in HOPELESS),
    ],
)
def test_mistake_is_found_with_file_and_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile(written(tmp_path, BASE.replace(old, new, 1)))
    assert message in str(caught.value)


def test_error_keeps_file_and_key_apart(tmp_path: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile(written(tmp_path, "colour = 1\n" + BASE))
    assert (caught.value.source, caught.value.key) == ("mine.toml", "colour")


def test_profile_that_is_nowhere_is_an_error() -> None:
    with pytest.raises(ProfileError, match="neither a file nor one of pylontech_hv, pylontech_hv_plain"):
        load_profile("nowhere")


def test_dbc_given_by_path_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="no file"):
        load_profile("sma_35x", tmp_path / "lv_35x.dbc")


def test_file_that_is_no_dbc_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"x\.dbc: \(whole file\): not a usable DBC"):
        load_profile("sma_35x", written(tmp_path, "BO_ x", "x.dbc"))


MIXED = """VERSION ""

BU_: BMS

BO_ 1 Mixed: 64 BMS
 SG_ Little : 0|16@1+ (1,0) [0|0] "" BMS
 SG_ Big : 23|16@0+ (1,0) [0|0] "" BMS
 SG_ Far : 96|16@1+ (1,0) [0|0] "" BMS
"""


def test_dbc_with_both_byte_orders_cannot_be_swapped(tmp_path: Path) -> None:
    path = written(tmp_path, 'byte_order = "big"\nname = "x"')
    with pytest.raises(ProfileError, match="byte_order: the DBC mixes byte orders"):
        load_profile(path, written(tmp_path, MIXED, "mixed.dbc"))


def test_signal_beyond_a_classic_frame_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path, 'name = "x"\n[values.voltage]\nsignal = "Mixed.Far"')
    with pytest.raises(ProfileError, match=r"signal Mixed\.Far lies beyond the eighth byte"):
        load_profile(path, written(tmp_path, MIXED, "mixed.dbc"))


def test_bus_settings_pass_unknown_keys_to_python_can() -> None:
    settings = BusSettings.from_mapping({
        "interface": "socketcan", "channel": "can1", "bitrate": 500000, "retry_s": 2, "max_retry_s": 20.0,
    })  # fmt: skip
    assert settings == BusSettings(
        interface="socketcan", channel="can1", options={"bitrate": 500000}, retry_s=2.0, max_retry_s=20.0
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"channel": "can0"}, "bus.interface: '' is not the name of an interface"),
        ({"interface": 3}, "bus.interface: 3 is not the name"),
        ({"interface": "virtual", "x": [1]}, "bus.x: [1] is not a plain value"),
        ({"interface": "virtual", "retry_s": 0}, "bus.retry_s: 0 is not a number above 0"),
        ({"interface": "virtual", "max_retry_s": "x"}, "bus.max_retry_s: 'x' is not a number above 0"),
    ],
)
def test_mistake_in_bus_settings_names_the_key(data: dict[str, object], message: str) -> None:
    with pytest.raises(BusError) as caught:
        BusSettings.from_mapping(data)
    assert message in str(caught.value)
