"""Real register images, served over Modbus TCP, scanned by the driver, against an independent reader."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from der_client.device import Fault, FaultKind, Nameplate, Reversion, Setpoint, SiteReading, Telemetry
from der_client.sunspec import (
    DeviceMap,
    MeterSettings,
    Model,
    ScanSettings,
    SunSpecDevice,
    SunSpecMeter,
    SunSpecSettings,
)
from der_client.sunspec.mapping import plan
from der_client.sunspec.meter import site_reading_of
from der_client.sunspec.nameplate import nameplate_of
from der_client.sunspec.readings import telemetry_of
from der_client.sunspec.simulator import ModbusServer, ReplayStore, parse_image

DECODED = [
    "acurev1312_203_base4096",
    "acuvim2_204_base50000",
    "elkor_w2m1_203",
    "fimer_abb_330kw_103_legacy",
    "fronius_igplus_101_a",
    "fronius_igplus_101_b",
    "fronius_symo30_113",
    "outback_ogh8048a_der700",
    "sma_9338_103_a",
    "sma_9338_103_partial",
    "sma_sb36_101_legacy",
    "sma_sb36_101_legacy_2023",
    "solaredge_se33k_103_a",
    "solaredge_se33k_103_b",
    "solaredge_se33k_103_c",
    "solaredge_se33k_103_d",
    "veris_e51c2_203",
]


NOT_CAPTURED = 0


class Images:
    """Serves images by name and scans them with the driver."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index: dict[str, Any] = json.loads((folder / "INDEX.json").read_text())

    async def scan(
        self, name: str, *, max_block: int = 125, base: int | None = None, fill: int | None = NOT_CAPTURED
    ) -> DeviceMap | Fault:
        """The map that the driver finds; registers that were not captured read as the oracle saw them."""
        store = ReplayStore(parse_image((self.folder / f"{name}.regs").read_text(), fill))
        server = await ModbusServer({1: store}).start()
        bases = (40000, 0, 50000) if base is None else (base,)
        settings = SunSpecSettings(scan=ScanSettings(bases=bases, max_block=max_block))
        device = SunSpecDevice(name, "127.0.0.1", server.port, settings=settings)
        found = await device.scan()
        await device.close()
        await server.close()
        return found

    async def map_of(self, name: str, *, max_block: int = 125, fill: int | None = NOT_CAPTURED) -> DeviceMap:
        """The map of an image, scanned from its own base."""
        found = await self.scan(name, max_block=max_block, base=self.base_of(name), fill=fill)
        assert isinstance(found, DeviceMap), found
        return found

    def base_of(self, name: str) -> int:
        """Where the map of an image begins; the index leaves out the one that the oracle cannot read."""
        base: int = self.index[name]["base"] if name in self.index else 40000
        return base

    def decoded(self, name: str) -> dict[str, Any]:
        """What the oracle read."""
        text = (self.folder / "decoded" / f"{name}.json").read_text()
        values: dict[str, Any] = json.loads(text)
        return values


@pytest.fixture
def images(vectors: Path) -> Images:
    return Images(vectors / "devices" / "registers")


