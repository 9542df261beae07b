"""Laws of the codec and of the state machine: what is written is read back, and no frame ever raises."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der_client.can import BatteryLimits, BmsState, CanFrame, load_profile
from der_client.can.decode import BmsDecoder
from der_client.can.encode import encode_message
from der_client.can.socketcand import SocketcandSession, format_frame
from der_client.can.wire import swap_bytes, swap_order
from der_client.device import BatteryState
from tests.inputs import inputs

PROFILES = {name: load_profile(name) for name in ("pylontech_lv", "sma_35x")}
RESOLUTION = {
    "voltage": (0.01, 1.0, 327.0), "current": (0.1, -3276.0, 3276.0), "temp": (0.1, -60.0, 150.0),
    "soc": (1.0, 0.0, 100.0), "soh": (1.0, 1.0, 100.0), "ccl": (0.1, 0.0, 3276.0), "dcl": (0.1, 0.0, 3276.0),
    "cvl": (0.1, 1.0, 1999.0), "dvl": (0.1, 0.1, 1999.0), "cell_v_min": (0.001, 0.001, 9.9),
    "cell_v_max": (0.001, 0.001, 9.9), "cell_t_min": (1.0, -59.0, 149.0), "cell_t_max": (1.0, -59.0, 149.0),
    "capacity": (1.0, 1.0, 64000.0), "modules": (1.0, 1.0, 255.0), "available_capacity": (1.0, 1.0, 64000.0),
    "modules_blocking_charge": (1.0, 0.0, 255.0), "modules_blocking_discharge": (1.0, 0.0, 255.0),
    "modules_offline": (1.0, 0.0, 255.0), "chemistry": (1.0, 0.0, 65000.0), "firmware": (1.0, 0.0, 65000.0),
    "hardware_major": (1.0, 0.0, 255.0), "hardware_minor": (1.0, 0.0, 255.0),
}  # fmt: skip
VALUES = st.fixed_dictionaries({name: st.floats(low, high) for name, (_, low, high) in RESOLUTION.items()})
IDENTIFIERS = st.sampled_from([0x305, 0x351, 0x355, 0x356, 0x359, 0x35A, 0x35C, 0x35E, 0x373, 0x379, 0x123])
FRAMES = st.builds(CanFrame, arbitration_id=IDENTIFIERS, data=st.binary(max_size=8))


@pytest.mark.parametrize("name", sorted(PROFILES))
@given(values=VALUES, data=st.data())
def test_what_is_encoded_is_decoded_within_the_resolution(
    name: str, values: dict[str, float], data: st.DataObject
) -> None:
    profile = PROFILES[name]
    names = sorted({alarm.name for alarm in profile.alarms})
    alarms = frozenset(data.draw(st.sets(st.sampled_from(names))))
    decoder = BmsDecoder(profile)
    for message in profile.incoming:
        frame = encode_message(profile, message, values=values, alarms=alarms)
        assert decoder.feed(frame, 1.0) == ()
    wrong = {
        name: (values[name], decoder.value(name))
        for name, (step, _, _) in RESOLUTION.items()
        if name in profile.values and abs((decoder.value(name) or 0.0) - values[name]) > step / 2 + 1e-6
    }
    assert wrong == {}
    assert decoder.alarms == alarms & {alarm.name for alarm in profile.alarms if not alarm.is_warning}


@pytest.mark.parametrize("name", sorted(PROFILES))
@settings(max_examples=inputs(200))
@given(frames=st.lists(st.tuples(FRAMES, st.floats(0.0, 5.0)), max_size=30))
def test_no_frame_raises_and_no_limit_is_ever_above_nameplate(
    name: str, frames: list[tuple[CanFrame, float]]
) -> None:
    state = BmsState(PROFILES[name], BatteryLimits(max_charge_a=100.0, max_discharge_a=80.0))
    now = 0.0
    for frame, pause_s in frames:
        now += pause_s
        state.feed(frame, now)
        answer = state.assess(now)
        if isinstance(answer, BatteryState):
            assert 0.0 <= answer.charge_limit_a <= 100.0
            assert 0.0 <= answer.discharge_limit_a <= 80.0


@given(data=st.binary(max_size=8))
def test_swapping_bytes_twice_gives_the_same_frame(data: bytes) -> None:
    message = PROFILES["sma_35x"].database.get_message_by_name("Limits")
    whole = data[: len(data) // 2 * 2]
    order = swap_order(message)
    assert swap_bytes(swap_bytes(whole, order), order) == whole


@given(chunks=st.lists(st.binary(max_size=40)))
def test_no_bytes_raise_in_the_hub(chunks: list[bytes]) -> None:
    session = SocketcandSession("can0")
    session.receive(b"< open can0 >< rawmode >")
    for chunk in chunks:
        session.receive(chunk)
    assert CanFrame(arbitration_id=1, data=b"\x07") in session.receive(b">< send 001 1 7 >")


@given(frame=FRAMES)
def test_frame_line_holds_identifier_and_data(frame: CanFrame) -> None:
    words = format_frame(frame, 0.0).split(" ")
    assert (int(words[2], 16), bytes.fromhex(words[4])) == (frame.arbitration_id, frame.data)
