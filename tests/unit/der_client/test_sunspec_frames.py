"""Modbus TCP frames in a stream of octets."""

import pytest

from der_client.sunspec.frames import Frame, MalformedFrameError, split_frames

READ_ANSWER = Frame(7, 1, bytes((3, 4, 0, 1, 0, 2)))
WRITE_ANSWER = Frame(8, 1, bytes((16, 0x9C, 0x40, 0, 2)))


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
