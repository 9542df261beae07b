"""Rules of decoding: sample frames, lengths, codes, ranges, alarms that arrive and leave."""

import io
from pathlib import Path

import can
import pytest

from der_client.can import CanFrame, Profile, load_profile
from der_client.can.alarms import AlarmRegister
from der_client.can.decode import BmsDecoder, Rejected
from der_client.can.mapping import AlarmCoding, AlarmMapping


def frame(text: str) -> CanFrame:
    identifier, data = text.split("#")
    return CanFrame(
        arbitration_id=int(identifier, 16), is_extended=len(identifier) == 8, data=bytes.fromhex(data)
    )


@pytest.fixture(scope="module")
def pylontech() -> Profile:
    return load_profile("pylontech_lv")


@pytest.fixture(scope="module")
def sma() -> Profile:
    return load_profile("sma_35x")


@pytest.fixture
def decoder(pylontech: Profile) -> BmsDecoder:
    return BmsDecoder(pylontech)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("351#1402740E740ECC01", {"cvl": 53.2, "ccl": 370.0, "dcl": 370.0, "dvl": 46.0}),
        ("351#440264009CFF3F02", {"cvl": 58.0, "ccl": 10.0, "dcl": 10.0, "dvl": 57.5}),
        ("355#1A006400", {"soc": 26.0, "soh": 100.0}),
        ("356#4E1302030405", {"voltage": 49.42, "current": -77.0, "temp": 128.4}),
        ("356#021300004A01", {"voltage": 48.66, "current": 0.0, "temp": 33.0}),
        ("356#941400008C00", {"voltage": 52.68, "current": 0.0, "temp": 14.0}),
        ("359#000000000A504E", {"modules": 10.0}),
        ("35C#C000", {"charge_enable": 1.0, "discharge_enable": 1.0}),
        ("35C#4000", {"charge_enable": 0.0, "discharge_enable": 1.0}),
        ("35C#20", {"force_charge": 1.0, "full_charge": 0.0}),
        ("373#EE0CF80C2A012C01", {"cell_v_min": 3.31, "cell_v_max": 3.32, "cell_t_min": 24.85}),
        ("379#C800", {"capacity": 200.0}),
    ],
)
def test_sample_frame_decodes_to_the_stated_values(
    decoder: BmsDecoder, text: str, expected: dict[str, float]
) -> None:
    assert decoder.feed(frame(text), 1.0) == ()
    assert {name: decoder.value(name) for name in expected} == pytest.approx(expected)


def test_healthy_protection_frame_has_no_alarm_and_no_warning(decoder: BmsDecoder) -> None:
    decoder.feed(frame("359#000000000A504E"), 1.0)
    assert (decoder.alarms, decoder.warnings) == (frozenset(), frozenset())


@pytest.mark.parametrize(
    ("data", "alarms", "warnings"),
    [
        ("02000000", {"high_voltage"}, set()),
        ("04000000", {"low_voltage"}, set()),
        ("08000000", {"high_temperature"}, set()),
        ("10000000", {"low_temperature"}, set()),
        ("80000000", {"high_current"}, set()),
        ("00010000", {"high_charge_current"}, set()),
        ("00080000", {"bms_internal"}, set()),
        ("00800000", {"bms_internal"}, set()),
        ("00000200", set(), {"high_voltage"}),
        ("00008001", set(), {"high_current", "high_charge_current"}),
        ("00000008", set(), {"bms_internal"}),
        ("00000080", set(), {"bms_internal"}),
    ],
)
def test_each_pylontech_bit_is_its_alarm_or_warning(
    decoder: BmsDecoder, data: str, alarms: set[str], warnings: set[str]
) -> None:
    decoder.feed(frame(f"359#{data}0A504E"), 1.0)
    assert (set(decoder.alarms), set(decoder.warnings)) == (alarms, warnings)


def test_text_frames_are_joined_and_stripped(sma: Profile) -> None:
    decoder = BmsDecoder(sma)
    for text in ("35E#50594C4F4E202020", "370#4241545445525920", "371#5041434B00000000"):
        decoder.feed(frame(text), 1.0)
    assert (decoder.text("manufacturer"), decoder.text("model")) == ("PYLON", "BATTERY PACK")


