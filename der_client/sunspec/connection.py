"""A scanned device on the bus: its map, refreshed by coalesced reads, scanned again when it has changed."""

import logging
from collections.abc import Container, Mapping

from der_client.device import Fault, FaultKind
from der_client.sunspec.model import DeviceMap
from der_client.sunspec.polling import Poll, polls_of
from der_client.sunspec.scan import ILLEGAL_ADDRESS, MARKER, Adapt, Failure, ScanSettings, scan
from der_client.sunspec.transport import ModbusTransport

log = logging.getLogger(__name__)


def fault_of(failure: Failure, point: str | None = None) -> Fault:
    """A failed request as the core knows it."""
    return Fault(kind=failure.kind, detail=failure.detail, point=point)


async def run_scan(
    transport: ModbusTransport,
    settings: ScanSettings,
    wanted: Container[int] | None = None,
    adapt: Adapt | None = None,
) -> DeviceMap | Failure:
    """Discover the device: carry the reads of the scan to the bus and the answers back."""
    steps = scan(settings, wanted, adapt)
    try:
        read = next(steps)
        while True:
            read = steps.send(await transport.read(read.address, read.count))
    except StopIteration as done:
        result: DeviceMap | Failure = done.value
        return result


class Connection:
    """The register map of one device and the transport that keeps it fresh."""

    def __init__(
        self, transport: ModbusTransport, settings: ScanSettings, adapt: Adapt | None = None
    ) -> None:
        self.transport = transport
        self.settings = settings
        self._adapt = adapt
        self._map: DeviceMap | None = None
        self._polls: dict[tuple[object, ...], tuple[Poll, ...]] = {}

    async def knock(self) -> Fault | None:
        """None once the device answers a read where a map may begin, be it by an exception code."""
        fault: Fault | None = None
        for base in self.settings.bases:
            answer = await self.transport.read(base, len(MARKER))
            if not isinstance(answer, Failure) or answer.code is not None:
                return None
            fault = fault_of(answer)
        return fault

    async def rescan(self) -> DeviceMap | Fault:
        """Discover the device anew; a device that is not the one of the last scan is reported in the log."""
        known = self._map
        self._map = None
        result = await run_scan(self.transport, self.settings, adapt=self._adapt)
        if isinstance(result, Failure):
            return fault_of(result)
        if known and known.identity() != result.identity():
            log.warning("%s is no longer %s but %s", self.transport.name, known.identity(), result.identity())
        for warning in result.warnings:
            log.info("%s: %s", self.transport.name, warning)
        self._map = result
        self._polls.clear()
        return result

    def holds(self, device_map: DeviceMap) -> bool:
        """True if this map is the one in use."""
        return self._map is device_map

    def forget(self) -> None:
        """Scan again before the next use: the device has refused an address of the map."""
        self._map = None

    @property
    def map(self) -> DeviceMap | None:
        """The map, if it is known."""
        return self._map

    async def known(self) -> DeviceMap | Fault:
        """The map as it is known, without reading anything but a map that is not known."""
        return self._map or await self.rescan()

    async def refreshed(self, wanted: Mapping[int, str | None]) -> DeviceMap | Fault:
        """The map with fresh registers of the wanted models.

        A refused address or a changed header means that the map moved: then it is scanned again, once.
        """
        if self._map is not None:
            problem = await self._refresh(self._map, wanted)
            if problem is None:
                return self._map
            if problem.code != ILLEGAL_ADDRESS and problem.kind is not FaultKind.STALE:
                return fault_of(problem)
            log.warning("%s: scan again: %s", self.transport.name, problem.detail)
        return await self.rescan()

    async def _refresh(self, device_map: DeviceMap, wanted: Mapping[int, str | None]) -> Failure | None:
        for poll in self._polls_of(device_map, wanted):
            answer = await self.transport.read(poll.read.address, poll.read.count)
            if isinstance(answer, Failure):
                return answer
            change = poll.absorb(answer)
            if change:
                return Failure(FaultKind.STALE, change)
        return None

    def _polls_of(self, device_map: DeviceMap, wanted: Mapping[int, str | None]) -> tuple[Poll, ...]:
        """The reads of a cycle, worked out once for each map."""
        key = tuple(wanted.items())
        polls = self._polls.get(key)
        if polls is None:
            polls = self._polls[key] = polls_of(device_map, wanted, device_map.max_block)
        return polls
