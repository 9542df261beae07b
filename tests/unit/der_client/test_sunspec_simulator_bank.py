"""Registers of the simulator: the chain of models, the rules for writing, the PDUs, captured images."""

from collections.abc import Sequence

import pytest

from der_client.sunspec.definitions import layout_of, length_of
from der_client.sunspec.simulator.bank import IllegalRequestError, RegisterBank, build_model, put
from der_client.sunspec.simulator.image import build_bank, scale_for
from der_client.sunspec.simulator.pdu import answer
from der_client.sunspec.simulator.replay import ReplayStore, parse_image
from der_client.sunspec.simulator.settings import InverterSettings

PV = InverterSettings()
BATTERY = InverterSettings(charge_w=5_000, discharge_w=5_000, capacity_wh=10_000)
A705 = 40363
A704 = 40296


def refusal(bank: RegisterBank, address: int, words: list[int]) -> int:
    """The exception code with which a write is refused; nothing of it may be taken."""
    before = [list(model.words) for model in bank.models.values()]
    with pytest.raises(IllegalRequestError) as refused:
        bank.write(address, words)
    assert [list(model.words) for model in bank.models.values()] == before
    return refused.value.code


def test_map_of_a_battery_inverter_has_the_full_chain() -> None:
    bank = build_bank(BATTERY)
    assert list(bank.models) == [1, *range(701, 716)]
    assert bank.read(40000, 4) == [0x5375, 0x6E53, 1, 66]
    assert bank.read(bank.models[715].end, 2) == [0xFFFF, 0]


def test_map_of_a_pv_inverter_has_no_storage_model() -> None:
    assert 713 not in build_bank(PV).models


@pytest.mark.parametrize("model_id", [1, *range(701, 716)])
def test_models_follow_each_other_and_fit_their_definitions(model_id: int) -> None:
    model = build_bank(BATTERY).models[model_id]
    counts = {
        name: value
        for name in ("NPt", "NCrv", "NCrvSet", "NCtl", "NPrt")
        if (value := model.integer(name)) is not None
    }
    assert model.length == length_of(model_id, counts)
    assert model.layout == layout_of(model_id, model.length, counts)
    assert len(model.words) == model.length + 2


@pytest.mark.parametrize("settings", [PV, InverterSettings(max_w=500_000, max_va=550_000, max_var=200_000)])
def test_ratings_of_any_size_fit_the_registers(settings: InverterSettings) -> None:
    capacity = build_bank(settings).models[702]
    assert capacity.value("WMaxRtg") == settings.max_w
    assert capacity.value("VAMaxRtg") == settings.max_va


@pytest.mark.parametrize(("largest", "scale"), [(10_000, 0), (26_213, 0), (26_215, 1), (5e6, 3)])
def test_scale_factor_leaves_headroom(largest: float, scale: int) -> None:
    assert scale_for(largest) == scale


def test_trip_frequencies_follow_the_nominal_frequency() -> None:
    trips = build_bank(InverterSettings(nominal_hz=50.0)).models[710]
    assert trips.value("Crv[0].MustTrip.Pt[0].Hz") == 52.0


@pytest.mark.parametrize(("address", "count"), [(39999, 1), (40000, 9000), (0, 2), (65535, 1)])
def test_reading_outside_the_map_is_refused(address: int, count: int) -> None:
    with pytest.raises(IllegalRequestError) as refused:
        build_bank(PV).read(address, count)
    assert refused.value.code == 2


def test_write_names_the_points_that_it_covered() -> None:
    bank = build_bank(PV)
    assert bank.write(A704 + 14, [1, 5000]) == ("704.WMaxLimPctEna", "704.WMaxLimPct")
    assert bank.read(A704 + 14, 2) == [1, 5000]


