"""What this client took out of service, and how it is brought back after a restart.

While it runs, drivers remember that themselves; no device does it by itself. What somebody else took out of
service stays there.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from der_client.device import Reversion, Setpoint
from der_client.kept import Kept

FIELDS: Final = ("connect", "energize")
"""Fields of the Setpoint that take a device out of service."""


@dataclass(slots=True)
class Service:
    """By which fields a device is out of service, and which of them an earlier run has left for this one."""

    out: frozenset[str] = frozenset()
    owed_back: frozenset[str] = frozenset()

    async def restore(self, kept: Kept) -> None:
        """Take up what an earlier run left."""
        self.out = self.owed_back = await kept.taken_out()

    async def note(self, setpoint: Setpoint, kept: Kept, *, is_held: bool) -> None:
        """Keep what a setpoint made of it, held by the device or not: a later run has to bring it back."""
        fields = taken_out_by(setpoint)
        is_waiting = bool(self.owed_back) and is_idle(setpoint)
        if not fields and (is_waiting or not is_held):
            return
        if not fields:
            self.owed_back = frozenset()
        out = fields | self.owed_back
        if out != self.out:
            self.out = out
            await kept.keep_taken_out(out)


def taken_out_by(setpoint: Setpoint) -> frozenset[str]:
    """The fields by which a setpoint takes a device out of service; none where it does not."""
    return frozenset(name for name in FIELDS if getattr(setpoint, name) is False)


def is_idle(setpoint: Setpoint) -> bool:
    """True for a setpoint that lets a device give nothing."""
    return setpoint.max_w_pct == 0.0


def brought_back(setpoint: Setpoint, fields: Iterable[str]) -> Setpoint:
    """The setpoint that says in so many words that the device is in service again.

    Unchanged where it takes the device out itself, or lets it give nothing: a BMS that was lost and has not
    spoken since the restart keeps its inverter out.
    """
    if taken_out_by(setpoint) or is_idle(setpoint):
        return setpoint
    owed = set(fields)
    connect = True if "connect" in owed else setpoint.connect
    return replace(setpoint, connect=connect, energize=True if "energize" in owed else setpoint.energize)


def resting(reversion: Reversion) -> Reversion:
    """The reversion of a device that must stand still: without us it goes nowhere else."""
    target_w = None if reversion.to.target_w is None else 0.0
    to = replace(reversion.to, connect=False, energize=False, max_w_pct=0.0, target_w=target_w)
    return replace(reversion, to=to)
