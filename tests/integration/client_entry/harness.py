"""A client of one device at our own server, however it finds and enters it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from certs import Credentials
from der_client import (
    AggregatorClient,
    ClientSettings,
    ControlSettings,
    Plant,
    RegistrationSettings,
    ReportSettings,
    ServerSettings,
)
from tests.integration.aggregator.harness import FAST, Inverter, News
from tests.integration.sep2_harness import Bench

QUICK: dict[str, object] = {"poll_rate": FAST, "post_rate_s": 1}


@dataclass
class Comer:
    """A client that is not in yet: its settings, its device and what it says."""

    settings: ClientSettings
    inverter: Inverter
    news: News
    own: Credentials

    @asynccontextmanager
    async def running(self, plants: Sequence[Plant] = ()) -> AsyncIterator[AggregatorClient]:
        """Run until the end of the block."""
        alone = Plant(devices=(self.inverter,))
        client = AggregatorClient(self.settings, plants or [alone], on_event=self.news.hear)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(client.run())
            yield client
            task.cancel()


def comer(bench: Bench, folder: Path, name: str, *, profile: str, in_band: bool = False) -> Comer:
    """A client with the certificate of this name, which need not be enrolled."""
    news, own = News(), bench.credentials(name)
    settings = ClientSettings(
        profile=profile,
        server=ServerSettings(
            uri=f"https://127.0.0.1:{bench.server.port}/dcap",
            certificate=own.certificate_path,
            key=own.key_path,
            roots=own.root_path,
            poll_floor_s=0.2,
            retry_first_s=0.1,
            retry_most_s=0.5,
        ),
        control=ControlSettings(period_s=0.2),
        report=ReportSettings(post_rate_s=1),
        registration=RegistrationSettings(in_band=in_band),
        spool=folder / f"{name}.sqlite",
    )
    return Comer(settings=settings, inverter=Inverter(name, news), news=news, own=own)


def by_dns_sd(one: Comer) -> Comer:
    """The same, with nothing to find the server by but DNS-SD on loopback."""
    server = replace(one.settings.server, uri="", dns_sd=("127.0.0.1",), timeout_s=5.0)
    return replace(one, settings=replace(one.settings, server=server))