@pytest.mark.parametrize(
    ("address", "words", "code"),
    [
        (A704 + 20, [0, 1], 2),
        (A704 + 53, [0], 2),
        (A704 + 24, [0], 2),
        (A704 + 59, [950], 2),
        (A704 + 15, [10001], 3),
        (A704 + 15, [0xFFFF], 3),
        (A704 + 14, [2], 3),
        (A704 + 24, [0, 10001], 3),
        (A704 + 49, [0], 3),
        (A704 + 52, [0], 3),
        (A704 + 14, [1, 5000, 3000, 1, 0, 60, 0], 2),
        (A705 + 15, [1], 2),
        (40225 + 42, [0], 2),
        (40225 + 26, [20000], 3),
        (40070 + 10, [0], 2),
        (40001, [0], 2),
        (50000, [0], 2),
    ],
    ids=[
        "read-only timer",
        "scale factor",
        "half a point",
        "half a group",
        "above its range",
        "not-implemented code",
        "undefined enumeration",
        "above the rating",
        "below its range",
        "anti-islanding off",
        "into half of the next point",
        "active curve set",
        "not implemented",
        "setting above the rating",
        "measurement",
        "marker",
        "outside the map",
    ],
)
def test_forbidden_write_is_refused_whole(address: int, words: list[int], code: int) -> None:
    assert refusal(build_bank(PV), address, words) == code


@pytest.mark.parametrize(("model_id", "name"), [(64999, "ID"), (704, "Nothing")])
def test_unknown_model_or_point_cannot_be_built(model_id: int, name: str) -> None:
    with pytest.raises(KeyError):
        build_model(model_id, 40002, {}, {name: 1})


def test_unknown_point_cannot_be_put() -> None:
    with pytest.raises(KeyError, match="Nothing"):
        put(build_bank(PV).models[704], "Nothing", 1)


def test_float_model_is_built_with_its_values() -> None:
    model = build_model(111, 40002, {}, {"W": 1234.5, "St": 4})
    assert (model.value("W"), model.value("St"), model.value("A")) == (1234.5, 4, None)


class Store:
    """Two registers at address 10."""

    def __init__(self) -> None:
        self.words = [1, 2]

    def read(self, address: int, count: int) -> list[int]:
        if address + count > 12:
            raise IllegalRequestError(2, "outside")
        return self.words[address - 10 :][:count]

    def write(self, address: int, words: Sequence[int]) -> None:
        self.words[address - 10 : address - 10 + len(words)] = words


@pytest.mark.parametrize(
    ("request_hex", "answer_hex", "held"),
    [
        ("03000a0002", "030400010002", [1, 2]),
        ("06000a0007", "06000a0007", [7, 2]),
        ("10000a00020400050006", "10000a0002", [5, 6]),
        ("03000b0002", "8302", [1, 2]),
        ("04000a0001", "8401", [1, 2]),
        ("03000a0000", "8303", [1, 2]),
        ("03000a007e", "8303", [1, 2]),
        ("03000a000100", "8303", [1, 2]),
        ("03000a", "8303", [1, 2]),
        ("10000a0000", "9003", [1, 2]),
        ("10000a00020400050", "9003", [1, 2]),
        ("10000a0002020005", "9003", [1, 2]),
        ("10000a00020300050006", "9003", [1, 2]),
    ],
)
def test_request_is_answered_as_modbus_says(request_hex: str, answer_hex: str, held: list[int]) -> None:
    store = Store()
    request = bytes.fromhex(request_hex if len(request_hex) % 2 == 0 else request_hex[:-1])
    assert answer(store, request).hex() == answer_hex
    assert store.words == held


IMAGE = """# a comment
40000: 5375 6E53 0001 ----
40006: FFFF 0000   # the end
"""


def test_captured_image_is_read_by_address() -> None:
    assert parse_image(IMAGE) == {40000: 0x5375, 40001: 0x6E53, 40002: 1, 40006: 0xFFFF, 40007: 0}


def test_gaps_of_an_image_can_be_filled() -> None:
    assert [parse_image(IMAGE, 9)[address] for address in range(40002, 40008)] == [1, 9, 9, 9, 0xFFFF, 0]
    assert parse_image("", 9) == {}


def test_image_refuses_registers_that_were_not_captured() -> None:
    with pytest.raises(IllegalRequestError, match="register 40003 was not captured"):
        ReplayStore(parse_image(IMAGE)).read(40002, 2)


def test_image_cannot_be_written() -> None:
    store = ReplayStore(parse_image(IMAGE))
    with pytest.raises(IllegalRequestError, match="read-only"):
        store.write(40002, (1,))
    assert store.read(40000, 3) == [0x5375, 0x6E53, 1]
