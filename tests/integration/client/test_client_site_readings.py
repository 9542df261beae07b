"""What an Australian server hears of the connection point and of a battery. CSIP-AUS ALL-06, STO-01."""

import asyncio
import time
from pathlib import Path

from certs import Pki
from der_client import ClientSettings, ControlSettings, DERClient, ReportSettings, ServerSettings
from der_client.device import SiteReading
from schemas import MeterReadingList, ReadingType, UsagePoint, UsagePointList
from tests.integration.aggregator.harness import FAST, Inverter, News, ticking
from tests.integration.sep2_harness import Bench, Client, running

PATIENCE_S = 40.0


class Meter:
    """A meter at the connection point: the site exports 1.5 kW."""

    name = "connection point"

    async def read(self) -> SiteReading:
        return SiteReading(power_w=1_500.0, reactive_var=100.0, phase_v=(230.0,), frequency_hz=50.0)

    async def close(self) -> None:
        return None


def settings_of(bench: Bench, folder: Path) -> ClientSettings:
    own = bench.credentials("site")
    return ClientSettings(
        profile="csip_aus_v1.3",
        server=ServerSettings(
            uri=f"https://127.0.0.1:{bench.server.port}/dcap",
            certificate=own.certificate_path,
            key=own.key_path,
            roots=own.root_path,
            poll_floor_s=0.2,
        ),
        control=ControlSettings(period_s=0.2),
        report=ReportSettings(post_rate_s=1),
        spool=folder / "site.sqlite",
    )


async def points(client: Client) -> dict[str, UsagePoint]:
    """The usage points that the server has, by their roleFlags."""
    page = await client.read("/upt?l=10", UsagePointList)
    return {one.roleFlags: one for one in page.UsagePoint_}


async def measured(client: Client, point: UsagePoint) -> set[tuple[int | None, ...]]:
    """uom, kind and dataQualifier of what is measured at a usage point."""
    assert point.MeterReadingListLink_ is not None
    page = await client.read(f"{point.MeterReadingListLink_.href}?l=20", MeterReadingList)
    links = [one.ReadingTypeLink_ for one in page.MeterReading_]
    types = [await client.read(link.href, ReadingType) for link in links if link is not None]
    return {(one.uom, one.kind, one.dataQualifier) for one in types}


async def test_the_site_and_the_energy_of_its_battery_are_mirrored(tmp_path: Path, sep2_pki: Pki) -> None:
    changes = {"profile": "csip_aus_v1.3", "poll_rate": FAST, "post_rate_s": 1}
    news = News()
    battery = Inverter("battery", news, charge_w=5_000.0)
    async with running(tmp_path, sep2_pki, now=int(time.time()), **changes) as bench, ticking(bench):
        _, client = await bench.device("site")
        run = DERClient(settings_of(bench, tmp_path), [battery], on_event=news.hear, meter=Meter())
        async with asyncio.TaskGroup() as tasks, asyncio.timeout(PATIENCE_S):
            task = tasks.create_task(run.run())
            while len(found := await points(client)) < 2 or (72, 12, 0) not in await measured(
                client, found["0049"]
            ):
                await news.changed.wait()
            site = await measured(client, found["0003"])
            task.cancel()

    assert {(38, 37, 2), (63, 37, 2), (29, 37, 2), (33, 37, 2)} <= site
    assert (72, 12, 0) not in site
