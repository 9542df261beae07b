"""A device that is there and does nothing."""

from der_client import Applied, Fault, FaultKind, Nameplate, Reversion, Setpoint
from der_client.device import Telemetry


class StillDevice:
    """Does not answer."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def identify(self) -> Nameplate | Fault:
        return Fault(kind=FaultKind.NO_ANSWER, detail="still")

    async def read(self) -> Telemetry | Fault:
        return Fault(kind=FaultKind.NO_ANSWER, detail="still")

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        return Fault(kind=FaultKind.NO_ANSWER, detail="still")

    async def close(self) -> None:
        return None
