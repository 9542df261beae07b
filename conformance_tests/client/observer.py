"""Who watches the device behind a client: what it does now, or the answer to a question. A Protocol."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a device does now; None or absent where the observer cannot tell.

    Power is positive out of the device into the grid. `power_factor` is a magnitude; `settings` has what the
    device holds of a mode, by the name of its element: percents in % (opModMaxLimW 60.0), powers in W, fixed
    power factors as magnitudes, booleans as 0 and 1, and 1 for a curve that is in force.
    """

    power_w: float | None = None
    reactive_var: float | None = None
    power_factor: float | None = None
    is_connected: bool | None = None
    is_energized: bool | None = None
    settings: Mapping[str, float] = field(default_factory=dict)


class Observer(Protocol):
    """Watches the devices of a run, each named by the LFDI of its EndDevice."""

    async def observe(self, lfdi: str) -> Observation:
        """What a device does now. TargetError where that could not be read."""
        ...

    async def cause(self, lfdi: str, what: str) -> bool:
        """Let something happen at a device or its client; False where nobody can be asked for it."""
        ...

    async def confirm(self, lfdi: str, question: str) -> bool | None:
        """Whether something is so that is seen at the device; None where the observer cannot tell."""
        ...