def test_frame_of_another_identifier_is_ignored(decoder: BmsDecoder) -> None:
    assert decoder.feed(frame("123#0011"), 1.0) == ()
    assert decoder.feed(frame("00000351#1402740E740ECC01"), 1.0) == ()
    assert decoder.samples == {}


def test_frame_below_the_needed_length_is_rejected(decoder: BmsDecoder) -> None:
    (rejection,) = decoder.feed(frame("351#1402740E74"), 1.0)
    assert (rejection.message, rejection.reason) == ("Limits", Rejected.TOO_SHORT)
    assert decoder.samples == {}


def test_optional_signal_beyond_a_short_frame_is_left_out(decoder: BmsDecoder) -> None:
    assert decoder.feed(frame("351#1402740E740E"), 1.0) == ()
    assert (decoder.value("dcl"), decoder.value("dvl")) == (370.0, None)


def test_short_alarm_frame_changes_only_what_it_holds(decoder: BmsDecoder) -> None:
    decoder.feed(frame("359#020000000A504E"), 1.0)
    decoder.feed(frame("359#00"), 2.0)
    assert decoder.alarms == frozenset()


@pytest.mark.parametrize(
    ("data", "soc_pct"), [("1A0064002C0A", 26.04), ("1A0064000000", 26.0), ("1A006400FFFF", 26.0)]
)
def test_fine_soc_is_used_only_while_it_agrees(decoder: BmsDecoder, data: str, soc_pct: float) -> None:
    decoder.feed(frame(f"355#{data}"), 1.0)
    assert decoder.value("soc") == pytest.approx(soc_pct)


def test_not_available_code_keeps_the_last_good_value_and_its_age(decoder: BmsDecoder) -> None:
    decoder.feed(frame("356#4E1302000405"), 1.0)
    (rejection,) = decoder.feed(frame("356#4F1300800405"), 2.0)
    assert (rejection.value, rejection.reason) == ("current", Rejected.NOT_AVAILABLE)
    assert decoder.samples["current"] == (-0.2, 1.0)
    assert decoder.samples["voltage"] == (49.43, 2.0)


def test_value_out_of_range_keeps_the_last_good_value(decoder: BmsDecoder) -> None:
    decoder.feed(frame("355#1A006400"), 1.0)
    (rejection,) = decoder.feed(frame("355#65006400"), 2.0)
    assert (rejection.value, rejection.reason) == ("soc", Rejected.OUT_OF_RANGE)
    assert decoder.samples["soc"] == (26.0, 1.0)


def test_third_all_zero_frame_in_a_row_makes_the_message_invalid(decoder: BmsDecoder) -> None:
    decoder.feed(frame("355#1A006400"), 0.0)
    invalid = []
    for second in (1.0, 2.0, 3.0):
        (rejection,) = decoder.feed(frame("355#00000000"), second)
        assert rejection.reason is Rejected.ALL_ZERO
        invalid.append(set(decoder.invalid))
    assert invalid == [set(), set(), {"StateOfCharge"}]
    assert decoder.value("soc") == 26.0


def test_a_good_frame_starts_the_count_of_zero_frames_again(decoder: BmsDecoder) -> None:
    for data in ("00000000", "00000000", "1A006400", "00000000", "00000000"):
        decoder.feed(frame(f"355#{data}"), 1.0)
    assert decoder.invalid == set()


def test_all_zero_enables_are_an_answer_not_an_error(decoder: BmsDecoder) -> None:
    assert decoder.feed(frame("35C#0000"), 1.0) == ()
    assert decoder.value("charge_enable") == 0.0


def test_sma_alarm_arrives_leaves_and_survives_unsupported_codes(sma: Profile) -> None:
    decoder = BmsDecoder(sma)
    seen = []
    for data in ("04000000", "00000000", "0C000000", "08000000", "00000000"):
        decoder.feed(frame(f"35A#{data}00000000"), 1.0)
        seen.append(set(decoder.alarms))
    assert seen == [{"high_voltage"}, {"high_voltage"}, {"high_voltage"}, set(), set()]


