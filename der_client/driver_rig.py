"""The bench of the driver contract: a driver, its device in the tester's hands, and what is demanded."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from der_client.device import Applied, Fault, Nameplate, Reversion, Setpoint, Telemetry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from der_client.driver import Driver

T = TypeVar("T")
ANSWER_S: Final = 10.0
RECOVERY_S: Final = 30.0
PAUSE_S: Final = 0.02
NO_REVERSION: Final = Reversion()


class ContractBrokenError(AssertionError):
    """A driver breaks a promise of the contract; the text says which and how."""


class NotApplicableError(Exception):
    """The device lacks what the promise is about; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the device itself holds and does at this moment, seen without the driver.

    `max_w_pct` is its limit in % of setMaxW and `target_w` its setpoint in W, `None` where none is in
    force; `power_w` is what flows, positive out of the device.
    """

    max_w_pct: float | None
    target_w: float | None
    power_w: float


class Rig(Protocol):
    """A driver wired to a simulated device that its author can look into and misuse.

    `faults` has a switch for each way in which the device can go wrong, by name.
    """

    driver: Driver[object]
    faults: Mapping[str, Callable[[bool], None]]

    def held(self) -> Held:
        """What the device holds now."""
        ...

    async def advance(self, seconds: float) -> None:
        """Let so much time pass for the device."""
        ...

    async def set_reachable(self, *, is_reachable: bool) -> None:
        """Cut the line to the device, or mend it."""
        ...


def require(is_kept: object, words: str) -> None:
    """Break the contract with these words unless it is kept."""
    if not is_kept:
        raise ContractBrokenError(words)


async def bounded(call: Awaitable[T], what: str) -> T:
    """The result of a call that must end within 10 s and must not raise for what happens in the field."""
    try:
        async with asyncio.timeout(ANSWER_S):
            return await call
    except TimeoutError as error:
        raise ContractBrokenError(f"{what} does not end within {ANSWER_S:g} s") from error
    except (OSError, ValueError, ArithmeticError, LookupError, TypeError, RuntimeError) as error:
        raise ContractBrokenError(f"{what} raises {error!r}; a fault of the field is a value") from error


async def identified(rig: Rig) -> Nameplate:
    """The ratings of the device; the contract is broken without them."""
    plate = await bounded(rig.driver.identify(), "identify")
    require(isinstance(plate, Nameplate), f"identify of a healthy device gives {plate}")
    if not isinstance(plate, Nameplate):  # never: `require` has raised
        raise ContractBrokenError(str(plate))
    return plate


async def recovered(rig: Rig, why: str) -> Nameplate:
    """The ratings, once the driver has found its device again; it may take 30 s to do so."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + RECOVERY_S
    while True:
        plate = await bounded(rig.driver.identify(), f"identify after {why}")
        if isinstance(plate, Nameplate):
            return plate
        require(loop.time() < end_s, f"{RECOVERY_S:g} s after {why} identify still gives {plate}")
        await asyncio.sleep(PAUSE_S)


async def applied(rig: Rig, setpoint: Setpoint, reversion: Reversion = NO_REVERSION) -> Applied:
    """What a healthy device makes of a setpoint; a Fault breaks the contract."""
    result = await bounded(rig.driver.apply(setpoint, reversion), f"apply of {setpoint}")
    if isinstance(result, Fault):
        raise ContractBrokenError(f"apply of {setpoint} at a healthy device gives {result}")
    return result


async def reading(rig: Rig) -> Telemetry:
    """A reading of a healthy device; a Fault breaks the contract."""
    result = await bounded(rig.driver.read(), "read")
    if isinstance(result, Fault):
        raise ContractBrokenError(f"read of a healthy device gives {result}")
    return result


def needs(plate: Nameplate, mode: str) -> None:
    """The promise is about this mode: a device without it cannot be held to it."""
    if mode not in plate.modes:
        raise NotApplicableError(f"the device does not offer {mode}")
