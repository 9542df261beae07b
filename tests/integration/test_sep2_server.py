"""The server over mutual TLS: what a device finds, puts and posts."""

from schemas import (
    DeviceCapability,
    EndDeviceList,
    Registration,
    Time,
)
from tests.integration.sep2_harness import START, Bench


async def test_a_device_walks_from_device_capability_to_its_registration(bench: Bench) -> None:
    _, client = await bench.device("device-1")
    capability = await client.read("/dcap", DeviceCapability)
    assert capability.EndDeviceListLink_ is not None
    assert capability.EndDeviceListLink_.all == 1
    page = await client.read(capability.EndDeviceListLink_.href, EndDeviceList)
    assert (page.all, page.results) == (1, 1)
    link = page.EndDevice_[0].RegistrationLink_
    assert link is not None
    registration = await client.read(link.href, Registration)
    assert (registration.pIN, registration.dateTimeRegistered) == (111115, START)


async def test_time_is_that_of_the_clock_at_each_read(bench: Bench) -> None:
    _, client = await bench.device("device-1")
    first = await client.read("/tm", Time)
    bench.clock.advance(7)
    second = await client.read("/tm", Time)
    assert (first.currentTime, second.currentTime) == (START, START + 7)
