"""The network of the aggregator procedures: seven levels, four inverters, and one aggregator for them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conformance_tests.server.csip import steps
from conformance_tests.server.csip.event_series import Party

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance_tests.server.bench import ServerBench, Viewer
    from schemas import DERProgram, EndDevice

LEVELS: Final = (10, 9, 8, 7, 6, 5, 4)
"""Primacy of the program of each level, from the system down to the service point."""
PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "EDA1": ("SY", "ST", "SS", "FDA", "SGA", "TFA", "SPA1"),
    "EDA2": ("SY", "ST", "SS", "FDA", "SGA", "TFA", "SPA2"),
    "EDB1": ("SY", "ST", "SS", "FDB", "SGB", "TFB", "SPB1"),
    "EDB2": ("SY", "ST", "SS", "FDB", "SGB", "TFB", "SPB2"),
}
"""The nodes above each inverter."""
NODES: Final = tuple(dict.fromkeys(node for path in PATHS.values() for node in path))


def lfdi_of(name: str, aggregator: str) -> str:
    """LFDI of an inverter: a hash of its name, and the last digits of its aggregator's LFDI."""
    return hashlib.sha256(f"conformance {name}".encode()).hexdigest()[:32].upper() + aggregator[-8:].upper()


def primacy_of(node: str) -> int:
    """Primacy of the program of a node."""
    return next(LEVELS[path.index(node)] for path in PATHS.values() if node in path)


@dataclass(slots=True, kw_only=True)
class Fleet:
    """The aggregator with its own EndDevice, and its inverters by name."""

    viewer: Viewer
    own: EndDevice
    devices: dict[str, EndDevice]
    programs: dict[str, dict[str, DERProgram]]

    def lfdi(self, name: str) -> str:
        """LFDI of an inverter."""
        return lfdi_of(name, self.viewer.lfdi)

    def program(self, node: str) -> DERProgram:
        """The program of a node, as an inverter below it sees it."""
        return next(seen[node] for seen in self.programs.values() if node in seen)

    def below(self, node: str) -> Sequence[str]:
        """The inverters that a node governs."""
        return [name for name, seen in self.programs.items() if node in seen]

    def parties(self) -> Mapping[str, Party]:
        """The inverters as those who respond."""
        return {
            name: Party(viewer=self.viewer, lfdi=self.lfdi(name), programs=seen)
            for name, seen in self.programs.items()
        }


async def place(bench: ServerBench, name: str, path: Sequence[str], nodes: Sequence[str]) -> None:
    """Register an inverter and give it those programs of its path that are among `nodes`."""
    lfdi = lfdi_of(name, bench.aggregator.lfdi)
    await bench.operator.ensure_device(lfdi, aggregator=bench.aggregator.lfdi)
    for node in path:
        if node in nodes:
            await bench.operator.assign(lfdi, node, primacy=primacy_of(node))


async def fleet(bench: ServerBench, nodes: Sequence[str] = NODES) -> Fleet:
    """Build the network with these nodes, and look at it as the aggregator does."""
    viewer = bench.aggregator
    await bench.operator.ensure_device(viewer.lfdi, pin=steps.PIN, ders=0, is_aggregator=True)
    for name, path in PATHS.items():
        await place(bench, name, path, nodes)
    own = await steps.end_device(bench, viewer)
    found = Fleet(viewer=viewer, own=own, devices={}, programs={})
    for name, path in PATHS.items():
        await look(bench, found, name, [node for node in path if node in nodes])
    return found


async def look(bench: ServerBench, found: Fleet, name: str, nodes: Sequence[str]) -> None:
    """Find an inverter and its programs, which must be those of these nodes and no others."""
    device = await steps.end_device(bench, found.viewer, found.lfdi(name))
    seen = {one.primacy: one for one in await steps.programs(bench, found.viewer, device)}
    due = {primacy_of(node): node for node in nodes}
    what = f"{name} has the programs of all nodes above it, and no others"
    bench.trial.require(set(seen) == set(due), what, seen=f"primacies {sorted(seen)}, due {sorted(due)}")
    found.devices[name] = device
    found.programs[name] = {due[primacy]: program for primacy, program in seen.items()}
