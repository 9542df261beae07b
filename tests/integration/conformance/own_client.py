"""Our own client as a target: devices that hold what they are told, on a virtual clock."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from certs import Credentials, Pki, TlsFiles
from conformance_tests import AnyCase, Need, Outcome, Role, Verdict, play
from conformance_tests.chains import IssuingRoot
from conformance_tests.client.observer import Observation, Observer
from conformance_tests.client.target import ClientSetup, ClientTarget
from der_client import (
    AggregatorClient,
    Applied,
    ClientSettings,
    ControlSettings,
    DERClient,
    Device,
    Fault,
    Nameplate,
    Plant,
    ReportSettings,
    Reversion,
    ServerSettings,
    Setpoint,
    SubscriptionSettings,
)
from der_client.device import Telemetry
from tests.virtual_time import VirtualTime

PIN = 111115
MODES = frozenset(
    {
        "opModConnect",
        "opModEnergize",
        "opModFixedPFInjectW",
        "opModFixedW",
        "opModFreqDroop",
        "opModFreqWatt",
        "opModHFRTMustTrip",
        "opModHVRTMomentaryCessation",
        "opModHVRTMustTrip",
        "opModLFRTMustTrip",
        "opModLVRTMomentaryCessation",
        "opModLVRTMustTrip",
        "opModMaxLimW",
        "opModTargetW",
        "opModVoltVar",
        "opModVoltWatt",
    }
)
CURVES = frozenset(
    mode
    for mode in MODES
    if mode.startswith(("opModHFRT", "opModHVRT", "opModLFRT", "opModLVRT", "opModVolt"))
)
"""Modes of a curve: what runs none of them shows 0."""
MAX_W = 10_000.0
SUN_W = 8_000.0
HOST = "127.0.0.1"
NAMES = ("eda1", "eda2", "edb1", "edb2", "eda1x")
WITH_FIVE = ("AGG-001", "MAINT-001", "MAINT-002")
"""Procedures that take five devices of an aggregator."""
BY_SUBSCRIPTION = ("AGG", "UTIL", "MAINT", "CORE-018", "CORE-019", "ERR-002")
"""What the procedures begin with that want subscriptions."""


@dataclass
class HoldingDevice:
    """An inverter that holds whatever it was told last; `held` is None before."""

    name: str = "inverter"
    held: Setpoint | None = None
    alarms: frozenset[int] = frozenset()
    allow_grid_code_writes: bool = True

    async def identify(self) -> Nameplate | Fault:
        return Nameplate(
            manufacturer="Maker",
            model="One",
            serial=self.name,
            version="1",
            der_type=4,
            modes=MODES,
            max_w=MAX_W,
            max_va=MAX_W,
            max_var=4_400,
            max_var_neg=4_400,
            set_max_w=MAX_W,
            set_max_va=MAX_W,
            set_max_var=4_400,
            set_max_var_neg=4_400,
            v_nom_v=240.0,
            max_a=42.0,
            min_pf_over_excited=0.8,
            min_pf_under_excited=0.8,
            normal_category=2,
            abnormal_category=3,
        )

    @property
    def power_w(self) -> float:
        """What it gives: what it was told to, or the sun, under its limit."""
        held = self.held or Setpoint()
        if held.connect is False or held.energize is False:
            return 0.0
        wanted_w = SUN_W if held.target_w is None else held.target_w
        return min(wanted_w, MAX_W * (100.0 if held.max_w_pct is None else held.max_w_pct) / 100)

    @property
    def reactive_var(self) -> float:
        """What it gives at the power factor that it holds."""
        held = self.held or Setpoint()
        if held.pf_inject is None:
            return 0.0
        factor = held.pf_inject.power_factor
        return self.power_w * math.sqrt(1 - factor**2) / factor

    async def read(self) -> Telemetry | Fault:
        is_on = self.power_w > 0
        return Telemetry(
            power_w=self.power_w,
            reactive_var=self.reactive_var,
            voltage_v=240.0,
            frequency_hz=60.0,
            injected_wh=1_000.0,
            gen_connect=7 if is_on else 0,
            inverter_status=4 if is_on else 1,
            operational_mode=2,
            alarms=self.alarms,
        )

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        self.held = setpoint
        return Applied()

    async def close(self) -> None:
        return None

    def observation(self) -> Observation:
        held = self.held or Setpoint()
        found: dict[str, float | None] = {
            "opModConnect": None if held.connect is None else float(held.connect),
            "opModEnergize": None if held.energize is None else float(held.energize),
            "opModMaxLimW": held.max_w_pct,
            "opModFixedPFInjectW": None if held.pf_inject is None else held.pf_inject.power_factor,
            "opModFixedW": None if held.target_w is None else 100 * held.target_w / MAX_W,
            "opModTargetW": held.target_w,
            "opModFreqDroop": None if held.droop is None else 1.0,
            "setGradW": held.grad_w_pct_per_s,
            "setSoftGradW": held.soft_grad_w_pct_per_s,
            **({} if self.held is None else dict.fromkeys(CURVES, 0.0)),
            **{curve.mode: 1.0 for curve in held.curves},
        }
        return Observation(settings={name: value for name, value in found.items() if value is not None})


@dataclass
class Watching:
    """The observer of these devices; it can cause alarms."""

    devices: dict[str, HoldingDevice]

    async def observe(self, lfdi: str) -> Observation:
        return self.devices[lfdi.upper()].observation()

    async def cause(self, lfdi: str, what: str) -> bool:
        """Five changes of alarms, each long enough to be seen."""
        if "alarms" not in what:
            return False
        for bits in ({1}, set(), {2}, set(), {3}, set()):
            self.devices[lfdi.upper()].alarms = frozenset(bits)
            await asyncio.sleep(90)
        return True

    async def confirm(self, lfdi: str, question: str) -> bool | None:
        del lfdi, question
        return None


@dataclass
class Rig:
    """Our client with its devices, and a stage for it."""

    pki: Pki
    folder: Path
    role: Role
    clock: VirtualTime
    number: int = 4
    subscribes: bool = False
    looks_for_server: bool = False
    wrap: Callable[[HoldingDevice], HoldingDevice] = lambda device: device
    spread: Callable[[], float] = lambda: 0.5
    ca: IssuingRoot | None = None

    @property
    def names(self) -> Sequence[str]:
        return NAMES[: self.number] if self.role is Role.AGGREGATOR else ("device",)

    @property
    def own(self) -> Credentials:
        return self.pki.credentials("aggregator" if self.role is Role.AGGREGATOR else "device")

    async def verdict(self, case: AnyCase) -> Verdict:
        """The verdict on our client with devices that hold what they are told."""
        devices = {
            str(self.pki.credentials(name).lfdi): self.wrap(HoldingDevice(name)) for name in self.names
        }
        return await self.judged(case, devices, Watching(devices))

    async def judged(self, case: AnyCase, devices: Mapping[str, Device], observer: Observer) -> Verdict:
        """The verdict on our client with these devices, brought to the stage anew."""
        server = self.pki.credentials("server")
        setup = ClientSetup(
            role=self.role,
            profile="csip",
            tls=TlsFiles(certificate=server.certificate_path, key=server.key_path, roots=server.root_path),
            lfdi=str(self.own.lfdi),
            devices=tuple(devices) if self.role is Role.AGGREGATOR else (),
            observer=observer,
            ca=self.ca,
            runner_s=self.clock.time,
            needs=frozenset({Need.LOCAL_NETWORK}) if self.looks_for_server else frozenset(),
        )
        target = ClientTarget(setup)
        target.setup = replace(setup, start=lambda _: self.running(target.uri, devices))
        async with target:
            return await play(case, target, self.clock.time)

    @asynccontextmanager
    async def running(self, uri: str, devices: Mapping[str, Device]) -> AsyncIterator[None]:
        """Our client at work until the end of the block."""
        client = self._client(uri, devices)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(client.run())
            yield
            task.cancel()

    def _client(self, uri: str, devices: Mapping[str, Device]) -> AggregatorClient:
        settings = ClientSettings(
            server=ServerSettings(
                uri="" if self.looks_for_server else uri,
                dns_sd=(HOST,) if self.looks_for_server else (),
                certificate=self.own.certificate_path,
                key=self.own.key_path,
                roots=self.own.root_path,
                pin=PIN,
            ),
            control=ControlSettings(period_s=3.0),
            report=ReportSettings(),
            subscription=SubscriptionSettings(host="127.0.0.1", bind="127.0.0.1", port=0)
            if self.subscribes
            else SubscriptionSettings(),
            spool=self.folder / "spool.sqlite",
        )
        plants = [Plant(devices=(device,), end_device=lfdi, pin=PIN) for lfdi, device in devices.items()]
        if self.role is Role.DER_CLIENT:
            return DERClient(
                settings, list(devices.values()), local_s=self.clock.monotonic, spread=self.spread
            )
        return AggregatorClient(settings, plants, local_s=self.clock.monotonic, spread=self.spread)


def client_pki(folder: Path) -> Pki:
    """Certificates of a server, a device, and an aggregator with its devices."""
    made = Pki.create(folder / "pki", depth=3)
    made.issue_server("server", hosts=[HOST])
    made.issue_aggregator("aggregator", hosts=[HOST])
    for name in ("device", *NAMES):
        made.issue_device(name)
    return made


def csip_rig(pki: Pki, folder: Path, case: AnyCase) -> Rig:
    """The rig on which our client plays a procedure of CSIP, or a case of certificates and TLS."""
    name = case.id.split("/")[1]
    serca = pki.folder / "ca" / "serca"
    return Rig(
        pki=pki,
        folder=folder,
        role=case.role,
        clock=VirtualTime(),
        number=5 if name in WITH_FIVE else 4,
        subscribes=name.startswith(BY_SUBSCRIPTION),
        ca=IssuingRoot.read(serca / "cert.pem", serca / "key.pem"),
    )


def played(rig: Rig, case: AnyCase) -> Verdict:
    """The verdict on a case, played on the rig's virtual clock."""
    return on_virtual_time(rig.clock, lambda: rig.verdict(case))


def on_virtual_time(clock: VirtualTime, made: Callable[[], Coroutine[Any, Any, Verdict]]) -> Verdict:
    """The verdict of a coroutine that runs on a virtual clock."""
    found: list[Verdict] = []

    async def main() -> None:
        found.append(await made())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", clock.time)
        clock.run(main())
    return found[0]


def told(verdict: Verdict) -> str:
    """What a person wants to know of a case that did not go as it should."""
    lines = [f"{verdict.case}: {verdict.outcome} {verdict.reason}"]
    lines += [f"  {'ok ' if one.held else 'NOT'} {one.what} -- {one.seen}" for one in verdict.findings]
    return "\n".join(lines)


def is_fine(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.PASSED
