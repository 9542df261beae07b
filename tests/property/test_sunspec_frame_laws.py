"""Laws of frames: however a stream is cut, and whatever stands before an answer, the same comes out."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from der_client.sunspec.frames import Frame, MalformedFrameError, split_frames
from der_client.sunspec.requests import read_request
from der_client.sunspec.rtu import answer_in, checksum, is_sound, rtu_frame

octets = st.integers(0, 255)
frames = st.builds(Frame, st.integers(0, 0xFFFF), octets, st.binary(min_size=1, max_size=253))


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    """The stream cut at these places."""
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    return [stream[low:high] for low, high in pairwise(places)]


def joined(parts: list[bytes]) -> list[Frame]:
    """The frames of a stream that comes in parts."""
    found: list[Frame] = []
    buffer = b""
    for part in parts:
        buffer += part
        complete, used = split_frames(buffer)
        found += complete
        buffer = buffer[used:]
    return found


@given(st.lists(frames, max_size=6), st.lists(st.integers(0, 1600), max_size=12))
def test_frames_are_the_same_however_the_stream_is_cut(sent: list[Frame], cuts: list[int]) -> None:
    assert joined(pieces(b"".join(frame.encode() for frame in sent), cuts)) == sent


@given(st.binary(max_size=400))
def test_any_octets_are_frames_or_malformed(stream: bytes) -> None:
    try:
        found, used = split_frames(stream)
    except MalformedFrameError:
        return
    assert b"".join(frame.encode() for frame in found) == stream[:used]


@given(st.binary(min_size=1, max_size=250), st.integers(0, 8 * 250 - 1))
def test_checksum_finds_every_single_wrong_bit(pdu: bytes, at: int) -> None:
    frame = rtu_frame(1, pdu)
    number = at % (8 * len(frame))
    wrong = bytearray(frame)
    wrong[number // 8] ^= 1 << number % 8
    assert is_sound(frame)
    assert not is_sound(bytes(wrong))


@given(st.binary(max_size=300))
def test_checksum_behind_its_octets_leaves_nothing(stream: bytes) -> None:
    assert checksum(stream + checksum(stream)) == b"\x00\x00"


@given(
    st.integers(1, 247),
    st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=125),
    st.lists(st.tuples(st.integers(1, 247), st.integers(1, 11)), max_size=3),
    st.integers(0, 260),
)
def test_answer_on_a_serial_line_is_found_when_it_is_complete(
    unit: int, words: list[int], others: list[tuple[int, int]], cut: int
) -> None:
    request = read_request(0, len(words))
    pdu = bytes((3, 2 * len(words))) + b"".join(word.to_bytes(2, "big") for word in words)
    before = b"".join(rtu_frame(other, bytes((0x83, code))) for other, code in others if other != unit)
    stream = before + rtu_frame(unit, pdu)
    assert answer_in(stream, unit, request).pdu == pdu
    assert answer_in(stream[: min(cut, len(stream) - 1)], unit, request).pdu is None


@given(st.binary(max_size=300), st.integers(1, 247), st.integers(1, 125))
def test_any_octets_on_a_serial_line_are_an_answer_or_none(stream: bytes, unit: int, count: int) -> None:
    heard = answer_in(stream, unit, read_request(0, count))
    assert heard.pdu is None or len(heard.pdu) in {2, 2 + 2 * count}