def flattened(points: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """The nested values of the oracle with the driver's point paths; texts end at their first NUL."""
    for name, value in points.items():
        if isinstance(value, dict):
            yield from flattened(value, f"{path}{name}.")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from flattened(item, f"{path}{name}[{index}].")
        else:
            yield path + name, value.split("\0")[0] if isinstance(value, str) else value


def ours(model: Model) -> dict[str, Any]:
    """All implemented points of a model."""
    return {point.name: value for point, value in model.values()}


def model_of(found: DeviceMap, model_id: int) -> Model:
    """The first model of that number."""
    model = found.first(model_id)
    assert model is not None
    return model


@pytest.mark.parametrize("max_block", [125, 50])
@pytest.mark.parametrize("name", DECODED)
async def test_every_image_is_decoded_as_the_oracle_decodes_it(
    images: Images, name: str, max_block: int
) -> None:
    found, oracle = await images.map_of(name, max_block=max_block), images.decoded(name)
    by_address = {model.address: model for model in found.models}
    unreadable = {model_id for model_id, _ in oracle["oracle_errors"]}
    expected = {
        (model["addr"], path): value
        for model in oracle["models"]
        for path, value in flattened(model["points"])
    }
    seen = {
        (model["addr"], path): value
        for model in oracle["models"]
        for path, value in ours(by_address[model["addr"]]).items()
        if model["id"] not in unreadable or (model["addr"], path) in expected
    }
    assert seen == expected


@pytest.mark.parametrize("name", DECODED)
async def test_every_image_shows_its_whole_chain_of_models(images: Images, name: str) -> None:
    found = await images.map_of(name)
    defined = [[model.model_id, model.length] for model in found.models if model.layout]
    assert defined == images.index[name]["models"]
    assert found.base == images.index[name]["base"]
    assert found.is_complete


async def test_map_behind_a_gateway_is_found_at_a_configured_base(images: Images) -> None:
    assert isinstance(await images.scan("acurev1312_203_base4096", base=4096), DeviceMap)


async def test_map_at_an_unusual_base_is_not_found_without_configuration(images: Images) -> None:
    found = await images.scan("acurev1312_203_base4096")
    assert isinstance(found, Fault)
    assert found.kind is FaultKind.REFUSED
    assert found.detail.startswith("no SunSpec map at 40000: read 40000+2: exception 2")


@pytest.mark.parametrize(("name", "base"), [("solaredge_se33k_103_a", 0), ("acuvim2_204_base50000", 50000)])
async def test_other_standard_bases_are_tried_after_40000(images: Images, name: str, base: int) -> None:
    found = await images.scan(name)
    assert isinstance(found, DeviceMap)
    assert found.base == base


@pytest.mark.parametrize(
    ("name", "length", "address"), [("elkor_w2m1_203", 65, 9), ("sma_sb36_101_legacy_2023", 66, None)]
)
async def test_common_model_may_have_65_or_66_registers(
    images: Images, name: str, length: int, address: int | None
) -> None:
    common = model_of(await images.map_of(name), 1)
    assert (common.length, common.value("DA")) == (length, address)


async def test_shorter_meter_model_keeps_the_points_that_fit(images: Images) -> None:
    found = await images.map_of("acuvim2_204_base50000")
    meter = model_of(found, 204)
    assert (meter.length, meter.value("PF"), meter.value("TotWh_SF")) == (81, 1.0, 3)
    assert meter.point("Evt") is None
    assert "model 204: length 81 is shorter than the definition (105)" in found.warnings


@pytest.mark.parametrize(
    ("name", "curves"),
    [("sma_9338_103_a", 1), ("fimer_abb_330kw_103_legacy", 4), ("fronius_igplus_101_a", 4)],
)
async def test_number_of_curves_comes_from_the_length(images: Images, name: str, curves: int) -> None:
    volt_var = model_of(await images.map_of(name), 126)
    assert volt_var.point(f"curve[{curves - 1}].ReadOnly") is not None
    assert volt_var.point(f"curve[{curves}].ReadOnly") is None


async def test_standard_models_may_come_in_any_order(images: Images) -> None:
    found = await images.map_of("sma_9338_103_a")
    ids = [model.model_id for model in found.models]
    assert ids.index(160) < ids.index(129) < ids.index(130)


@pytest.mark.parametrize(
    ("name", "undefined"),
    [("outback_ogh8048a_der700", [64122]), ("fimer_abb_330kw_103_legacy", [65230, 65232])],
)
async def test_undefined_models_are_stepped_over_by_their_length(
    images: Images, name: str, undefined: list[int]
) -> None:
    found = await images.map_of(name)
    assert [model.model_id for model in found.models if not model.words] == undefined


async def test_night_values_are_not_implemented_while_scale_factors_stay(images: Images) -> None:
    found = await images.map_of("sma_sb36_101_legacy")
    inverter = model_of(found, 101)
    assert (inverter.value("A"), inverter.value("A_SF")) == (None, -1)
    assert (inverter.value("W"), inverter.value("W_SF")) == (None, 1)


async def test_missing_scale_factor_counts_as_0_with_one_warning(images: Images) -> None:
    found = await images.map_of("solren_pvi85_103_402")
    assert model_of(found, 402).value("DCWh_SF") is None
    assert found.warnings.count("model 402: DCWh_SF is not implemented, 0 is used") == 1


async def test_trailing_blanks_of_a_manufacturer_are_dropped_in_its_identity(images: Images) -> None:
    found = await images.map_of("solaredge_se33k_103_a")
    assert model_of(found, 1).value("Mn") == "SolarEdge "
    assert found.identity()[0] == "SolarEdge"


async def test_text_that_is_not_utf8_is_decoded_all_the_same(images: Images) -> None:
    curve = model_of(await images.map_of("sma_sb36_101_legacy"), 126)
    assert isinstance(curve.value("curve[0].CrvNam"), str)


async def test_garbage_energies_are_passed_on_as_they_are(images: Images) -> None:
    ports = model_of(await images.map_of("outback_ogh8048a_der700"), 714)
    assert ports.value("DCWhAbs") == 18393545303111237631


async def test_setpoints_count_as_implemented_without_their_reversion_points(images: Images) -> None:
    controls = model_of(await images.map_of("outback_ogh8048a_der700"), 704)
    assert controls.is_implemented("WMaxLimPct")
    assert not controls.is_implemented("WMaxLimPctRvrtTms")
    assert controls.value("WRmp") == 1000


async def test_combiner_of_odd_length_does_not_cost_the_other_models(images: Images) -> None:
    found = await images.map_of("solren_pvi85_103_402")
    assert "model 402: 6 registers left over after 7 x string" in found.warnings
    assert (model_of(found, 103).value("W"), model_of(found, 103).value("Hz")) == (36500, 59.96)
    assert model_of(found, 402).length == 124


async def test_models_that_a_device_refuses_to_show_are_kept_without_registers(images: Images) -> None:
    found = await images.map_of("sma_9338_103_partial", fill=None)
    assert [(model.model_id, model.words) for model in found.models[-2:]] == [(129, []), (130, [])]
    assert found.first(129) is None
    assert any(
        warning.startswith("model 129 at 40751: read 40751+62: exception 2") for warning in found.warnings
    )


@pytest.mark.parametrize(
    ("name", "power_w", "phase_v", "exported_wh", "imported_wh"),
    [
        ("acurev1312_203_base4096", -132, (123.2, 123.9, 124.2), None, 0.6),
        ("elkor_w2m1_203", -976.8, (123.9, 125.32), 22_100, 300),
        ("veris_e51c2_203", -6_540, (123.0, 122.9), None, 906_630),
    ],
)
async def test_real_meter_gives_a_reading_of_the_site(
    images: Images,
    name: str,
    power_w: float,
    phase_v: tuple[float, ...],
    exported_wh: float | None,
    imported_wh: float,
) -> None:
    reading = site_reading_of(await images.map_of(name))
    assert isinstance(reading, SiteReading)
    assert (reading.power_w, reading.phase_v) == (power_w, phase_v)
    assert (reading.exported_wh, reading.imported_wh) == (exported_wh, imported_wh)


async def test_meter_is_read_over_its_own_connection(images: Images) -> None:
    store = ReplayStore(parse_image((images.folder / "elkor_w2m1_203.regs").read_text(), NOT_CAPTURED))
    server = await ModbusServer({1: store}).start()
    meter = SunSpecMeter("site", "127.0.0.1", server.port, settings=MeterSettings(meter_positive="export"))
    reading = await meter.read()
    await meter.close()
    await server.close()
    assert isinstance(reading, SiteReading)
    assert (reading.power_w, reading.reactive_var, reading.exported_wh) == (976.8, -68.9, 22_100)


@pytest.mark.parametrize(
    ("name", "max_w", "modes"),
    [
        ("fimer_abb_330kw_103_legacy", 185_000, 8),
        ("fronius_igplus_101_a", 11_400, 8),
        ("fronius_symo30_113", 3_000, 8),
        ("sma_sb36_101_legacy_2023", 3_680, 8),
        ("sma_9338_103_a", 50_000, 0),
    ],
)
async def test_real_inverter_of_the_older_series_is_identified(
    images: Images, name: str, max_w: float, modes: int
) -> None:
    plate = nameplate_of(await images.map_of(name))
    assert isinstance(plate, Nameplate)
    assert (plate.max_w, plate.der_type, len(plate.modes)) == (max_w, 4, modes)


@pytest.mark.parametrize(
    ("name", "power_w", "factor", "gen_connect"),
    [
        ("fimer_abb_330kw_103_legacy", 141_380, -1.0, 0b001),
        ("fronius_igplus_101_b", 798, 0.997, 0b111),
        ("fronius_symo30_113", 70, 1.0, 0b111),
        ("sma_9338_103_a", 14_470, -0.998, 0b101),
        ("solaredge_se33k_103_b", 24_767, -0.9987, 0b111),
        ("solaredge_se33k_103_c", 278, -0.27711, 0b111),
        ("sma_sb36_101_legacy", 0, None, 0),
    ],
)
async def test_real_inverter_of_the_older_series_gives_a_reading(
    images: Images, name: str, power_w: float, factor: float | None, gen_connect: int
) -> None:
    reading = telemetry_of(await images.map_of(name))
    assert isinstance(reading, Telemetry)
    assert (reading.power_w, reading.gen_connect) == (power_w, gen_connect)
    assert reading.power_factor == (None if factor is None else pytest.approx(factor))


async def test_real_battery_inverter_is_identified_from_its_700_series(images: Images) -> None:
    plate = nameplate_of(await images.map_of("outback_ogh8048a_der700"))
    assert isinstance(plate, Nameplate)
    assert (plate.manufacturer, plate.model, plate.version) == ("OutBack Power", "OGHI8048A", "1.0.20.3812")
    assert (plate.der_type, plate.max_w, plate.set_max_w, plate.max_charge_w) == (80, 7_680, 7_680, 7_680)
    assert (plate.normal_category, plate.abnormal_category, plate.min_pf_over_excited) == (2, 3, 0.4)
    assert plate.modes >= {"opModMaxLimW", "opModTargetW", "opModFixedPFInjectW", "opModConnect"}


async def test_real_battery_inverter_gives_a_reading(images: Images) -> None:
    reading = telemetry_of(await images.map_of("outback_ogh8048a_der700"))
    assert isinstance(reading, Telemetry)
    assert (reading.power_w, reading.voltage_v, reading.frequency_hz, reading.soc_pct) == (
        0,
        240.0,
        60.0,
        100,
    )
    assert (reading.gen_connect, reading.stor_connect, reading.alarms) == (
        0b10010,
        0b10010,
        frozenset({2, 4}),
    )


async def test_real_battery_inverter_is_written_around_what_it_does_not_implement(images: Images) -> None:
    setpoint = Setpoint(max_w_pct=50, target_w=-3_840)
    made = plan(await images.map_of("outback_ogh8048a_der700"), setpoint, Reversion(after_s=60))
    written = [(block.address, block.words) for step in made.steps for block in step.due_blocks]
    assert (40403 + 14, (1, 500)) in written
    assert (40403 + 28, (65036,)) in written
    assert made.unguarded == {"max_w_pct", "target_w"}
