"""What any driver must keep, as checks that its author runs against a simulated device.

    @pytest.mark.parametrize("check", CHECKS, ids=str)
    def test_my_driver_keeps_the_contract(check: Check) -> None:
        check.run(my_rig)

`my_rig` is an async context manager that gives a fresh `Rig`: the driver, and the device in your hands.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from der_client import driver_checks as does
from der_client.driver_rig import ContractBrokenError, Held, NotApplicableError, Rig, bounded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

__all__ = ["CHECKS", "Check", "ContractBrokenError", "Held", "NotApplicableError", "Rig", "bounded"]

CHECK_S: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One promise of a driver; `run` returns if it is kept.

    ContractBrokenError says which promise was broken and how. NotApplicableError says why a device that
    lacks a function cannot be held to it: a test shows that as skipped.
    """

    name: str
    body: Callable[[Rig], Awaitable[None]]

    def __str__(self) -> str:
        return self.name

    def run(self, rigs: Callable[[], AbstractAsyncContextManager[Rig]]) -> None:
        """Hold a fresh rig to the promise, in an event loop of its own."""
        asyncio.run(self.hold(rigs))

    async def hold(self, rigs: Callable[[], AbstractAsyncContextManager[Rig]]) -> None:
        """The same in the loop that runs."""
        async with rigs() as rig, asyncio.timeout(CHECK_S):
            await self.body(rig)


CHECKS: Final = (
    Check(name="its settings are a frozen dataclass that TOML can write", body=does.has_a_schema),
    Check(name="adding it opens nothing, and it can be closed at any time", body=does.opens_nothing),
    Check(name="identify gives plausible ratings", body=does.identifies),
    Check(name="read gives what the device does, generation positive", body=does.reads),
    Check(name="a limit is executed, read back and released", body=does.executes_a_limit),
    Check(name="a target is executed and read back", body=does.executes_a_target),
    Check(name="what the device cannot do is named, not faked", body=does.names_what_it_cannot),
    Check(name="silence of the client ends a setpoint, a refresh prolongs it", body=does.reverts),
    Check(name="close leaves the reversion timers armed", body=does.leaves_timers_armed),
    Check(name="a driver that was closed can be used again", body=does.opens_again),
    Check(name="a dead device is a Fault in bounded time", body=does.bounds_a_dead_device),
    Check(name="health tells good from silent", body=does.tells_health),
    Check(name="no fault in the field raises or is told as success", body=does.survives_faults),
    Check(name="a call may be cancelled at any moment", body=does.survives_cancellation),
    Check(name="subscribe gives readings until it is closed", body=does.subscribes),
)
