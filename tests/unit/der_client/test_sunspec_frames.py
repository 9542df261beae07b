"""Modbus TCP frames in a stream of octets."""

import pytest

from der_client.sunspec.frames import Frame, MalformedFrameError, fault_in_answer, split_frames

READ_ANSWER = Frame(7, 1, bytes((3, 4, 0, 1, 0, 2)))
WRITE_ANSWER = Frame(8, 1, bytes((16, 0x9C, 0x40, 0, 2)))
REFUSAL = Frame(9, 1, bytes((0x90, 2)))


def test_frame_is_encoded_with_its_length() -> None:
    assert READ_ANSWER.encode().hex() == "00070000000701030400010002"


def test_several_frames_in_one_segment_are_split() -> None:
    data = READ_ANSWER.encode() + WRITE_ANSWER.encode()
    assert split_frames(data) == ([READ_ANSWER, WRITE_ANSWER], len(data))


@pytest.mark.parametrize("cut", [0, 3, 7, 12])
def test_unfinished_frame_waits_for_the_rest(cut: int) -> None:
    data = READ_ANSWER.encode()
    assert split_frames(data + data[:cut]) == ([READ_ANSWER], len(data))


@pytest.mark.parametrize("header", ["00010001000601", "00010000000101", "000100000100ff"])
def test_wrong_protocol_identifier_or_length_is_malformed(header: str) -> None:
    with pytest.raises(MalformedFrameError, match="protocol identifier"):
        split_frames(bytes.fromhex(header))


@pytest.mark.parametrize("frame", [READ_ANSWER, WRITE_ANSWER, REFUSAL])
def test_answers_to_our_function_codes_are_no_fault(frame: Frame) -> None:
    assert fault_in_answer(frame.encode()) is None


@pytest.mark.parametrize(
    ("pdu", "fault"),
    [
        ((3,), "answer to function code 3 has 1 octets"),
        ((3, 4, 0, 1), "answer to function code 3 has 4 octets"),
        ((3, 1, 0), "answer to function code 3 has 3 octets"),
        ((16, 0, 1, 0), "answer to function code 16 has 4 octets"),
        ((0x83,), "answer to function code 131 has 1 octets"),
        ((4, 2, 0, 1), "function code 4"),
        ((6, 0, 1), "answer to function code 6 has 3 octets"),
    ],
)
def test_answer_of_another_form_is_a_fault(pdu: tuple[int, ...], fault: str) -> None:
    assert fault_in_answer(Frame(1, 1, bytes(pdu)).encode()) == fault


def test_octets_that_are_no_modbus_are_a_fault() -> None:
    assert fault_in_answer(b"HTTP/1.1 200 OK") == "protocol identifier 21584, length 12081"
