"""The server over mutual TLS: what a device finds, puts and posts."""

from pathlib import Path

import aiohttp
import pytest
import uvloop

from certs import Pki
from schemas import (
    DeviceCapability,
    EndDeviceList,
    Registration,
    Time,
)
from tests.integration.sep2_harness import START, Bench, running


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


@pytest.mark.parametrize("path", ["/dcap", "/edev?s=0&l=255"])
async def test_plain_http_is_sent_to_https(tmp_path: Path, sep2_pki: Pki, path: str) -> None:
    async with running(tmp_path, sep2_pki, redirect_port=0) as bench:
        redirection = bench.server.redirection
        assert redirection is not None
        plain = f"http://127.0.0.1:{redirection.port}"
        async with aiohttp.ClientSession(plain) as session, session.get(path, allow_redirects=False) as reply:
            assert reply.status == 301
            assert reply.headers["Location"] == f"https://127.0.0.1:{bench.server.port}{path}"


def test_the_server_runs_on_uvloop(tmp_path: Path, sep2_pki: Pki) -> None:
    async def main() -> int:
        async with running(tmp_path, sep2_pki) as bench:
            _, client = await bench.device("device-1")
            return (await client.read("/tm", Time)).currentTime

    assert uvloop.run(main()) == START
