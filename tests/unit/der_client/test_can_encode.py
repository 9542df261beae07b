"""Frames that we send: status to the BMS, and the simulated BMS's own, through the same profile."""

from dataclasses import replace
from pathlib import Path

import cantools.database
import pytest
from cantools.database.can import Database

from der_client.can import CanFrame, Profile, load_profile
from der_client.can.encode import encode_message, encode_status, raw_code
from der_client.can.wire import bytes_needed, not_available_code, raw_range, swap_bytes, swap_order

STATUS = {"voltage": 52.4, "current": -12.3, "temp": 21.5, "soc": 55.5}


@pytest.fixture(scope="module")
def pylontech() -> Profile:
    return load_profile("pylontech_lv")


@pytest.fixture(scope="module")
def sma() -> Profile:
    return load_profile("sma_35x")


@pytest.mark.parametrize(
    ("status", "data"), [(STATUS, "0C0285FFD7002B02"), ({}, "FFFF00800080FFFF"),
     ({"voltage": 1e9}, "FEFF00800080FFFF")]
)  # fmt: skip
def test_sma_status_is_v_i_t_soc_and_not_available_before(
    sma: Profile, status: dict[str, float], data: str
) -> None:
    frame = encode_status(sma, sma.outgoing[0], status)
    assert str(frame) == f"305#{data}"


def test_pylontech_status_is_eight_zero_bytes(pylontech: Profile) -> None:
    assert str(encode_status(pylontech, pylontech.outgoing[0], STATUS)) == "305#0000000000000000"


OUTGOING = """
name = "x"
[constants]
voltage = 50
current = 0
temp = 20
soc = 50
soh = 100
ccl = 1
dcl = 1
cvl = 56
[[outgoing]]
message = "InverterState"
[outgoing.signals]
OperatingState = 3
ChargeProcedure = { value = "soc" }
"""


def test_constant_and_absent_byte_in_an_outgoing_frame(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('dbc = "lv_35x.dbc"\n' + OUTGOING)
    profile = load_profile(path)
    assert str(encode_status(profile, profile.outgoing[0], {})) == "306#0000000300000000"
    assert str(encode_status(profile, profile.outgoing[0], {"soc": 9.0})) == "306#0000090300000000"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Limits", "351#1402740E740ECC01"),
        ("StateOfCharge", "355#1A006400"),
        ("Measurements", "356#4E1302030401"),
        ("PylonProtection", "359#020080000A504E"),
        ("Requests", "35C#4000"),
        ("Manufacturer", "35E#50594C4F4E202020"),
        ("CellExtremes", "373#EE0CFFFF2A01FFFF"),
    ],
)
def test_bms_frame_is_the_sample_that_it_was_read_from(pylontech: Profile, name: str, expected: str) -> None:
    values = {
        "cvl": 53.2, "ccl": 370.0, "dcl": 370.0, "dvl": 46.0, "soc": 26.0, "soh": 100.0, "voltage": 49.42,
        "current": -77.0, "temp": 26.0, "modules": 10.0, "charge_enable": 0.0, "discharge_enable": 1.0,
        "cell_v_min": 3.31, "cell_t_min": 24.85,
    }  # fmt: skip
    frame = encode_message(
        pylontech,
        name,
        values=values,
        alarms=frozenset({"high_voltage"}),
        warnings=frozenset({"high_current"}),
        texts={"manufacturer": "PYLON"},
    )
    assert str(frame) == expected


def test_sma_alarm_is_arrived_and_all_others_have_left(sma: Profile) -> None:
    frame = encode_message(sma, "SmaAlarms", values={}, alarms=frozenset({"low_voltage"}))
    assert str(frame) == "35A#9AAAAA02AAAAAA02"


def test_long_text_goes_on_in_the_next_message(sma: Profile) -> None:
    texts = {"model": "SIXTEEN LETTERS!"}
    frames = [encode_message(sma, name, values={}, texts=texts) for name in ("BatteryName1", "BatteryName2")]
    assert [frame.data for frame in frames] == [b"SIXTEEN ", b"LETTERS!"]


def test_flag_with_other_true_codes_is_written_with_them(pylontech: Profile) -> None:
    inverted = replace(pylontech.values["charge_enable"], true_codes=frozenset({0}))
    profile = replace(pylontech, values=dict(pylontech.values) | {"charge_enable": inverted})
    frames = [encode_message(profile, "Requests", values={"charge_enable": flag}) for flag in (1.0, 0.0)]
    assert [frame.data.hex() for frame in frames] == ["0000", "8000"]


def test_swapped_profile_writes_big_endian(sma: Profile) -> None:
    frame = encode_message(
        replace(sma, is_swapped=True), "Limits", values={"cvl": 53.2, "ccl": 370.0, "dcl": 1.0}
    )
    assert frame.data.hex() == "02140e74000affff"


WIRE = """VERSION ""

BU_: BMS

BO_ 1 Wire: 8 BMS
 SG_ Little : 4|16@1- (1,0) [0|0] "" BMS
 SG_ Big : 23|24@0+ (1,0) [0|0] "" BMS
 SG_ Real : 32|32@1- (2,1) [0|0] "" BMS

SIG_VALTYPE_ 1 Real : 1;
"""


def wire_database() -> Database:
    database = cantools.database.load_string(WIRE, "dbc", strict=False)
    assert isinstance(database, Database)
    return database


def test_place_of_signals_in_both_byte_orders() -> None:
    message = wire_database().get_message_by_name("Wire")
    signals = {signal.name: signal for signal in message.signals}
    assert {name: bytes_needed(signal) for name, signal in signals.items()} == {
        "Little": 3,
        "Big": 5,
        "Real": 8,
    }
    assert raw_range(signals["Little"]) == (-32768, 32767)
    assert raw_range(signals["Big"]) == (0, 0xFFFFFF)
    assert [not_available_code(signals[name]) for name in ("Little", "Big", "Real")] == [-32768, None, None]
    assert swap_order(message) == (0, 1, 4, 3, 7, 6, 5, 4)


def test_swap_leaves_a_signal_that_the_frame_cuts_off() -> None:
    assert swap_bytes(b"\x01\x02\x03", (1, 0, 3, 2)) == b"\x02\x01\x03"


def test_floating_point_signal_is_not_rounded() -> None:
    signal = wire_database().get_message_by_name("Wire").get_signal_by_name("Real")
    assert raw_code(signal, 2.5) == 0.75


@pytest.mark.parametrize(
    ("identifier", "is_extended", "data"), [(0x800, False, b""), (1 << 29, True, b""),
     (-1, False, b""), (1, False, bytes(9))]
)  # fmt: skip
def test_impossible_frame_is_refused(identifier: int, is_extended: bool, data: bytes) -> None:
    with pytest.raises(ValueError, match="CanFrame"):
        CanFrame(arbitration_id=identifier, is_extended=is_extended, data=data)


def test_frame_is_written_as_candump_does() -> None:
    frames = (
        CanFrame(arbitration_id=0x5, data=b"\x0a"),
        CanFrame(arbitration_id=0x5, is_extended=True, data=b""),
    )
    assert [str(frame) for frame in frames] == ["005#0A", "00000005#"]
