"""The text protocol of the hub, server side, and what an observer makes of a frame."""

from dataclasses import replace
from pathlib import Path

import pytest
from cantools.database.can import Database

from der_client.can import CanFrame, load_profile
from der_client.can.socketcand import Entered, Reply, SocketcandSession, Stage, format_frame, parse_send
from der_client.can.watch import WatchedFrame, describe

RAW = b"< open can0 >< rawmode >"


def raw_session() -> SocketcandSession:
    session = SocketcandSession("can0")
    session.receive(RAW)
    return session


def test_open_and_rawmode_are_answered_with_ok() -> None:
    session = SocketcandSession("can0")
    assert session.receive(RAW) == [Reply("< ok >"), Entered("< ok >")]
    assert session.stage is Stage.RAW


def test_another_bus_is_refused() -> None:
    session = SocketcandSession("can0")
    assert session.receive(b"< open can1 >< rawmode >") == [Reply("< error could not open bus >")]
    assert (session.stage, session.ignored) == (Stage.REFUSED, 1)


def test_echo_is_answered_at_any_time() -> None:
    assert SocketcandSession("can0").receive(b"< echo >") == [Reply("< echo >")]


def test_sent_frames_come_out_whole_however_the_bytes_arrive() -> None:
    session = raw_session()
    stream = b"< send 351 8 14 2 74 e 74 e cc 1 >< send 00004210 0  >"
    events = [event for octet in stream for event in session.receive(bytes([octet]))]
    assert events == [
        CanFrame(arbitration_id=0x351, data=bytes.fromhex("1402740E740ECC01")),
        CanFrame(arbitration_id=0x4210, is_extended=True, data=b""),
    ]


@pytest.mark.parametrize(
    "garbage",
    [
        b">", b"< >", b"<<<>", b"\xff\x00>", b"< send 351 9 1 2 3 4 5 6 7 8 9 >", b"< send 351 2 1 >",
        b"< send xyz 0 >",
        b"< send 800 0 >", b"< send 20000000 0 >", b"< send 351 1 100 >", b"< send 351 1 -1 >",
        b"< fdsend 351 0 >",
        b"< rawmode >", b"< open can0 >", b"< send >", b"x" * 5000,
    ],
)  # fmt: skip
def test_garbage_is_counted_and_does_no_harm(garbage: bytes) -> None:
    session = raw_session()
    assert (session.receive(garbage), session.ignored) == ([], 1)
    assert session.receive(b"< send 001 1 7 >") == [CanFrame(arbitration_id=1, data=b"\x07")]


def test_nothing_is_sent_before_raw_mode() -> None:
    session = SocketcandSession("can0")
    assert session.receive(b"< send 001 1 7 >< rawmode >") == []
    assert session.ignored == 2


def test_number_of_digits_tells_the_kind_of_identifier() -> None:
    standard, extended = parse_send("007", "0", []), parse_send("00000007", "0", [])
    assert [frame is not None and frame.is_extended for frame in (standard, extended)] == [False, True]


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (CanFrame(arbitration_id=0x7, data=b"\x01\xab"), "< frame 007 12.500000 01AB >"),
        (CanFrame(arbitration_id=0x7, is_extended=True, data=b""), "< frame 00000007 12.500000  >"),
    ],
)
def test_frame_is_written_as_clients_read_it(frame: CanFrame, text: str) -> None:
    assert format_frame(frame, 12.5) == text


@pytest.mark.parametrize(
    ("frame", "message", "signals"),
    [
        (
            CanFrame(arbitration_id=0x351, data=bytes.fromhex("1402740E740E"), received_s=4.0),
            "Limits",
            {"ChargeVoltageLimit": 53.2, "ChargeCurrentLimit": 370.0, "DischargeCurrentLimit": 370.0},
        ),
        (CanFrame(arbitration_id=0x123, data=b"\x01", received_s=4.0), "", {}),
    ],
)
def test_observer_gives_name_and_signals_that_the_bytes_hold(
    frame: CanFrame, message: str, signals: dict[str, float]
) -> None:
    assert describe(frame, load_profile("pylontech_lv")) == WatchedFrame(
        time_s=4.0, arbitration_id=frame.arbitration_id, data=frame.data, message=message, signals=signals
    )


def test_observer_names_the_codes_of_two_bit_alarms() -> None:
    frame = CanFrame(arbitration_id=0x35A, data=bytes.fromhex("0600000000000000"))
    signals = describe(frame, load_profile("sma_35x")).signals
    assert (signals["AlarmGeneral"], signals["AlarmHighVoltage"], signals["WarnGeneral"]) == (
        "left", "arrived", "unsupported",
    )  # fmt: skip


def test_observer_reads_a_swapped_bus_and_survives_an_unknown_multiplexer(vectors: Path) -> None:
    profile = replace(load_profile("sma_35x"), is_swapped=True)
    swapped = describe(CanFrame(arbitration_id=0x351, data=bytes.fromhex("02140E740E74")), profile)
    assert swapped.signals["ChargeVoltageLimit"] == 53.2
    database = Database()
    database.add_dbc_file(str(vectors / "devices" / "dbc" / "foxbms2.dbc"))
    strange = CanFrame(arbitration_id=0x243, data=bytes.fromhex("E0C7C80000000000"))
    assert describe(strange, replace(profile, database=database, is_swapped=False)).signals == {}
