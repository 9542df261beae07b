"""What devices put: DER capability, settings, status, availability, and their other status resources."""

from pathlib import Path

import pytest

from certs import Pki
from schemas import (
    DER,
    ActivePower,
    DERAvailability,
    DERCapability,
    DERControlList,
    DERList,
    DERSettings,
    DERStatus,
    DeviceStatus,
    EndDevice,
    Error,
    PowerStatus,
    SupportedLocale,
    SupportedLocaleList,
    Temperature,
    spec_of,
)
from sep2_server.rows import Row
from tests.integration.sep2_harness import START, Bench, Client, running
from tests.integration.test_sep2_device_resources import device_information

WATT = ActivePower(multiplier=0, value=5000)
PUTS = [
    pytest.param("dercap", DERCapability(modesSupported="08", rtgMaxW=WATT, type=83), id="DERCapability"),
    pytest.param("derg", DERSettings(setGradW=27, setMaxW=WATT, updatedTime=START), id="DERSettings"),
    pytest.param("ders", DERStatus(readingTime=START), id="DERStatus"),
    pytest.param("dera", DERAvailability(readingTime=START, statWAvail=WATT), id="DERAvailability"),
]


async def der_of(bench: Bench) -> tuple[Row, Client, str]:
    row, client = await bench.device("der-1")
    page = await client.read(f"{row.href}/der", DERList)
    return row, client, str(page.DER_[0].href)


@pytest.mark.parametrize(("end", "value"), PUTS)
async def test_a_device_puts_and_reads_back(bench: Bench, end: str, value: DERStatus) -> None:
    _, client, der = await der_of(bench)
    assert (await client.get(f"{der}/{end}")).status == 404
    first = await client.put(f"{der}/{end}", value)
    again = await client.put(f"{der}/{end}", value)
    assert (first.status, first.body, again.status) == (204, b"", 204)
    stored = await client.read(f"{der}/{end}", type(value))
    assert stored.href == f"{der}/{end}"
    assert put_by_the_device(stored) == put_by_the_device(value)


def put_by_the_device(value: object) -> dict[str, object]:
    """All but what the server says of a resource."""
    held = {f.attr: getattr(value, f.attr) for f in spec_of(type(value))}
    return {name: one for name, one in held.items() if name not in {"href", "subscribable"}}


async def test_what_was_put_in_a_large_body_can_be_put_again(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, most_octets=4 << 20) as bench:
        row, client = await bench.device("der-1")
        warm = Temperature(multiplier=0, subject=0, value=5)
        status = DeviceStatus(changedTime=START, Temperature_=[warm] * 14_000)
        replies = [await client.put(f"{row.href}/dstat", status) for _ in range(2)]
        assert [reply.status for reply in replies] == [204, 204]
        reply = await client.get(f"{row.href}/dstat")
        assert (reply.status, reply.body.count(b"<Temperature>")) == (200, 14_000)


async def test_incomplete_settings_are_400_and_nothing_is_stored(bench: Bench) -> None:
    _, client, der = await der_of(bench)
    body = (
        b'<DERSettings xmlns="urn:ieee:std:2030.5:ns"><setGradW>1</setGradW>'
        b"<setMaxW><multiplier>0</multiplier><value>1</value></setMaxW></DERSettings>"
    )
    reply = await client.send("PUT", f"{der}/derg", body)
    assert (reply.status, reply.decoded(Error).reasonCode) == (400, 0)
    assert (await client.get(f"{der}/derg")).status == 404


async def test_a_der_links_to_its_resources_and_programs(bench: Bench) -> None:
    _, client, href = await der_of(bench)
    await bench.group("der", "der-1")
    der = await client.read(href, DER)
    assert der.DERStatusLink_ is not None
    assert der.DERStatusLink_.href == f"{href}/ders"
    assert der.AssociatedDERProgramListLink_ is not None
    assert der.AssociatedDERProgramListLink_.all == 1
    assert (await client.get(f"{href}/derp?l=5")).status == 200
    assert (await client.get(f"{href}/cdp")).status == 404


