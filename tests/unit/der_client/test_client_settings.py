from pathlib import Path

import pytest

from der_client.errors import SettingsError
from der_client.settings import ClientSettings, load_settings
from der_client.template import TEMPLATE

LEAST = """
[server]
uri = "https://server/dcap"
certificate = "cert.pem"
key = "key.pem"
roots = "root.pem"
"""


def test_the_template_says_what_the_defaults_are() -> None:
    written = load_settings(TEMPLATE)
    least = load_settings(LEAST.replace("https://server/dcap", "https://der.example.org:443/dcap"))

    assert written == ClientSettings(
        server=written.server, spool=Path("client.sqlite"), device=written.device
    )
    assert written.server == least.server
    assert written.device == least.device


def test_relative_paths_are_taken_from_the_folder_of_the_file() -> None:
    settings = load_settings(LEAST, folder=Path("/etc/site"))

    assert settings.server.key == Path("/etc/site/key.pem")


def test_an_override_is_read_as_toml_or_as_text() -> None:
    overrides = ["safety.reserve_pct=20", "device.name=roof", "control.period_s=0.5", "server.pin=111115"]
    settings = load_settings(LEAST, overrides)

    assert settings.safety.reserve_pct == 20.0
    assert (settings.device.name, settings.control.period_s) == ("roof", 0.5)
    assert settings.server.pin == 111115


def test_the_pin_is_not_shown() -> None:
    assert "111115" not in repr(load_settings(LEAST, ["server.pin=111115"]))


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("server.colour=1", "server.colour: no such setting"),
        ("colour=1", "colour: no such setting"),
        ("server", "server: key=value is wanted"),
        ("server.uri.x=1", "server.uri.x: uri is a value, not a table"),
        ("server=1", "server: a table is wanted"),
        ("server.uri=http://server/dcap", "server.uri: an https URI"),
        ("server.timeout_s=true", "server.timeout_s: True is not of type float"),
        ("server.timeout_s=0", "server: times are longer than 0 s"),
        ("server.pin=111116", "server.pin: five digits"),
        ("device.kind=kettle", "device.kind: 'kettle' is none of sunspec, battery"),
        ("device.port=0", "device.port: 0 is no TCP port"),
        ("control.period_s=0", "control.period_s: above 0"),
        ("control.reversion_s=999", "control: reversion_s is 1 to 300 s"),
        ("report.post_rate_s=0", "report.post_rate_s: at least 1 s"),
        ("report.other_program_after_start=9", "report.other_program_"),
        ("safety.reserve_pct=99", "safety.reserve_pct: 99.0 outside 0.0 to 90.0"),
        ('device.can="x"', "device.can: a table is wanted"),
    ],
)
def test_a_setting_that_cannot_be_is_named(override: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(LEAST, [override])

    assert words in str(caught.value)


def test_a_setting_that_must_be_there_is_named() -> None:
    with pytest.raises(SettingsError, match="server: must be set"):
        load_settings("")


def test_a_text_that_is_no_toml_is_refused() -> None:
    with pytest.raises(SettingsError, match="no TOML"):
        load_settings("[")


def test_the_spool_that_is_not_set_stands_beside_the_configuration() -> None:
    text = '[server]\nuri = "https://h/dcap"\ncertificate = "c"\nkey = "k"\nroots = "r"\n'

    assert load_settings(text, folder=Path("/etc/site")).spool == Path("/etc/site/lineside-client.sqlite")
