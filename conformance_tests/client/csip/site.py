"""The devices, groups and programs of the CSIP procedures, and waiting until a client knows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from conformance_tests.client.tolerances import LATE_S, SETTLE_S
from schemas import DERControlBase, PowerFactorWithExcitation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance_tests.client.bench import ClientBench
    from conformance_tests.client.staged import StagedAssignment, StagedDevice, StagedProgram

PRIMACY: Final[Mapping[str, int]] = {"SY": 10, "ST": 9, "SS": 8, "FD": 7, "SG": 6, "TF": 5, "SP": 4}
"""Levels of the topology and the primacy of their programs: deeper is better."""
LEVELS: Final = tuple(PRIMACY)
DEVICES: Final = ("EDA1", "EDA2", "EDB1", "EDB2", "EDA1X")
"""Names of an aggregator's devices, in the order in which the run was given their LFDIs."""
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "SY": DEVICES,
    "ST": DEVICES,
    "SS": DEVICES,
    "FDA": ("EDA1", "EDA2", "EDA1X"),
    "FDB": ("EDB1", "EDB2"),
    "SGA": ("EDA1", "EDA2", "EDA1X"),
    "SGB": ("EDB1", "EDB2"),
    "TFA": ("EDA1", "EDA2", "EDA1X"),
    "TFB": ("EDB1", "EDB2"),
    "SPA1": ("EDA1", "EDA1X"),
    "SPA2": ("EDA2",),
    "SPB1": ("EDB1",),
    "SPB2": ("EDB2",),
}
"""Who is in which group of the topology of figure 15."""
FOUR: Final = DEVICES[:4]
RARE_POLL_S: Final = 480
"""pollRate where a procedure is about Notifications: longer than any of them is waited for, so that what is
done in time is done because it was told; shorter than the patience with a client between two cases. CSIP 1.3,
4 (AGG)."""


@dataclass(slots=True, kw_only=True)
class Site:
    """What a procedure built: `own` is the EndDevice of the certificate; the rest by names of the case.

    `devices` are those that events are for: of a DER client its own. `assignments` are by device and program.
    """

    bench: ClientBench
    own: StagedDevice
    devices: dict[str, StagedDevice]
    programs: dict[str, StagedProgram] = field(default_factory=dict)
    assignments: dict[tuple[str, str], StagedAssignment] = field(default_factory=dict)

    def group(self, name: str, primacy: int, members: Sequence[str] = ()) -> StagedProgram:
        """A program of its own for a group, assigned to its members (none named: all devices)."""
        stage = self.bench.stage
        program = self.programs[name] = stage.add_program(name, primacy=primacy)
        for device in members or self.devices:
            if device in self.devices:
                self.assignments[device, name] = stage.assign(self.devices[device], [program])
        return program

    def members(self, group: str) -> list[str]:
        """The devices that have the program of a group."""
        return [device for device, name in self.assignments if name == group]

    def lfdi(self, device: str) -> str:
        """LFDI of a device."""
        return self.devices[device].lfdi


def is_aggregator(bench: ClientBench) -> bool:
    """True where the certificate stands for other devices."""
    return bench.devices != (bench.lfdi,)


def site_of(bench: ClientBench, names: Sequence[str] = (), *, ders: int = 1) -> Site:
    """The EndDevice of the certificate and, of an aggregator, those of its devices (these names, or all)."""
    if not is_aggregator(bench):
        own = bench.stage.add_device(bench.lfdi, pin=bench.pin, ders=ders)
        return Site(bench=bench, own=own, devices={"the device": own})
    chosen = names or DEVICES[: len(bench.devices)]
    if len(bench.devices) < max(DEVICES.index(name) for name in chosen) + 1:
        bench.trial.skip(f"needs the LFDIs of {len(chosen)} devices of the aggregator: --device for each")
    own = bench.stage.add_device(bench.lfdi, pin=bench.pin, ders=0)
    made = {name: device_of(bench, name, ders=ders) for name in chosen}
    return Site(bench=bench, own=own, devices=made)


def device_of(bench: ClientBench, name: str, *, ders: int = 1) -> StagedDevice:
    """One device of an aggregator, registered now."""
    return bench.stage.add_device(bench.devices[DEVICES.index(name)], pin=bench.pin, ders=ders)


def levels_of(site: Site, names: Sequence[str] = ("SY", "SP")) -> Site:
    """Add a program for each of these levels, for all devices."""
    for name in names:
        site.group(name, PRIMACY[name])
    return site


def groups_of(site: Site, names: Sequence[str]) -> Site:
    """Add the programs of these groups of the topology, each for its members."""
    for name in names:
        site.group(name, PRIMACY[name[:2]], GROUPS[name])
    return site


def by_notification(bench: ClientBench) -> None:
    """From here on nothing is polled so often that a poll could stand for a Notification."""
    bench.stage.tree.poll_rate_s = RARE_POLL_S


async def subscribed_to(site: Site, wanted: Sequence[str]) -> list[str]:
    """What of this nobody has subscribed to in time; what a client reads upon subscribing is read then."""
    bench = site.bench

    def missing() -> list[str]:
        return [href for href in wanted if not bench.notifier.subscriptions(href)]

    await bench.waits(lambda: not missing(), SETTLE_S)
    await bench.pause(LATE_S)
    return missing()


async def settled(site: Site) -> None:
    """Let the client come, and wait until it knows every program. The case ends where it does not."""
    bench = site.bench
    await bench.begin()
    wanted = {one.programs for one in site.assignments.values()}

    def is_known() -> bool:
        return all(bench.reads(href) for href in wanted)

    known = await bench.waits(is_known, SETTLE_S)
    missing = [href for href in wanted if not bench.reads(href)]
    bench.trial.require(
        known,
        "the client reads the DERProgramList of every FunctionSetAssignments of its devices",
        seen="" if known else f"{len(missing)} of {len(wanted)} lists were not read within {SETTLE_S:.0f} s",
    )


def factor(displacement: int) -> DERControlBase:
    """A fixed power factor, over-excited, in thousandths."""
    value = PowerFactorWithExcitation(displacement=displacement, excitation=False, multiplier=-3)
    return DERControlBase(opModFixedPFInjectW=value)
