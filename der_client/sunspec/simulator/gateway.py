"""The units behind one port of a simulator, whatever the port is: from a request to its answer. Pure."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from der_client.sunspec.requests import GATEWAY_SILENT, exception_answer
from der_client.sunspec.simulator.bank import SilentUnitError
from der_client.sunspec.simulator.faults import FaultSwitches
from der_client.sunspec.simulator.pdu import RegisterStore, answer
from der_client.sunspec.simulator.roles import GuardedStore

BROADCAST: Final = 0
GARBAGE: Final = b"\xde\xad\xbe\xef" * 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """The role that the certificate of a client gives it, if any."""

    role: str | None


class Gateway:
    """Units with what goes wrong. A unit that is not there is exception 11, or silence."""

    def __init__(
        self,
        units: Mapping[int, RegisterStore],
        faults: FaultSwitches | None = None,
        *,
        unknown_unit_is_silent: bool = False,
    ) -> None:
        self.units = units
        self.faults = faults or FaultSwitches()
        self._unknown_unit_is_silent = unknown_unit_is_silent

    def answer(self, unit: int, request: bytes, guard: Guard | None = None) -> bytes | None:
        """The PDU for a request, with the exceptions that are switched on; `None` for silence."""
        store, code = self.units.get(unit), self.faults.exception_code
        if store is None:
            return None if self._unknown_unit_is_silent else exception_answer(request[0], GATEWAY_SILENT)
        if code is not None and request[0] in self.faults.exception_functions:
            return exception_answer(request[0], code)
        try:
            return answer(GuardedStore(store, guard.role) if guard else store, request)
        except SilentUnitError:
            return None

    def broadcast(self, request: bytes) -> None:
        """What is written to all units at once; nobody answers. MODBUS over Serial Line V1.02, 2.1."""
        for store in self.units.values():
            with suppress(SilentUnitError):
                answer(store, request)
