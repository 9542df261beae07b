import pytest

from certs import LFDI, sfdi_of
from der_client import DeviceSettings, Plant, plants_of
from der_client.discovery import Identity
from der_client.errors import SettingsError
from der_client.plants import parties_of
from tests.unit.der_client.still_device import StillDevice

OWN = Identity(lfdi="3E4F45AB31EDFE5B67E343E5E4562E31984E23E5", sfdi=167261211391)
MANAGED = "0123456789ABCDEF0123456789ABCDEF00000000"


def made(settings: DeviceSettings) -> StillDevice:
    return StillDevice(settings.name)


def test_devices_of_one_end_device_are_one_plant_in_the_order_of_the_settings() -> None:
    settings = [
        DeviceSettings(name="a", end_device=MANAGED.lower()),
        DeviceSettings(name="b", end_device="167261211391"),
        DeviceSettings(name="c", end_device=MANAGED, pin=111115),
    ]

    plants = plants_of(settings, made)

    assert [[device.name for device in plant.devices] for plant in plants] == [["a", "c"], ["b"]]
    assert [(plant.owner, plant.pin) for plant in plants] == [(MANAGED, 111115), ("167261211391", None)]


def test_a_plant_is_the_client_itself_unless_it_names_an_end_device() -> None:
    own, by_lfdi, by_sfdi = (Plant(devices=(), end_device=e) for e in (None, MANAGED, "167261211391"))

    assert own.identity(OWN) == OWN
    assert by_lfdi.identity(OWN) == Identity(lfdi=MANAGED, sfdi=sfdi_of(LFDI(MANAGED)))
    assert by_sfdi.identity(OWN) == Identity(lfdi="", sfdi=167261211391)


def test_an_aggregator_reads_of_its_own_end_device_the_registration_alone() -> None:
    managed, own = parties_of([Plant(devices=(), end_device=MANAGED, pin=123455)], OWN, 111115)

    assert (managed.pin, managed.is_principal, managed.registration_alone) == (123455, False, False)
    assert (own.pin, own.is_principal, own.registration_alone) == (111115, True, True)


def test_a_client_of_one_end_device_is_that_end_device() -> None:
    (own,) = parties_of([Plant(devices=())], OWN, 111115)

    assert (own.identity, own.pin, own.is_principal, own.registration_alone) == (OWN, 111115, True, False)


@pytest.mark.parametrize("named", [OWN.lfdi, OWN.lfdi.lower(), str(OWN.sfdi)])
def test_an_end_device_that_is_named_and_the_client_itself_is_read_whole(named: str) -> None:
    (own,) = parties_of([Plant(devices=(), end_device=named)], OWN, 111115)

    assert (own.identity, own.pin, own.is_principal, own.registration_alone) == (OWN, 111115, True, False)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(MANAGED, str(sfdi_of(LFDI(MANAGED))), id="by LFDI and by SFDI"),
        pytest.param(str(sfdi_of(LFDI(MANAGED))), MANAGED, id="by SFDI and by LFDI"),
        pytest.param(None, OWN.lfdi, id="by name and the client itself"),
    ],
)
def test_devices_of_one_end_device_that_is_named_in_two_ways_are_refused(
    one: str | None, other: str | None
) -> None:
    plants = [Plant(devices=(), end_device=one), Plant(devices=(), end_device=other)]

    with pytest.raises(SettingsError, match=f"devices: {other} is the EndDevice of other devices too"):
        parties_of(plants, OWN, None)


@pytest.mark.parametrize("text", ["", "12345G", "3E4F45AB31EDFE5B67E343E5E4562E31984E23", "1234567890123"])
def test_what_is_neither_lfdi_nor_sfdi_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="end_device"):
        DeviceSettings(end_device=text)
