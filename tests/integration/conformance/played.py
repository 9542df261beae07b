"""Our own server as the target of cases, on virtual time."""

from pathlib import Path

from certs import Pki
from conformance_tests import AnyCase, Verdict, play
from conformance_tests.chains import IssuingRoot
from conformance_tests.server.target import ServerTarget
from tests.integration.conformance.planted.row import Plant, nothing
from tests.integration.conformance.site import loop_of, site_of
from tests.integration.conformance.stand import device_of
from tests.virtual_time import VirtualTime

OF_SERVER = {"base": "base", "csip": "csip", "csip_aus": "csip_aus_v1.2"}
"""The profile of our server by that of the runner."""

AUS_RULES = {"in_band_registration": True, "connection_point_nmi": True}
"""What CSIP-AUS leaves to the utility, as its procedures for a server assume it."""


class Played:
    """A server of a profile that stays up while its cases are played, on one virtual clock."""

    def __init__(self, folder: Path, pki: Pki, profile: str) -> None:
        self._time = VirtualTime(least_jump_s=1.0)
        self._runner = loop_of(self._time)
        self._site = site_of(folder, pki, self._time, profile=OF_SERVER[profile], redirect_port=0)
        self._target = self._runner.run(self._begin(pki, profile))

    async def _begin(self, pki: Pki, profile: str) -> ServerTarget:
        site = await self._site.__aenter__()
        self._operator = site.operator()
        return ServerTarget(
            dcap=site.dcap,
            profile=profile,
            device=device_of(pki, "csip-device"),
            other=device_of(pki, "csip-other"),
            aggregator=device_of(pki, "csip-aggregator"),
            operator=self._operator,
            listen=("127.0.0.1", 0),
            plain_port=site.plain_port,
            restart=site.restart,
            ca=IssuingRoot.read(pki.root_path, pki.folder / "ca" / "serca" / "key.pem"),
            now=self._time.time,
        )

    def enrol(self) -> None:
        """Register the device: what the cases of certificates and TLS assume."""
        self._runner.run(self._enrol(str(self._target.device.lfdi)))

    async def _enrol(self, lfdi: str) -> None:
        await self._operator.begin("made/enrol/server", lasting=frozenset({lfdi}), note=lambda _: None)
        await self._operator.ensure_device(lfdi)
        await self._operator.end()

    def verdict(self, case: AnyCase, plant: Plant = nothing) -> Verdict:
        """The verdict on a case, with a fault if one is planted."""
        with plant(self._target):
            return self._runner.run(play(case, self._target, self._time.time))

    def close(self) -> None:
        """Stop everything."""
        self._runner.run(self._end())
        self._runner.close()

    async def _end(self) -> None:
        await self._target.close()
        await self._operator.close()
        await self._site.__aexit__(None, None, None)


def aus_verdict(case: AnyCase, folder: Path, pki: Pki, plant: Plant = nothing) -> Verdict:
    """The verdict on our server of CSIP-AUS, started for this case, with a fault if one is planted."""
    time = VirtualTime()
    with loop_of(time) as runner:
        return runner.run(_aus_verdict(case, folder, pki, time, plant))


async def _aus_verdict(case: AnyCase, folder: Path, pki: Pki, time: VirtualTime, plant: Plant) -> Verdict:
    async with site_of(folder, pki, time, profile="csip_aus", **AUS_RULES) as site:
        operator = site.operator()
        target = ServerTarget(
            dcap=site.dcap,
            profile="csip_aus",
            device=device_of(pki, "aus-1"),
            other=device_of(pki, "aus-2"),
            aggregator=device_of(pki, "aus-aggregator"),
            operator=operator,
            listen=("127.0.0.1", 0),
            now=time.time,
        )
        try:
            with plant(target):
                return await play(case, target, time.time)
        finally:
            await target.close()
            await operator.close()
