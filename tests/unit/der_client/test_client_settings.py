from pathlib import Path

import pytest

from der_client.battery_driver import BatteryDriverSettings, CanSettings
from der_client.settings import ClientSettings, DeviceSettings, load_settings
from der_client.sunspec import MappingSettings, TransportSettings
from der_client.sunspec.settings import SunSpecMeterSettings
from der_client.sunspec_driver import SunSpecDriverSettings
from der_client.template import TEMPLATE, template_with
from owner import SettingsError
from tests.hopeless_toml import HOPELESS

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
        server=written.server, spool=Path("client.sqlite"), devices=written.devices
    )
    assert written.server == least.server
    assert written.devices == least.devices


def test_relative_paths_are_taken_from_the_folder_of_the_file() -> None:
    settings = load_settings(LEAST, folder=Path("/etc/site"))

    assert settings.server.key == Path("/etc/site/key.pem")


def test_an_override_is_read_as_toml_or_as_text() -> None:
    overrides = ["safety.reserve_pct=20", "device.name=roof", "control.period_s=0.5", "server.pin=111115"]
    settings = load_settings(LEAST, overrides)

    assert settings.safety.reserve_pct == 20.0
    assert (settings.devices[0].name, settings.control.period_s) == ("roof", 0.5)
    assert settings.server.pin == 111115


def test_the_pin_is_not_shown() -> None:
    assert "111115" not in repr(load_settings(LEAST, ["server.pin=111115"]))


