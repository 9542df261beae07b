"""Our server with one of everything, as a target: what the generated cases are played against."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from certs import Pki
from conformance_tests import AnyCase, Verdict, play
from conformance_tests.chains import IssuingRoot
from conformance_tests.server.target import ServerTarget
from schemas import Profile, csip_aus
from tests.integration.conformance.planted.row import Plant, nothing
from tests.integration.conformance.stand import target_of
from tests.integration.crowded_lists import crowd
from tests.integration.fleet_house import FULL, Fleet
from tests.integration.lived_in_house import SETTINGS, furnish
from tests.integration.sep2_harness import running

V13 = {"name": "csip_aus_v1.3", "pen_suffix": False}
PROFILES: dict[str, tuple[str, object, Profile | None]] = {
    "base": ("base", "base", None),
    "csip": ("csip", "csip", None),
    "csip_aus_v1.2": ("csip_aus", "csip_aus_v1.2", None),
    "csip_aus_v1.3": ("csip_aus", V13, csip_aus.CSIP_AUS_V1_3),
}
"""Of each profile of our server that of the runner, the setting, and the schema."""


@asynccontextmanager
async def house(
    folder: Path, pki: Pki, profile: str, *, crowded: bool, full: bool = False
) -> AsyncIterator[ServerTarget]:
    """Our server with one of everything, a second device and an aggregator, as a target.

    `crowded`: with several of everything; `full`: with a fleet beside it.
    """
    judged, settings, xml = PROFILES[profile]
    given = {**SETTINGS, "profile": settings, **FULL}
    async with running(folder, pki, **given) as bench:
        made = await furnish(bench, device=f"made-{profile}", aggregator=f"boss-{profile}")
        await bench.enrol(f"other-{profile}")
        if crowded:
            await crowd(made)
        if full:
            await Fleet(made).fill()
        root = pki.folder / "ca" / "serca"
        others = {
            "ca": IssuingRoot.read(root / "cert.pem", root / "key.pem"),
            "other": bench.credentials(f"other-{profile}"),
            "aggregator": bench.credentials(f"boss-{profile}"),
        }
        async with target_of(bench, made.device, profile=judged, xml=xml, **others) as target:
            yield target


class House:
    """A crowded house of the profile base that stays up while cases are played against it."""

    def __init__(self, folder: Path, pki: Pki) -> None:
        self._runner = asyncio.Runner()
        self._house = house(folder, pki, "base", crowded=True)
        self._target = self._runner.run(self._house.__aenter__())

    def verdict(self, case: AnyCase, plant: Plant = nothing) -> Verdict:
        """The verdict on a case, with a fault if one is planted."""
        with plant(self._target):
            return self._runner.run(play(case, self._target, time.time))

    def forget(self) -> None:
        """Forget what was seen of the server, as before a new run."""
        self._target.shared.clear()
        self._target.tours.changed()

    def close(self) -> None:
        """Stop everything."""
        self._runner.run(self._house.__aexit__(None, None, None))
        self._runner.close()
