"""Our own client as a target of CSIP-AUS: storage behind a meter, and who stands beside it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from certs import Pki, TlsFiles
from conformance_tests import AnyCase, Role, Verdict, play
from conformance_tests.aus.client_procedures import PROCEDURES
from conformance_tests.client.target import ClientSetup, ClientTarget
from der_client import AggregatorClient, ClientSettings, Device, Fault, Nameplate, Plant, Setpoint
from der_client.device import SiteReading, Telemetry
from der_client.interlocks import SafetyRules
from der_client.interlocks.rules_device import SiteRules
from der_client.price import PriceSettings
from der_client.protocol_settings import RegistrationSettings
from schemas import Profile, csip_aus
from tests.integration.conformance.own_client import MODES, HoldingDevice, Rig, Watching
from tests.virtual_time import VirtualTime

CLASSES = frozenset(
    {
        *("A", "C", "G", "L", "M", "S-G", "S-L", "STO", "PRC", "P-A"),
        *("DER-A", "DER-G", "DER-L", "DER-STO", "DER-A-ALT", "DER-L-ALT"),
        *("DR-A", "DR-D", "DR-G", "DR-L"),
    }
)
"""What our client is: all that there is, with a battery inverter that takes every instruction."""
CATEGORY = 1 << 23
"""Bit of deviceCategory of PV with storage."""
ANSWER_S = 0.1
POINT = "41023352100"
"""The connection point of the client."""


@dataclass
class Battery(HoldingDevice):
    """A battery inverter that holds what it is told; `grid` and `works` are switched by hand."""

    grid: bool = True
    works: bool = True
    max_w: float = 10_000.0

    async def identify(self) -> Nameplate | Fault:
        plain = await super().identify()
        assert isinstance(plain, Nameplate)
        return replace(
            plain,
            der_type=83,
            modes=MODES,
            max_charge_w=self.max_w,
            max_discharge_w=self.max_w,
            set_max_charge_w=self.max_w,
            set_max_discharge_w=self.max_w,
            capacity_wh=20_000.0,
        )

    @property
    def power_w(self) -> float:
        return super().power_w if self.grid and self.works else 0.0

    async def read(self) -> Telemetry | Fault:
        told = await super().read()
        assert isinstance(told, Telemetry)
        held = self.held or Setpoint()
        is_connected = self.grid and held.connect is not False
        is_on = is_connected and held.energize is not False
        bits = is_connected + 2 * is_on + 4 * is_on
        mode = 2 if self.works and is_connected else 1
        return replace(told, gen_connect=bits, stor_connect=bits, operational_mode=mode, soc_pct=50.0)


@dataclass
class SiteMeter:
    """The meter at the connection point of a device with nothing beside it.

    It takes a moment to answer, so that nobody is read in the very instant in which the device acts.
    """

    device: Device
    name: str = "meter"

    async def read(self) -> SiteReading | Fault:
        await asyncio.sleep(ANSWER_S)
        assert isinstance(self.device, HoldingDevice)
        power_w = self.device.power_w
        return SiteReading(power_w=power_w, reactive_var=0.0, phase_v=(240.0,), frequency_hz=50.0)

    async def close(self) -> None:
        return None


@dataclass
class Standing(Watching):
    """A person beside the devices: does what the procedures of CSIP-AUS ask for, and sees nothing amiss."""

    async def cause(self, lfdi: str, what: str) -> bool:
        device = self.devices[lfdi.upper()]
        assert isinstance(device, Battery)
        if what.startswith(("Part every DER", "Turn the other DER off")):
            device.grid = False
        elif what.startswith("Connect every DER"):
            device.grid = True
        elif what.startswith(("Stop the DER", "Let the DER work again")):
            device.works = what.startswith("Let")
        return True

    async def confirm(self, lfdi: str, question: str) -> bool | None:
        del lfdi, question
        return True


@dataclass
class AusRig(Rig):
    """Our client of CSIP-AUS and a stage for it."""

    xml: Profile = field(default_factory=lambda: csip_aus.CSIP_AUS_V1_2)
    client_profile: str = "csip_aus"
    has_site_meter: bool = True

    def lfdi_of(self, name: str) -> str:
        """The LFDI of a device: an aggregator's ends with the enterprise number of the aggregator."""
        lfdi, own = str(self.pki.credentials(name).lfdi), str(self.own.lfdi)
        return lfdi if self.role is Role.DER_CLIENT else lfdi[:32] + own[32:]

    async def verdict(self, case: AnyCase) -> Verdict:
        """The verdict on our client, brought to the stage anew."""
        devices: dict[str, HoldingDevice] = {
            self.lfdi_of(name): self.wrap(Battery(name)) for name in self.names
        }
        server = self.pki.credentials("server")
        setup = ClientSetup(
            role=self.role,
            profile="csip_aus",
            schema=self.xml,
            tls=TlsFiles(certificate=server.certificate_path, key=server.key_path, roots=server.root_path),
            lfdi=str(self.own.lfdi),
            devices=tuple(devices) if self.role is Role.AGGREGATOR else (),
            classes=CLASSES,
            observer=Standing(devices),
            runner_s=self.clock.time,
        )
        target = ClientTarget(setup)
        target.setup = replace(setup, start=lambda _: self.running(target.uri, devices))
        async with target:
            return await play(case, target, self.clock.time)

    def _client(self, uri: str, devices: Mapping[str, Device]) -> AggregatorClient:
        plain = super()._client(uri, devices)
        settings: ClientSettings = replace(
            plain.settings,
            profile=self.client_profile,
            registration=RegistrationSettings(in_band=True),
            price=PriceSettings(charge_below=-1.0),
            safety=SafetyRules(site=SiteRules(meter_stale_s=2 * plain.settings.control.period_s)),
            report=replace(plain.settings.report, device_category=CATEGORY, demand_response=True),
        )
        is_alone = self.role is Role.DER_CLIENT
        plants = [
            Plant(
                devices=(device,),
                end_device=None if is_alone else lfdi,
                pin=None if is_alone else 111115,
                meter=SiteMeter(device) if self.has_site_meter else None,
                connection_point=POINT,
            )
            for lfdi, device in devices.items()
        ]
        clock = self.clock.monotonic
        return AggregatorClient(settings, plants, local_s=clock, spread=self.spread)


OF_STORAGE = frozenset(one.name for one in PROCEDURES if "v1.2" not in one.versions)
"""Procedures of CSIP-AUS v1.3."""
BY_SUBSCRIPTION = frozenset(one.name for one in PROCEDURES if {"S-L", "S-G"} & set(one.classes))
"""Procedures for clients that are notified."""


def aus_rig(pki: Pki, folder: Path, case: AnyCase) -> AusRig:
    """The rig on which our client plays a procedure of CSIP-AUS."""
    is_storage = case.clause in OF_STORAGE
    return AusRig(
        pki=pki,
        folder=folder,
        role=case.role,
        clock=VirtualTime(),
        number=2 if case.clause == "P-01" else 1,
        subscribes=case.clause in BY_SUBSCRIPTION,
        xml=csip_aus.CSIP_AUS_V1_3 if is_storage else csip_aus.CSIP_AUS_V1_2,
        client_profile="csip_aus_v1.3" if is_storage else "csip_aus_v1.2",
    )