@pytest.mark.parametrize(
    ("position", "name"),
    list(enumerate([
        "general", "high_voltage", "low_voltage", "high_temperature", "low_temperature",
        "high_charge_temperature",
        "low_charge_temperature", "high_current", "high_charge_current", "contactor",
        "short_circuit", "bms_internal",
        "cell_imbalance",
    ])),
)  # fmt: skip
def test_sma_alarms_and_warnings_are_in_the_stated_order(sma: Profile, position: int, name: str) -> None:
    decoder = BmsDecoder(sma)
    bits = (1 << 2 * position).to_bytes(4, "little").hex()
    decoder.feed(frame(f"35A#{bits}00000000"), 1.0)
    assert (set(decoder.alarms), set(decoder.warnings)) == ({name}, set())
    decoder.feed(frame(f"35A#AAAAAAAA{bits}"), 2.0)
    assert (set(decoder.alarms), set(decoder.warnings)) == (set(), {name})


def test_alarm_of_another_message_is_not_touched() -> None:
    alarm = AlarmMapping(name="x", is_warning=False, sources=(("A", "S"), ("B", "S")))
    register = AlarmRegister((alarm,), AlarmCoding.BIT)
    register.take([("A", "S")], [1])
    register.take([("B", "S")], [0])
    assert register.active(is_warning=False) == {"x"}
    register.take([("A", "S")], [0])
    assert register.active(is_warning=False) == frozenset()


def test_ages_count_from_the_oldest_required_value(decoder: BmsDecoder) -> None:
    assert (decoder.age_s(9.0), decoder.overdue_s(9.0)) == (0.0, 0.0)
    decoder.feed(frame("351#1402740E740E"), 1.0)
    decoder.feed(frame("355#1A006400"), 2.0)
    assert decoder.missing() == ("current", "temp", "voltage")
    assert (decoder.age_s(5.0), decoder.overdue_s(5.0)) == (4.0, 1.0)


def test_safety_message_that_falls_silent_is_named(decoder: BmsDecoder) -> None:
    decoder.feed(frame("35C#C000"), 1.0)
    decoder.feed(frame("373#EE0CF80C2A012C01"), 1.0)
    assert decoder.quiet(10.9, 10.0) == frozenset()
    assert decoder.quiet(11.0, 10.0) == {"Requests"}


def test_big_endian_variant_of_the_family_reads_the_same_values(tmp_path: Path) -> None:
    path = tmp_path / "big.toml"
    source = Path(__file__).parents[3] / "der_client" / "can" / "profiles" / "sma_35x.toml"
    path.write_text(source.read_text().replace('byte_order = "little"', 'byte_order = "big"'))
    decoder = BmsDecoder(load_profile(path))
    decoder.feed(frame("351#02140E740E7401CC"), 1.0)
    decoder.feed(frame("35A#0400000000000000"), 1.0)
    values = {name: decoder.value(name) for name in ("cvl", "ccl", "dcl", "dvl")}
    assert values == pytest.approx({"cvl": 53.2, "ccl": 370.0, "dcl": 370.0, "dvl": 46.0})
    assert decoder.alarms == {"high_voltage"}


def test_pylontech_capture_replays_without_rejection(vectors: Path, pylontech: Profile) -> None:
    decoder = BmsDecoder(pylontech)
    source = vectors / "devices" / "canlog" / "pylontech_lv_samples.log"
    lines = [line for line in source.read_text().splitlines() if not line.startswith("#")]
    with can.CanutilsLogReader(io.StringIO("\n".join(lines))) as log:
        messages = list(log)
    frames = [CanFrame(arbitration_id=m.arbitration_id, data=bytes(m.data)) for m in messages]
    rejections = [item for one in frames for item in decoder.feed(one, 1.0)]
    assert (len(messages), rejections, decoder.missing()) == (10, [], ())
    expected = {
        "cvl": 58.0,
        "ccl": 10.0,
        "dcl": 10.0,
        "soc": 26.0,
        "voltage": 52.68,
        "temp": 14.0,
        "current": 0.0,
    }
    assert {name: decoder.value(name) for name in expected} == pytest.approx(expected)
    assert decoder.text("manufacturer") == "PYLON"