@pytest.mark.parametrize("override", ['server.pin="111115"', "server.pin=011115", "device.pin=0111115"])
def test_a_pin_that_is_written_wrongly_is_not_shown_either(override: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(LEAST, [override])

    assert "pin: a value of type int is wanted, without quotes or leading zeros" in str(caught.value)
    assert "11115" not in str(caught.value)


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
        ("server.timeout_s=0", "server.timeout_s: more than 0 s"),
        ("server.poll_floor_s=nan", "server.poll_floor_s: more than 0 s"),
        ("server.retry_most_s=0.5", "server.retry_most_s: at least server.retry_first_s"),
        ("server.pin=111116", "server.pin: five digits"),
        ("device.kind=kettle", "device.kind: 'kettle' is none of battery, sunspec"),
        ("device.port=0", "device.port: 0 is no TCP port"),
        ("control.period_s=0", "control.period_s: above 0"),
        ("control.reversion_s=999", "control.reversion_s: 1 to 300 s"),
        ("control.reversion_s=2", "control.reversion_s: at least 3 times control.period_s"),
        ("control.reversion_s=30", "control.plan_wait_s: less than control.reversion_s, 30 s, is wanted"),
        ("control.plan_wait_s=60.0", "control.plan_wait_s: less than control.reversion_s, 60 s, is wanted"),
        ("control.readback_limit=0", "control.readback_limit: at least 1"),
        ("control.retry_s=nan", "control.retry_s: 0 s or more"),
        ("control.unavailable_after_s=-1", "control.unavailable_after_s: 0 s or more"),
        ("report.pen=-1", "report.pen: a Private Enterprise Number"),
        ("report.device_category=-1", "report.device_category: a bitmap"),
        ("subscription.outer_port=-5", "subscription.outer_port: -5 is no TCP port"),
        ('subscription.notifiers=["zz"]', "subscription.notifiers: LFDIs of 40 hex digits"),
        ("subscription.again_s=0", "subscription.again_s: more than 0 s"),
        ("report.post_rate_s=0", "report.post_rate_s: at least 1 s"),
        ("report.other_program_after_start=9", "report.other_program_"),
        ("safety.reserve_pct=99", "safety.reserve_pct: 99.0 outside 0.0 to 90.0"),
        ("device.kind=5", "device.kind: 5 is not of type str"),
        ("device=1", "device: a table is wanted"),
        ("devices=1", "devices: a list of tables is wanted"),
        ("devices=[]", "devices: a list of tables is wanted"),
        ("devices=[1]", "devices.0: a table is wanted"),
        ('devices=[{}, {name="b"}]', "devices.1.host: 'b' would command the same unit as 'der'"),
        ("devices=[{port=1}, {port=2}]", "devices.1.name: 'der' is the name of another device"),
        ('devices=[{}, {name="b", port="x"}]', "devices.1.port: 'x' is not of type int"),
        ('devices=[{}, {name="b", port=0}]', "devices.1.port: 0 is no TCP port"),
        ('devices=[{}, {name="b", scan={bases=["x"]}}]', "devices.1.scan.bases.0: 'x' is not of type int"),
        ("devices=[{scan={bases=7}}]", "devices.0.scan.bases: a list is wanted"),
        ('devices=[{end_device="ab"}]', "devices.0.end_device: an LFDI of 40 hex digits"),
        ("devices=[{pin=111114}]", "devices.0.pin: five digits and their check digit"),
        ('devices=[{name=""}]', "devices.0.name: must not be empty"),
        ('devices=[{name="a\\u0000"}]', "devices.0.name: printable characters"),
        ("devices=[{der={}}]", "devices.0.der.index: this, a type or a rated_w is wanted"),
        ("devices=[{der={index=-1}}]", "devices.0.der.index: 0 or more"),
        ("devices=[{der={type=300}}]", "devices.0.der.type: a DERType"),
        ("devices=[{der={rated_w=0}}]", "devices.0.der.rated_w: more than 0 W"),
        ("devices=[{colour=1}]", "devices.0.colour: no such setting"),
        ('devices=[{kind="battery", can="x"}]', "devices.0.can: a table is wanted"),
        ('devices=[{kind="battery", can={interface=3}}]', "devices.0.can.interface: 3 is not of type str"),
        (
            'devices=[{kind="battery", can={options={a=[1]}}}]',
            "devices.0.can.options.a: a number, a text, true or false is wanted",
        ),
    ],
)
def test_a_setting_that_cannot_be_is_named(override: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(LEAST, [override])

    assert words in str(caught.value)


TWO = """
[[devices]]
name = "roof"
host = "10.0.0.5"
mapping = { ramp_scale = 100 }

[[devices]]
kind = "battery"
name = "cellar"
end_device = "3E4F45AB31EDFE5B67E343E5E4562E31E23E9D9A"
transport = { timeout_s = 2 }

[devices.can]
interface = "udp_multicast"
channel = "239.74.163.2"
options = { hop_limit = 1 }
dbc = "bms.dbc"
"""


def test_devices_are_a_list_and_each_has_the_settings_of_its_driver() -> None:
    roof, cellar = load_settings(LEAST + TWO, ["devices.1.port=1502"], folder=Path("/etc/site")).devices

    assert roof == DeviceSettings(
        name="roof",
        driver=SunSpecDriverSettings(host="10.0.0.5", mapping=MappingSettings(ramp_scale=100)),
    )
    assert cellar == DeviceSettings(
        kind="battery",
        name="cellar",
        end_device="3E4F45AB31EDFE5B67E343E5E4562E31E23E9D9A",
        driver=BatteryDriverSettings(
            port=1502,
            transport=TransportSettings(timeout_s=2.0),
            can=CanSettings(
                interface="udp_multicast",
                channel="239.74.163.2",
                options={"hop_limit": 1},
                dbc=Path("/etc/site/bms.dbc"),
            ),
        ),
    )


def test_one_table_named_device_still_describes_the_only_device() -> None:
    settings = load_settings(LEAST + '[device]\nname = "roof"\nport = 1502\n')

    assert settings.devices == (DeviceSettings(name="roof", driver=SunSpecDriverSettings(port=1502)),)


def test_device_and_devices_together_are_refused() -> None:
    with pytest.raises(SettingsError, match="device: there is devices too"):
        load_settings(LEAST + TWO, ["device.port=1"])


def test_a_setting_that_must_be_there_is_named() -> None:
    with pytest.raises(SettingsError, match="server: must be set"):
        load_settings("")


@pytest.mark.parametrize("text", HOPELESS)
def test_a_text_that_is_no_toml_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="no TOML"):
        load_settings(text)


@pytest.mark.parametrize("text", HOPELESS)
def test_an_override_that_is_no_toml_is_text(text: str) -> None:
    with pytest.raises(SettingsError, match="port"):
        load_settings(LEAST + TWO, ["devices.0.port=" + text.removeprefix("a = ")])


