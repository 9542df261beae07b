"""Modbus RTU frames. MODBUS over Serial Line Specification and Implementation Guide V1.02."""

import pytest

from der_client.sunspec.requests import read_request, write_request
from der_client.sunspec.rtu import (
    Heard,
    Timing,
    answer_in,
    checksum,
    is_sound,
    request_size,
    rtu_frame,
)
from der_client.sunspec.serial_port import Parity, SerialSettings

READ = read_request(40000, 2)
WRITE = write_request(40310, (1, 50))
ANSWER = bytes.fromhex("03 04 5375 6e53")
FRAME = rtu_frame(7, ANSWER)
REFUSAL = bytes.fromhex("83 02")


@pytest.mark.parametrize(
    ("octets", "crc"), [(b"123456789", "374b"), (bytes.fromhex("01 03 0000 000a"), "c5cd"), (b"", "ffff")]
)
def test_checksum_is_crc_16_with_the_low_octet_first(octets: bytes, crc: str) -> None:
    assert checksum(octets).hex() == crc


def test_frame_has_unit_pdu_and_checksum() -> None:
    assert rtu_frame(1, bytes.fromhex("03 0000 000a")).hex() == "01030000000ac5cd"
    assert is_sound(bytes.fromhex("01030000000ac5cd"))
    assert not is_sound(bytes.fromhex("01030000000ac5cc"))
    assert not is_sound(b"\xff\xff")


@pytest.mark.parametrize(
    "before",
    [b"", b"\x00", b"\xff\xfe", rtu_frame(9, ANSWER), rtu_frame(9, REFUSAL), rtu_frame(9, WRITE[:5])],
    ids=["nothing", "noise", "more noise", "another unit", "another refusal", "another acknowledgement"],
)
@pytest.mark.parametrize("pdu", [ANSWER, REFUSAL], ids=["answer", "refusal"])
def test_answer_is_found_behind_what_is_not_for_us(before: bytes, pdu: bytes) -> None:
    assert answer_in(before + rtu_frame(7, pdu), 7, READ) == Heard(pdu)


def test_acknowledgement_is_found() -> None:
    assert answer_in(rtu_frame(7, WRITE[:5]), 7, WRITE) == Heard(WRITE[:5])


@pytest.mark.parametrize("cut", range(len(FRAME)))
def test_unfinished_answer_may_still_come(cut: int) -> None:
    assert answer_in(FRAME[:cut], 7, READ) == Heard()
    assert answer_in(b"\xff" + FRAME[:cut], 7, READ) == Heard()


@pytest.mark.parametrize(
    "octets",
    [
        FRAME[:-1] + bytes((FRAME[-1] ^ 1,)),
        bytes(len(FRAME)),
        b"\x09\x63" + bytes(8),
        rtu_frame(8, ANSWER)[:-1] + b"\x00",
    ],
    ids=["wrong checksum", "zeros", "unknown function of another", "broken frame of another"],
)
def test_as_many_octets_as_the_answer_without_a_sound_frame_are_hopeless(octets: bytes) -> None:
    assert answer_in(octets, 7, READ) == Heard(is_hopeless=True)


def test_sound_frame_of_another_unit_leaves_hope() -> None:
    assert answer_in(rtu_frame(9, ANSWER), 7, READ) == Heard()


@pytest.mark.parametrize(
    ("octets", "size"),
    [
        ("01", None),
        ("01 03", 8),
        ("01 06 0000 0001", 8),
        ("01 10 0000 0002", None),
        ("01 10 0000 0002 04", 13),
    ],
)
def test_size_of_a_request_is_known_from_its_head(octets: str, size: int | None) -> None:
    assert request_size(bytes.fromhex(octets)) == size


@pytest.mark.parametrize(
    ("settings", "bits", "silence_s", "hundred_s"),
    [
        (SerialSettings(port="x"), 10, 35 / 9600, 1000 / 9600),
        (SerialSettings(port="x", parity=Parity.EVEN), 11, 38.5 / 9600, 1100 / 9600),
        (SerialSettings(port="x", stop_bits=2, baud=19200), 11, 38.5 / 19200, 1100 / 19200),
        (SerialSettings(port="x", baud=115200), 10, 0.00175, 1000 / 115200),
    ],
)
def test_speed_and_form_of_characters_give_the_times(
    settings: SerialSettings, bits: int, silence_s: float, hundred_s: float
) -> None:
    assert settings.timing == Timing(baud=settings.baud, character_bits=bits)
    assert settings.timing.silence_s == pytest.approx(silence_s)
    assert settings.timing.span_s(100) == pytest.approx(hundred_s)


@pytest.mark.parametrize(
    ("values", "text"), [({"baud": 12345}, "baud: 12345 is none of"), ({"stop_bits": 3}, "stop_bits: 3 is")]
)
def test_line_that_cannot_be_is_refused(values: dict[str, int], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        SerialSettings(port="x", **values)  # type: ignore[arg-type]
