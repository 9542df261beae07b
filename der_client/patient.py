"""What a device is told and has not done yet: it needs longer than one `apply` may take."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from der_client.device import Applied, Fault, FaultKind

PAUSE_S: Final = 0.2


def is_pending(result: Applied | Fault) -> bool:
    """True while a device has not done yet what it was told."""
    return isinstance(result, Fault) and result.kind is FaultKind.PENDING


async def until_done(told: Callable[[], Awaitable[Applied | Fault]]) -> Applied | Fault:
    """What becomes of a setpoint that `told` tells, again while it is pending, until the device gives up.

    For who has nothing else to do meanwhile.
    """
    result = await told()
    while is_pending(result):
        await asyncio.sleep(PAUSE_S)
        result = await told()
    return result
