"""Settings: TOML, overrides, bounds, and errors that name the key."""

from pathlib import Path

import pytest

from schemas import csip_aus
from sep2_server import Settings, read_settings, settings_of
from sep2_server.setting_values import SettingsError


def test_settings_come_from_a_file_and_then_from_overrides(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text('port = 1\nprofile = "base"\nkey = "k.pem"\n[poll_rate]\nTime = 30\n', encoding="utf-8")
    settings = read_settings(file, ["port=2", "poll_rate.EndDeviceList=7", "strict_tls = true"])
    assert (settings.port, settings.profile.name, settings.profile.strict_tls) == (2, "base", True)
    assert settings.key == tmp_path / "k.pem"
    assert (settings.poll_rate_of("Time"), settings.poll_rate_of("EndDeviceList")) == (30, 7)


def test_rates_that_are_not_set_are_the_usual_ones() -> None:
    settings = Settings()
    assert (settings.poll_rate_of("DERProgramList"), settings.poll_rate_of("FileList")) == (60, None)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"prot": 1}, "prot: unknown"),
        ({"port": 70000}, "port: 70000 is not 0 to 65535"),
        ({"port": "x"}, "port: 'x' is not int"),
        ({"port": True}, "port: True is not int"),
        ({"strict_tls": "maybe"}, "strict_tls: 'maybe' is not bool"),
        ({"profile": "ieee"}, "profile: 'ieee' is not one of base, csip"),
        ({"hidden_status": 200}, "hidden_status: 200 is not one of 403, 404"),
        ({"log_events_kept": 9}, "log_events_kept: 9 is not 10 to"),
        ({"time_zone": "Nowhere/City"}, "time_zone: 'Nowhere/City' is not known"),
        ({"poll_rate": {"Time": "often"}}, "poll_rate: {'Time': 'often'} is not"),
        ({"poll_rate": {"Tiem": 60}}, "poll_rate.Tiem: carries no pollRate; allowed: DeviceCapability, "),
        ({"poll_rate": {"Time": 0}}, "poll_rate.Time: 0 is not 1 to 4294967295"),
        ({"items_per_list": -1}, "items_per_list: -1 is not 0 to"),
        ({"event_history_s": 0}, "event_history_s: 0 is not 86400 to 3153600000: devices send their last"),
        ({"event_history_s": 86_399}, "event_history_s: 86399 is not 86400 to"),
        ({"changes_kept": 0}, "changes_kept: 0 is not 1 to"),
        ({"discovery_sfdis": ["167261211392"]}, "discovery_sfdis: '167261211392' is no SFDI"),
        ({"discovery_interfaces": ["eth0"]}, "discovery_interfaces: 'eth0' is no address"),
        ({"discovery_name": " "}, "discovery_name: ' ' is no name"),
        ({"notification_hosts": ["https://a"]}, "notification_hosts: 'https://a' is neither a host"),
        ({"dead_letters_per_subscription": 1001}, "dead_letters_per_subscription: 1001 is not 0 to 1000"),
        ({"dead_letter_retention_s": 0}, "dead_letter_retention_s: 0 is not 60 to 3153600000"),
        ({"notification_retry_s": [10, -1]}, "notification_retry_s: -1 is not 0 to 31536000"),
        ({"public_url": "https://a/b"}, "public_url: 'https://a/b' is not https://host:port"),
        ({"aggregator_pens": {"AB": 1}}, "aggregator_pens.AB: LFDI: 'AB' is not 40 hexadecimal digits"),
        ({"aggregator_pens": {"AB" * 20: 100_000_000}}, f"aggregator_pens.{'AB' * 20}: 100000000 is not 0"),
        ({"mounts": {"/dcap": "csip"}}, "mounts./dcap: /dcap is the path of resources already"),
        ({"mounts": {"/a": "csip", "/a/tm": "csip"}}, "mounts./a/tm: /a/tm is the path of resources already"),
        ({"superseded_responses": [7, 300]}, "superseded_responses: 300 is not in (7, 14)"),
        ({"notification_statuses": [2000]}, "notification_statuses: 2000 is not in range(100, 600)"),
    ],
)
def test_a_wrong_setting_is_named(given: dict[str, object], text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_of(given)
    assert str(caught.value).startswith(text)


def test_an_aggregator_is_known_by_its_lfdi_in_any_case() -> None:
    settings = settings_of({"aggregator_pens": {"ab" * 20: 28_547}})
    assert settings.aggregator_pens == {"AB" * 20: 28_547}


@pytest.mark.parametrize("url", ["", "https://der.example.org", "https://[::1]:8443", "https://10.0.0.1:1/"])
def test_a_public_url_is_a_place_without_a_path(url: str) -> None:
    assert settings_of({"public_url": url}).public_url == url


def test_an_override_needs_an_equals_sign() -> None:
    with pytest.raises(SettingsError, match="write key=value"):
        read_settings(overrides=["port"])


def test_an_entry_of_what_is_no_table_is_told(tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text("port = 3")
    with pytest.raises(SettingsError, match="port: 3 is not a table"):
        read_settings(tmp_path / "server.toml", ["port.x=1"])


@pytest.mark.parametrize(
    "content",
    [b"port =", b"\xff", b"a = " + b"[" * 9000 + b"]" * 9000, b"port = " + b"9" * 5000],
    ids=["cut", "not UTF-8", "deep", "5000 digits"],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "server.toml"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"server\.toml"):
        read_settings(file)
    with pytest.raises(SettingsError, match=r"missing\.toml"):
        read_settings(tmp_path / "missing.toml")


def test_a_profile_decides_on_xml_and_on_repeated_end_devices() -> None:
    plain, aus = settings_of({}), settings_of({"profile": "csip_aus"})
    statuses = [s.profile.duplicate_end_device_status for s in (plain, aus)]
    assert statuses == [204, 409]
    other = settings_of({"profile": "csip_aus", "duplicate_end_device_status": 204})
    assert other.profile.duplicate_end_device_status == 204
    assert aus.xml_profile is csip_aus.CSIP_AUS_V1_2


@pytest.mark.parametrize("given", ["a.pem,b.pem", ["a.pem", "b.pem"]])
def test_lists_may_be_one_text(given: object) -> None:
    assert settings_of({"extra_trusted": given}).extra_trusted_paths == (Path("a.pem"), Path("b.pem"))
