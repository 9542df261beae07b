"""What a cycle reads, and how answers enter the map."""

import pytest

from der_client.sunspec.model import DeviceMap, Model
from der_client.sunspec.polling import CONTROLS, TELEMETRY, poll_of, reads_of
from der_client.sunspec.scan import Read
from der_client.sunspec.simulator.image import build_bank
from der_client.sunspec.simulator.settings import InverterSettings


def battery() -> DeviceMap:
    settings = InverterSettings(charge_w=5_000, discharge_w=5_000, capacity_wh=10_000)
    return DeviceMap(base=40000, models=tuple(build_bank(settings).models.values()))


def address_of(model_id: int) -> int:
    """Where the simulated battery inverter has a model."""
    model = battery().first(model_id)
    assert model is not None
    return model.address


A713, A715 = address_of(713), address_of(715)


def test_telemetry_takes_two_requests() -> None:
    assert reads_of(battery(), TELEMETRY, 125) == (Read(40070, 113), Read(A713, 63))


def test_controls_side_by_side_share_a_request() -> None:
    assert reads_of(battery(), CONTROLS, 125) == (Read(40277, 86), Read(A715, 9))


def test_smaller_blocks_make_more_requests() -> None:
    assert reads_of(battery(), {701: "ThrotSrc"}, 60) == (Read(40070, 60), Read(40130, 53))


def test_model_that_the_device_lacks_is_not_read() -> None:
    assert reads_of(battery(), {101: None, 713: None}, 125) == (Read(A713, 9),)


def test_point_that_the_length_lacks_reads_the_whole_model() -> None:
    assert reads_of(battery(), {713: "Nothing"}, 125) == (Read(A713, 9),)


def test_model_without_layout_is_read_by_its_header() -> None:
    vendor = Model(model_id=64999, address=41000, length=10, words=[64999, 10])
    assert reads_of(DeviceMap(base=40000, models=(vendor,)), {64999: None}, 125) == (Read(41000, 2),)


def test_answer_goes_to_all_models_that_it_covers() -> None:
    known = battery()
    words = (713, 7, 100, 50, 400, 1000, 0, 0, 0xFFFF, 714, 43)
    assert poll_of(known, Read(A713, 11)).absorb(words) is None
    storage = known.first(713)
    assert storage is not None
    assert (storage.value("SoC"), storage.value("SoH")) == (40.0, 100.0)


@pytest.mark.parametrize("header", [(713, 8), (802, 7)])
def test_changed_header_is_reported_and_not_taken(header: tuple[int, int]) -> None:
    known = battery()
    change = poll_of(known, Read(A713, 3)).absorb((*header, 5))
    assert change == f"model 713 at {A713} is now {header[0]}, length {header[1]}"
    storage = known.first(713)
    assert storage is not None
    assert storage.words[2] == 10_000