async def test_what_falls_out_of_the_generic_dispatch_works_too(bench: Bench) -> None:
    row, client, _ = await der_of(bench)
    status = PowerStatus(batteryStatus=4, changedTime=START, currentPowerSource=1)
    assert (await client.put(f"{row.href}/ps", status)).status == 204
    assert (await client.read(f"{row.href}/ps", PowerStatus)).batteryStatus == 4
    assert (await client.put(f"{row.href}/dstat", DeviceStatus(changedTime=START, opState=2))).status == 204
    assert (await client.read(f"{row.href}/dstat", DeviceStatus)).opState == 2


async def test_links_of_a_client_do_not_count(bench: Bench) -> None:
    row, client, _ = await der_of(bench)
    body = (
        b'<DeviceStatus xmlns="urn:ieee:std:2030.5:ns" href="/elsewhere"><changedTime>1</changedTime>'
        b"</DeviceStatus>"
    )
    assert (await client.send("PUT", f"{row.href}/dstat", body)).status == 204
    assert (await client.read(f"{row.href}/dstat", DeviceStatus)).href == f"{row.href}/dstat"


async def test_an_item_that_is_not_there_cannot_be_put(bench: Bench) -> None:
    row, client, _ = await der_of(bench)
    reply = await client.put(f"{row.href}/di/loc/7", SupportedLocale(locale="en-US"))
    assert reply.status == 404
    assert (await client.send("DELETE", f"{row.href}/lel/7")).status == 404


async def test_what_only_operators_may_do_is_405_for_clients(bench: Bench) -> None:
    _, client, _ = await der_of(bench)
    _, program = await bench.group("der", "der-1")
    for path in ("/derp", f"{program.href}/derc", f"{program.href}/dc"):
        reply = await client.send("POST", path, b"<DERProgram/>")
        assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")
    assert (await client.send("DELETE", program.href)).status == 405
    assert (await client.read(f"{program.href}/derc", DERControlList)).all == 0


async def test_an_end_device_shows_what_it_links_to(bench: Bench) -> None:
    row, client, _ = await der_of(bench)
    shown = await client.read(row.href, EndDevice)
    assert shown.DERListLink_ is not None
    assert (shown.DERListLink_.href, shown.DERListLink_.all) == (f"{row.href}/der", 1)
    assert shown.SubscriptionListLink_ is not None
    assert (shown.SubscriptionListLink_.href, shown.SubscriptionListLink_.all) == (f"{row.href}/sub", 0)


async def test_no_more_items_are_taken_than_allowed(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, items_per_list=2) as bench:
        row, client = await bench.device("der-1")
        await client.put(f"{row.href}/di", device_information(bench.credentials("der-1").lfdi))
        replies = [
            await client.post(f"{row.href}/di/loc", SupportedLocale(locale=locale))
            for locale in ("en-US", "fr-FR", "de-DE")
        ]
        assert [reply.status for reply in replies] == [201, 201, 400]
        assert replies[2].decoded(Error).reasonCode == 2
        page = await client.read(f"{row.href}/di/loc?l=9", SupportedLocaleList)
        assert (page.all, page.results) == (2, 2)
        assert (await client.put(replies[0].location, SupportedLocale(locale="it-IT"))).status == 204
        assert (await client.read(replies[0].location, SupportedLocale)).locale == "it-IT"
        assert (await client.send("DELETE", replies[0].location)).status == 204
        assert (await client.read(f"{row.href}/di/loc", SupportedLocaleList)).all == 1


@pytest.mark.parametrize("kind", ["dstat", "ps"])
async def test_a_status_that_was_ahead_does_not_hold_up_those_that_follow(
    tmp_path: Path, sep2_pki: Pki, kind: str
) -> None:
    def status(number: int, at: int) -> DeviceStatus | PowerStatus:
        if kind == "dstat":
            return DeviceStatus(changedTime=at, opState=number)
        return PowerStatus(batteryStatus=number, changedTime=at, currentPowerSource=1)

    async with running(tmp_path, sep2_pki, function_sets="all") as bench:
        row, client = await bench.device("ahead-1")
        path, cls = f"{row.href}/{kind}", type(status(1, 0))
        assert (await client.put(path, status(1, START + 10**9))).status in {201, 204}
        for number in (2, 3, 2):
            bench.clock.advance(100)
            await client.put(path, status(number, bench.clock.now()))
            assert (await client.read(path, cls)).changedTime == bench.clock.now()
        bench.clock.advance(100)
        await client.put(path, status(1, START))
        assert (await client.read(path, cls)).changedTime == bench.clock.now(), "it has changed now"
