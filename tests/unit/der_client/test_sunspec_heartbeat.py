"""Heartbeats of a device and of its controller. SunSpec models 715 and 802."""

import pytest

from der_client.sunspec.heartbeat import (
    ControllerHeartbeat,
    DeviceHeartbeats,
    HeartbeatWatch,
    next_beat,
)
from der_client.sunspec.model import DeviceMap
from der_client.sunspec.simulator.bank import build_model, put


def device(*, control: int | None = 7, battery: int | None = None) -> DeviceMap:
    """A device with our counters where these are given."""
    models = []
    if control is not None:
        models.append(build_model(715, 41000, {}, {"DERHb": 1, "ControllerHb": control}))
    if battery is not None:
        models.append(build_model(802, 42000, {}, {"Hb": 1, "CtrlHb": battery}))
    return DeviceMap(base=40000, models=tuple(models))


def written(
    beats: ControllerHeartbeat, device_map: DeviceMap, now_s: float
) -> list[tuple[str, int, tuple[int, ...]]]:
    return [(beat.point, beat.address, beat.words) for beat in beats.due(device_map, now_s)]


def test_heartbeat_that_moves_is_alive() -> None:
    watch = HeartbeatWatch(10.0)
    assert [watch.is_stale(value, now) for value, now in ((1, 0.0), (2, 20.0), (2, 30.0), (2, 30.1))] == [
        False,
        False,
        False,
        True,
    ]


def test_device_without_heartbeat_is_never_stale() -> None:
    watches = DeviceHeartbeats.of(10.0)
    assert [watches.silent(device(control=None), now) for now in (0.0, 100.0)] == [None, None]


def test_heartbeat_of_the_battery_may_stand_still_for_half_the_time() -> None:
    watches, still = DeviceHeartbeats.of(10.0), device(battery=1)
    seen = [watches.silent(still, now) for now in (0.0, 5.0, 5.1)]
    assert [watch and (watch.point, watch.limit_s) for watch in seen] == [None, None, ("802.Hb", 5.0)]
    put(still.models[1], "Hb", 2)
    assert [watches.silent(still, now) is None for now in (9.0, 10.0)] == [True, True]
    late = watches.silent(still, 10.1)
    assert late is not None
    assert late.point == "715.DERHb"


@pytest.mark.parametrize(
    ("value", "size", "after"),
    [(0, 2, 1), (0xFFFFFFFD, 2, 0xFFFFFFFE), (0xFFFFFFFE, 2, 0), (0xFFFD, 1, 0xFFFE), (0xFFFE, 1, 0)],
)
def test_heartbeat_wraps_before_the_not_implemented_code(value: int, size: int, after: int) -> None:
    assert next_beat(value, size) == after


def test_both_counters_go_one_up() -> None:
    beats = written(ControllerHeartbeat(), device(control=0x1FFFF, battery=9), 0.0)
    assert beats == [("715.ControllerHb", 41005, (2, 0)), ("802.CtrlHb", 42019, (10,))]


def test_counter_goes_one_up_each_second_though_the_registers_were_not_read_again() -> None:
    beats, known = ControllerHeartbeat(), device()
    counts = [
        [words[1] for _, _, words in written(beats, known, now)] for now in (10.0, 10.5, 11.0, 11.99, 13.0)
    ]
    assert counts == [[8], [], [9], [10], [11]]


def test_counter_goes_on_over_its_wrap_though_the_registers_were_not_read_again() -> None:
    beats, known = ControllerHeartbeat(), device(battery=0xFFFD)
    seconds = [written(beats, known, float(now)) for now in range(4)]
    counts = [words[0] for beat in seconds for point, _, words in beat if point == "802.CtrlHb"]
    assert counts == [0xFFFE, 0, 1, 2]


def test_counter_that_the_device_set_higher_is_counted_on_from_there() -> None:
    beats = ControllerHeartbeat()
    written(beats, device(control=7), 0.0)
    assert written(beats, device(control=50), 1.0)[0][2] == (0, 51)


def test_beats_a_little_early_do_not_drift() -> None:
    beats, known = ControllerHeartbeat(), device()
    assert [len(beats.due(known, now)) for now in (5.0, 5.9, 6.8, 7.7, 8.6)] == [1, 1, 1, 0, 1]


def test_refused_counter_is_left_alone_and_the_other_goes_on() -> None:
    beats, known = ControllerHeartbeat(), device(battery=9)
    beats.refused(beats.due(known, 0.0)[0])
    assert [point for point, _, _ in written(beats, known, 1.0)] == ["802.CtrlHb"]


def test_device_without_counters_gets_none() -> None:
    assert ControllerHeartbeat().due(device(control=None), 0.0) == ()
