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
    ],
)
def test_a_wrong_setting_is_named(given: dict[str, object], text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_of(given)
    assert str(caught.value).startswith(text)


def test_an_override_needs_an_equals_sign() -> None:
    with pytest.raises(SettingsError, match="write key=value"):
        read_settings(overrides=["port"])


@pytest.mark.parametrize("content", [b"port =", b"\xff"])
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