def test_the_spool_that_is_not_set_stands_beside_the_configuration() -> None:
    text = '[server]\nuri = "https://h/dcap"\ncertificate = "c"\nkey = "k"\nroots = "r"\n'

    assert load_settings(text, folder=Path("/etc/site")).spool == Path("/etc/site/lineside-client.sqlite")


def test_a_template_with_settings_put_in_is_read_with_them() -> None:
    text = template_with({"server.uri": "https://h/dcap", "server.pin": 111115, "devices.host": "10.0.0.5"})
    settings = load_settings(text)
    (device,) = settings.devices

    assert (settings.server.uri, settings.server.pin) == ("https://h/dcap", 111115)
    assert isinstance(device.driver, SunSpecDriverSettings)
    assert (device.driver.host, device.driver.port) == ("10.0.0.5", 502)


def test_a_setting_that_does_not_stand_in_the_template_is_no_setting() -> None:
    with pytest.raises(KeyError, match=r"server\.colour"):
        template_with({"server.colour": 1})


@pytest.mark.parametrize(
    ("override", "bit"),
    [
        ("subscription.host=here", 4),
        ("price.charge_below=0.1", 15),
        ("reservation={energy_wh=1000.0, power_w=500.0}", 19),
    ],
)
def test_function_sets_that_are_configured_are_implemented(override: str, bit: int) -> None:
    assert load_settings(LEAST).functions == frozenset()
    assert load_settings(LEAST, [override]).functions == {bit}


METERS = """
[[meters]]
name = "north"
end_device = "0123456789ABCDEF0123456789ABCDEF00000000"
host = "10.0.0.7"
positive = "export"
transport = { tls = { certificate = "c.pem", key = "k.pem", roots = "r.pem" } }
[[meters]]
name = "south"
end_device = "167261211391"
unit = 3
transport = { serial = { port = "/dev/ttyUSB0" } }
"""


def test_meters_are_reached_as_devices_are() -> None:
    north, south = load_settings(LEAST + METERS, folder=Path("/etc/site")).meters

    assert isinstance(north.driver, SunSpecMeterSettings)
    assert isinstance(south.driver, SunSpecMeterSettings)
    assert north.driver.transport.tls is not None
    assert south.driver.transport.serial is not None
    assert (north.name, north.driver.host, north.driver.meter_positive) == ("north", "10.0.0.7", "export")
    assert north.driver.transport.tls.certificate == Path("/etc/site/c.pem")
    assert (south.driver.unit, south.driver.transport.serial.port) == (3, "/dev/ttyUSB0")


def test_a_meter_without_an_address_is_none() -> None:
    assert load_settings(LEAST, ['meter={host="", positive="export"}']).meters == ()
    (alone,) = load_settings(LEAST, ["meter.host=10.0.0.7"]).meters
    assert (alone.name, alone.end_device) == ("meter", None)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("meter=1", "meter: a table is wanted"),
        ("meters=1", "meters: a list of tables is wanted"),
        ("meters=[1]", "meters.0: a table is wanted"),
        ("meter.colour=1", "meter.colour: no such setting"),
        ("meter.positive=up", "meter.positive: 'up' is neither import nor export"),
        ('meter={host="x", meter_positive="import"}', "meter.meter_positive: no such setting"),
        ('meter={host="x", port=0}', "meter.port: 0 is no TCP port"),
        ('meter={host="x", unit=300}', "meter.unit: 300 outside 0 to 255"),
        ('meter={host="x", name=""}', "meter.name: printable characters"),
        ('meter={host="x", end_device="zz"}', "meter.end_device: an LFDI of 40 hex digits"),
        ('meter={host="x", transport={serial={port="/dev/x"}}}', "meter.host: an address, or the serial"),
        ("meter={transport={timeout_s=1.0}}", "meter.host: an address, or the serial line"),
        ('meter={host="x", name="der"}', "meter.name: 'der' is the name of a device"),
        ('meters=[{host="x"}, {host="y"}]', "meters.1.end_device: 'meter' is at the same connection point"),
    ],
)
def test_a_meter_that_cannot_be_is_named(override: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(LEAST, [override])

    assert words in str(caught.value)


def test_one_meter_and_several_are_not_written_at_once() -> None:
    with pytest.raises(SettingsError, match="meter: there is meters too"):
        load_settings(LEAST, ["meter.host=x", "meters=[]"])
