import pytest

from certs import LFDI, sfdi_of
from der_client import DeviceSettings, Plant, plants_of
from der_client.device import Fault, FaultKind, SiteReading
from der_client.discovery import Identity
from der_client.plants import parties_of, require_timely_meters
from owner import SettingsError
from tests.unit.der_client.still_device import StillDevice

OWN = Identity(lfdi="3E4F45AB31EDFE5B67E343E5E4562E31984E23E5", sfdi=167261211391)
MANAGED = "0123456789ABCDEF0123456789ABCDEF00000000"
OTHER = "FEDCBA9876543210FEDCBA987654321000000000"


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


class StillMeter:
    """A meter that is never read."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def read(self) -> SiteReading | Fault:
        return Fault(kind=FaultKind.NO_ANSWER, detail="never read")

    async def close(self) -> None:
        return None


TWO = [DeviceSettings(name="a", end_device=MANAGED), DeviceSettings(name="b", end_device=OTHER)]


def test_each_end_device_has_its_own_meter_named_by_lfdi_or_sfdi() -> None:
    one, two = StillMeter("one"), StillMeter("two")
    plants = plants_of(TWO, made, {str(sfdi_of(LFDI(MANAGED))): one, OTHER.lower(): two})

    assert [plant.meter and plant.meter.name for plant in plants] == ["one", "two"]


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        ([DeviceSettings(name="a"), DeviceSettings(name="b", end_device=OTHER)], ["one", None]),
        ([DeviceSettings(name="b", end_device=OTHER)], ["one"]),
    ],
)
def test_a_meter_without_a_name_is_of_the_client_itself_or_of_the_only_one(
    devices: list[DeviceSettings], expected: list[str | None]
) -> None:
    plants = plants_of(devices, made, {None: StillMeter("one")})

    assert [plant.meter and plant.meter.name for plant in plants] == expected


@pytest.mark.parametrize(
    ("meters", "words"),
    [
        ([None], "meter 'm': end_device: not set, and no device stands for that EndDevice"),
        (["9" * 12], "meter 'm': end_device 999999999999, and no device"),
        ([MANAGED, str(sfdi_of(LFDI(MANAGED)))], "meter 'm': 'm' is at the same connection point"),
    ],
)
def test_a_meter_that_is_nowhere_is_named(meters: list[str | None], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        plants_of(TWO, made, {one: StillMeter("m") for one in meters})


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


@pytest.mark.parametrize(("period_s", "is_metered"), [(2.9, True), (10.0, False)])
def test_a_meter_that_is_read_before_it_is_old_is_taken(period_s: float, is_metered: bool) -> None:
    meter = StillMeter("one") if is_metered else None
    require_timely_meters([Plant(devices=(StillDevice("a"),), meter=meter)], period_s, 3.0)


def test_a_meter_whose_readings_are_old_before_the_next_one_is_a_setting_to_correct() -> None:
    plants = [Plant(devices=(StillDevice("a"),)), Plant(devices=(), meter=StillMeter("one"))]

    with pytest.raises(SettingsError, match=r"control\.period_s: with a meter less than .* 3 s"):
        require_timely_meters(plants, 3.0, 3.0)
