"""What the operator wants of a device's Configuration against what the device reports."""

from collections.abc import Callable

import pytest

from schemas import Codec, Configuration, TimeConfiguration
from sep2_server.messages import Answer
from sep2_server.operator import ApiError, OperatorClient

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
DeviceRequest = Callable[..., Answer]
PATH = ("devices", "north", "configuration")


@pytest.fixture(autouse=True)
def path(api: OperatorClient) -> str:
    """URI of the Configuration of the device north."""
    enrolled = api.call("POST", ("devices",), {"name": "north", "lFDI": LFDI, "pIN": 111_115})
    return f"{enrolled['href']}/cfg"


def put(device_request: DeviceRequest, path: str, *, locale: str, name: str = "north") -> None:
    value = Configuration(currentLocale=locale, userDeviceName=name)
    assert device_request("PUT", path, value).status == 204


def shown(device_request: DeviceRequest, path: str) -> Configuration:
    return Codec().decode(device_request("GET", path).body, Configuration)


def test_a_device_sees_what_is_wanted_until_it_follows(
    api: OperatorClient, device_request: DeviceRequest, path: str
) -> None:
    put(device_request, path, locale="en-US")
    told = api.call("PUT", PATH, {"currentLocale": "de-DE"})
    assert told["wanted"] == {"currentLocale": "de-DE", "userDeviceName": "north"}
    assert told["reported"] == {"currentLocale": "en-US", "userDeviceName": "north"}
    seen = shown(device_request, path)
    assert (seen.currentLocale, seen.userDeviceName) == ("de-DE", "north")
    assert seen.PriceResponseCfgListLink_ is not None
    put(device_request, path, locale="fr-FR")
    assert shown(device_request, path).currentLocale == "de-DE"
    assert api.get(*PATH)["reported"] == {"currentLocale": "fr-FR", "userDeviceName": "north"}
    put(device_request, path, locale="de-DE")
    followed = api.get(*PATH)
    assert (followed["wanted"], followed["reported"]) == (
        None,
        {"currentLocale": "de-DE", "userDeviceName": "north"},
    )
    put(device_request, path, locale="it-IT")
    assert shown(device_request, path).currentLocale == "it-IT"


def test_what_is_wanted_may_be_withdrawn(
    api: OperatorClient, device_request: DeviceRequest, path: str
) -> None:
    put(device_request, path, locale="en-US")
    api.call("PUT", PATH, {"userDeviceName": "south"})
    api.call("PUT", PATH, {"userDeviceName": "west"})
    assert api.call("DELETE", PATH)["withdrawn"] is True
    assert shown(device_request, path).userDeviceName == "north"
    assert api.call("DELETE", PATH)["withdrawn"] is False


def test_a_device_that_has_put_nothing_may_be_configured(
    api: OperatorClient, device_request: DeviceRequest, path: str
) -> None:
    zone = {"tzOffset": 3600, "dstOffset": 3600, "dstStartRule": "A2A9C000", "dstEndRule": "B2A9C000"}
    body = {"currentLocale": "de", "userDeviceName": "x", "TimeConfiguration": zone}
    assert api.call("PUT", PATH, body)["reported"] is None
    assert shown(device_request, path).TimeConfiguration_ == TimeConfiguration(
        tzOffset=3600, dstOffset=3600, dstStartRule="A2A9C000", dstEndRule="B2A9C000"
    )
    api.call("DELETE", PATH)
    assert device_request("GET", path).status == 404


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"currentLocale": "de"}, "Configuration.userDeviceName: missing"),
        ({"href": "/x"}, "href: is not the operator's to set"),
        ({}, "body: not an object with values"),
        ({"currentLocale": "d" * 43, "userDeviceName": "x"}, "Configuration.currentLocale"),
    ],
)
def test_what_cannot_be_is_refused(api: OperatorClient, body: dict[str, object], detail: str) -> None:
    with pytest.raises(ApiError, match=detail):
        api.call("PUT", PATH, body)


def test_devices_do_not_see_what_is_kept_for_operators(
    api: OperatorClient, device_request: DeviceRequest, path: str
) -> None:
    put(device_request, path, locale="en-US")
    api.call("PUT", PATH, {"currentLocale": "de-DE"})
    assert device_request("GET", f"{path}/reported").status == 404


def test_the_commands_show_both_sides(
    op: Callable[..., int], device_request: DeviceRequest, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert op("configuration", "show", "north") == 0
    assert "the device has put no Configuration" in capsys.readouterr().out
    put(device_request, path, locale="en-US")
    assert op("configuration", "set", "north", "--locale", "de-DE", "--low-charge", "600") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["currentLocale", "de-DE", "en-US"] in lines
    assert ["PowerConfiguration.lowChargeThreshold", "600"] in [line[:2] for line in lines]
    assert op("configuration", "set", "north", "--tz-offset", "3600") == 2
    assert "four parts" in capsys.readouterr().err
    assert op("configuration", "withdraw", "north") == 0
