"""A device reports at the DER that its settings name, whatever the order of the DERList."""

from dataclasses import replace

import pytest

from der_client import AggregatorClient, Nameplate, Plant, What
from der_client.der_choice import DerChoice
from schemas import (
    DER,
    ActivePower,
    DERAvailabilityLink,
    DERCapability,
    DERCapabilityLink,
    DERList,
    DERSettingsLink,
    DERStatusLink,
)
from tests.integration.client.harness import Inverter, Site


def der(name: str) -> DER:
    return DER(
        href=f"/{name}",
        DERAvailabilityLink_=DERAvailabilityLink(href=f"/{name}/availability"),
        DERCapabilityLink_=DERCapabilityLink(href=f"/{name}/capability"),
        DERSettingsLink_=DERSettingsLink(href=f"/{name}/settings"),
        DERStatusLink_=DERStatusLink(href=f"/{name}/status"),
    )


def capability(kind: int, power_w: int) -> DERCapability:
    return DERCapability(modesSupported="00", rtgMaxW=ActivePower(multiplier=0, value=power_w), type=kind)


@pytest.fixture
def two(site: Site) -> Site:
    """A server that knows a battery and a roof, in this order."""
    site.script.resources |= {
        "/a/ders": DERList(all=2, results=2, DER_=[der("x"), der("y")]),
        "/x/capability": capability(80, 5_000),
        "/y/capability": capability(4, 10_000),
    }
    return site


async def reported(site: Site, *choices: DerChoice | None) -> dict[str, object]:
    """Run until every device has reported; serial numbers by who reported its capability where."""
    devices = [site.inverter]
    for number in range(1, len(choices)):
        assert isinstance(site.inverter.plate, Nameplate)
        plate = replace(site.inverter.plate, max_w=1_000.0 * number)
        devices.append(Inverter(site.script, name=f"other {number}", plate=plate))
    client = AggregatorClient(
        site.settings, [Plant(devices=tuple(devices), ders=choices)], on_event=site.hear
    )
    async with site.running(client):
        await site.script.until(
            lambda: sum(href.endswith("/capability") for href in site.script.put) >= len(devices)
        )
    return {
        href: one.rtgMaxW.value for href, one in site.script.put.items() if isinstance(one, DERCapability)
    }


async def test_one_device_reports_at_the_der_of_its_kind(two: Site) -> None:
    assert await reported(two, DerChoice(type=4)) == {"/y/capability": 10_000}
    assert "/x/status" not in two.script.put


async def test_the_device_that_names_nothing_has_the_one_that_is_left(two: Site) -> None:
    assert await reported(two, DerChoice(type=4), None) == {"/y/capability": 10_000, "/x/capability": 1_000}


async def test_a_choice_that_fits_nothing_is_an_error_and_nothing_is_reported(two: Site) -> None:
    plant = Plant(devices=(two.inverter,), ders=(DerChoice(type=81),))
    client = AggregatorClient(two.settings, [plant], on_event=two.hear)
    async with two.running(client):
        await two.script.until(lambda: two.heard(What.FAULT))

    assert "der.type 81 fits no DER of the server's DERList (0: type 80, 5000 W;" in two.heard(What.FAULT)[0]
    assert not [href for href in two.script.put if href.startswith(("/x", "/y"))]
