"""What devices do differently, as data: entries, their mistakes, and what each field changes."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path

import pytest

from der_client.device import (
    DroopSetpoint,
    PowerFactorSetpoint,
    Reversion,
    Setpoint,
    SiteReading,
    VarSetpoint,
)
from der_client.sunspec.codec import Value
from der_client.sunspec.mapping import plan
from der_client.sunspec.meter import site_reading_of
from der_client.sunspec.model import DeviceMap
from der_client.sunspec.nameplate import nameplate_of
from der_client.sunspec.permissions import Permissions
from der_client.sunspec.quirks import QuirkBook, QuirkError, QuirkFields, load_book, parse_quirks
from der_client.sunspec.quirks.book import DEVICE, MAPPING, METER, SCAN
from der_client.sunspec.scan import ScanSettings
from der_client.sunspec.settings import MeterSettings, SunSpecSettings
from tests.sunspec_devices import HYBRID, INVERTER, newer_map, older_map, writes

GUARD = Reversion(after_s=60)
KNOWN = load_book()
FREQ_WATT: Mapping[str, Value] = {
    "WGra": 30,
    "HzStr": 0.5,
    "HzStop": 0.1,
    "HysEna": 1,
    "ModEna": 0,
    "WGra_SF": 0,
    "HzStrStop_SF": -2,
}
ENTRY: Mapping[str, object] = {
    "name": "one",
    "match": {"manufacturer": "Acme*"},
    "source": "a register image",
    "fields": {"min_limit_pct": 10},
}


def settings_for(
    maker: str, model: str = "", version: str = "", *, book: QuirkBook = KNOWN
) -> SunSpecSettings:
    return book.device(SunSpecSettings(), (maker, model, "S1", version))


def own(**changes: object) -> SunSpecSettings:
    """The settings for a device of which a file of the operator says one thing."""
    book = QuirkBook(parse_quirks([{**ENTRY, "fields": changes}], "mine.yaml"))
    return settings_for("Acme", book=book)


def test_every_known_entry_is_valid_and_names_its_source() -> None:
    assert len(KNOWN.quirks) >= 8
    assert all(len(quirk.source) > 40 for quirk in KNOWN.quirks)
    assert len({quirk.name for quirk in KNOWN.quirks}) == len(KNOWN.quirks)


def test_every_field_has_a_setting_that_it_changes() -> None:
    assert {field.name for field in fields(QuirkFields)} == {*MAPPING, *SCAN, *DEVICE, *METER}


def test_device_that_nobody_knows_has_the_defaults() -> None:
    assert settings_for("Nobody") == SunSpecSettings()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": None}, "x.yaml, entry 1: name: a text is wanted"),
        ({"source": "  "}, "x.yaml, entry 1 (one): source: a text is wanted"),
        ({"sources": "x"}, "x.yaml, entry 1: sources: no such field; known are fields, match, name, source"),
        (
            {"match": {}},
            "x.yaml, entry 1 (one): match: at least one of manufacturer, model, version is wanted",
        ),
        ({"match": {"maker": "A"}}, "x.yaml, entry 1 (one): match: maker: no such field; known are"),
        ({"match": {"model": 7}}, "x.yaml, entry 1 (one): match: model: a text is wanted"),
        ({"match": None}, "x.yaml, entry 1 (one): match: a table is wanted"),
        ({"fields": {}}, "x.yaml, entry 1 (one): fields: an entry without any changes nothing"),
        ({"fields": {"colour": 1}}, "x.yaml, entry 1 (one): fields: colour: no such field; known are"),
        (
            {"fields": {"pf_sign": "left"}},
            "x.yaml, entry 1 (one): pf_sign: 'left' is none of over_excited_negative",
        ),
        ({"fields": {"max_block": 500}}, "x.yaml, entry 1 (one): max_block: 500 is outside 2 to 125"),
        ({"fields": {"max_block": "50"}}, "x.yaml, entry 1 (one): max_block: '50' is not of type int"),
        ({"fields": {"one_connection": 1}}, "x.yaml, entry 1 (one): one_connection: 1 is not of type bool"),
        ({"fields": {"write_only": 123}}, "x.yaml, entry 1 (one): write_only: a list is wanted"),
        ({"fields": {"write_only": ["x"]}}, "x.yaml, entry 1 (one): write_only: 'x' is not of type int"),
    ],
)
def test_mistake_in_an_entry_is_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(QuirkError) as raised:
        parse_quirks([{**ENTRY, **changes}], "x.yaml")
    assert str(raised.value).startswith(message)


def test_file_that_is_no_list_is_named() -> None:
    with pytest.raises(QuirkError, match=r"x\.yaml: a list of entries is wanted"):
        parse_quirks({"name": "one"}, "x.yaml")


def test_file_that_is_no_yaml_or_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    with pytest.raises(QuirkError, match=r"mine\.yaml: .*No such file"):
        load_book((path,))
    path.write_text("- [")
    with pytest.raises(QuirkError, match=r"mine\.yaml: no YAML"):
        load_book((path,))


def test_file_of_the_operator_wins_over_what_is_known(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "- name: ours\n  match: {manufacturer: Fronius, version: '1.*'}\n  source: our own trial\n"
        "  fields: {min_limit_pct: 0, pf_sign: under_excited_negative}\n"
    )
    book = load_book((path,))
    ours, other = (settings_for("Fronius", version=v, book=book).mapping for v in ("1.30", "2.0"))
    assert (ours.min_limit_pct, ours.pf_sign) == (0, "under_excited_negative")
    assert (other.min_limit_pct, other.pf_sign) == (10, "over_excited_negative")


def test_what_the_operator_has_set_stays() -> None:
    given = SunSpecSettings(scan=ScanSettings(max_block=60))
    book = QuirkBook(parse_quirks([{**ENTRY, "fields": {"max_block": 50}}], "mine.yaml"))
    assert book.device(given, ("Acme", "", "", "")).scan.max_block == 60


@pytest.mark.parametrize(
    ("maker", "model", "of", "value"),
    [
        ("SMA", "SB3.6-1AV-41", lambda s: s.mapping.write_only, (123,)),
        ("SMA", "Solar Inverter", lambda s: s.mapping.hz_start, "offset"),
        ("Fronius", "Symo 3.0-3-S", lambda s: s.mapping.min_limit_pct, 10),
        ("SolarEdge", "SE33.3K", lambda s: s.one_connection, True),
        ("SolarEdge", "SE33.3K", lambda s: s.mapping.pf_sign, "under_excited_negative"),
        ("FIMER", "-3Q58-", lambda s: s.mapping.hz_start, "absolute"),
        ("OutBack Power", "OGHI8048A", lambda s: s.mapping.ramp_scale, 10),
    ],
)
def test_known_device_has_its_own_settings(
    maker: str, model: str, of: Callable[[SunSpecSettings], object], value: object
) -> None:
    assert of(settings_for(maker, model)) == value


def planned(
    on: DeviceMap, setpoint: Setpoint, field: str, settings: SunSpecSettings
) -> list[tuple[str, tuple[int, ...]]]:
    return writes(plan(on, setpoint, GUARD, settings.mapping), field)


def test_min_limit_pct_makes_a_smaller_limit_nothing() -> None:
    on, setpoint = older_map(INVERTER), Setpoint(max_w_pct=9)
    assert planned(on, setpoint, "max_w_pct", own(controller_heartbeat=False))[0][1][0] == 900
    assert planned(on, setpoint, "max_w_pct", own(min_limit_pct=10))[0][1][0] == 0


def test_min_limit_pct_holds_for_the_newer_series_too() -> None:
    on, setpoint = newer_map(), Setpoint(max_w_pct=9)
    assert planned(on, setpoint, "max_w_pct", own(min_limit_pct=10))[-1][1][:2] == (1, 0)


def test_limit_side_stops_the_discharge_with_a_limit() -> None:
    written = planned(older_map(HYBRID), Setpoint(max_w_pct=50), "target_w", own(limit_side="pv"))
    assert written[0][1][0] == 0
    assert written[-1] == ("124.StorCtl_Mod", (2,))


def test_pf_sign_turns_the_sign() -> None:
    setpoint = Setpoint(pf_inject=PowerFactorSetpoint(power_factor=0.9, absorbing=True))
    assert planned(older_map(INVERTER), setpoint, "pf_inject", own(readback_s=2))[0][1][0] == 900
    sign = own(pf_sign="under_excited_negative")
    assert planned(older_map(INVERTER), setpoint, "pf_inject", sign)[0][1][0] == 65536 - 900


def test_wrmp_scale_counts_the_ramp_and_the_rating_of_it() -> None:
    on = newer_map({"704.WRmp": 1_000})
    settings = own(wrmp_scale=10)
    assert planned(on, Setpoint(grad_w_pct_per_s=0.5), "grad_w_pct_per_s", settings)[0] == (
        "704.WRmp",
        (5, 1),
    )
    found = nameplate_of(on, settings.mapping)
    assert getattr(found, "grad_w_pct_per_s", None) == 100


@pytest.mark.parametrize(("form", "raw"), [("offset", 20), ("absolute", 5020)])
def test_hz_start_counts_the_frequency(form: str, raw: int) -> None:
    on = older_map({**INVERTER, 127: FREQ_WATT})
    permissions = Permissions(models=(127,))
    droop = DroopSetpoint(
        dead_band_over_hz=0.2, dead_band_under_hz=0.2, slope_over=0.05, slope_under=0.05, open_loop_s=5
    )
    mapping = replace(own(hz_start=form).mapping, permissions=permissions)
    assert writes(plan(on, Setpoint(droop=droop), GUARD, mapping), "droop")[0][1][1] == raw


def test_write_only_offers_controls_that_the_device_hides() -> None:
    values: Mapping[str, Value | None] = {"123.WMaxLimPct": None}
    on = older_map(INVERTER, values=values)
    assert planned(on, Setpoint(max_w_pct=50), "max_w_pct", own(readback_s=2)) == []
    assert planned(on, Setpoint(max_w_pct=50), "max_w_pct", own(write_only=[123]))[0][1][0] == 5000


def test_reactive_order_prefers_another_mode() -> None:
    setpoint = Setpoint(
        pf_inject=PowerFactorSetpoint(power_factor=0.9, absorbing=True), var=VarSetpoint(value=10, ref=2)
    )
    settings = own(reactive_order=["var"])
    assert plan(newer_map(), setpoint, GUARD, settings.mapping).unsupported == {"pf_inject"}


def test_meter_positive_turns_the_meter() -> None:
    book = QuirkBook(parse_quirks([{**ENTRY, "fields": {"meter_positive": "export"}}], "mine.yaml"))
    settings = book.meter(MeterSettings(), ("Acme", "", "", ""))
    on = older_map({203: {"W": 100, "W_SF": 0}})
    found = site_reading_of(on, settings.meter_positive)
    assert isinstance(found, SiteReading)
    assert found.power_w == 100


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ena_toggle_refresh", True),
        ("write_one_by_one", True),
        ("one_connection", True),
        ("readback_s", 2.5),
        ("controller_heartbeat", False),
    ],
)
def test_field_of_the_driver_is_its_setting(name: str, value: object) -> None:
    assert getattr(own(**{name: value}), DEVICE[name]) == value


def test_field_of_the_scan_is_its_setting() -> None:
    assert own(max_block=50, map_end="silence").scan == ScanSettings(max_block=50, map_end="silence")