FOXBMS = """
name = "foxbms2"
[constants]
soc = 50.0
soh = 100.0
cvl = 80.0
[values]
voltage = { signal = "f_StringValuesP0.Voltage" }
current = { signal = "f_StringValuesP0.Current" }
ccl = { signal = "f_PackLimits.MaximumChargeCurrent" }
dcl = { signal = "f_PackLimits.MaximumDischargeCurrent" }
temp = { signal = "f_CellTemperatures.CellTemperature_006" }
[alarms]
general = "f_BmsState.GeneralError"
emergency = "f_BmsState.EmergencyShutoff"
insulation = "f_BmsState.InsulationError"
system_monitoring = "f_BmsState.SystemMonitoringError"
[warnings]
general = "f_BmsState.GeneralWarning"
"""


def test_foxbms_trace_replays_through_a_user_profile(vectors: Path, tmp_path: Path) -> None:
    path = tmp_path / "foxbms.toml"
    path.write_text(FOXBMS)
    decoder = BmsDecoder(load_profile(path, vectors / "devices" / "dbc" / "foxbms2.dbc"))
    with can.TRCReader(vectors / "devices" / "canlog" / "foxbms2_pcan.trc") as log:
        messages = list(log)
    for message in messages:
        item = CanFrame(arbitration_id=message.arbitration_id, data=bytes(message.data))
        assert decoder.feed(item, message.timestamp) == ()
    values = {name: decoder.value(name) for name in ("voltage", "current", "ccl", "dcl", "temp")}
    assert len(messages) == 9
    assert values == pytest.approx({"voltage": 63.93, "current": 0.0, "ccl": 0.0, "dcl": 0.0, "temp": 25.0})
    assert decoder.alarms == {"general", "emergency", "system_monitoring"}


def test_unknown_multiplexer_is_malformed_not_an_exception(vectors: Path, tmp_path: Path) -> None:
    path = tmp_path / "foxbms.toml"
    path.write_text(FOXBMS)
    decoder = BmsDecoder(load_profile(path, vectors / "devices" / "dbc" / "foxbms2.dbc"))
    (rejection,) = decoder.feed(frame("243#E0C7C80000000000"), 1.0)
    assert rejection.reason is Rejected.MALFORMED


HV = """
name = "pylontech_hv"
[values]
voltage = { signal = "HvPack.Voltage" }
current = { signal = "HvPack.Current", sign = -1 }
soc = { signal = "HvPack.SoC" }
soh = { signal = "HvPack.SoH" }
temp = { signal = "HvPack.SecondTemp" }
cvl = { signal = "HvLimits.ChargeCutoffVoltage" }
ccl = { signal = "HvLimits.ChargeCurrentLimit" }
dcl = { signal = "HvLimits.DischargeCurrentLimit", magnitude = true }
charge_enable = { signal = "HvForbid.ChargeForbidden", true_codes = [0] }
discharge_enable = { signal = "HvForbid.DischargeForbidden", true_codes = [0] }
[[outgoing]]
message = "HvRequest"
[outgoing.signals]
Command = 0
"""


def test_high_voltage_family_with_29_bit_identifiers_reads_through_a_user_profile(
    vectors: Path, tmp_path: Path
) -> None:
    path = tmp_path / "hv.toml"
    path.write_text(HV)
    decoder = BmsDecoder(load_profile(path, vectors / "devices" / "dbc" / "bms_hv_42x0.dbc"))
    for text in ("00004210#D40F4E75E2043264", "00004220#6810B80BF8773873", "00004280#AA00000000000000"):
        assert decoder.feed(frame(text), 1.0) == ()
    expected = {
        "voltage": 405.2, "current": -3.0, "temp": 25.0, "soc": 50.0, "soh": 100.0, "cvl": 420.0, "ccl": 71.2,
        "dcl": 50.4, "charge_enable": 0.0, "discharge_enable": 1.0,
    }  # fmt: skip
    assert {name: decoder.value(name) for name in expected} == pytest.approx(expected)
