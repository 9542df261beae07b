"""What this client took out of service, and how it is brought back after a restart. Pure.

While it runs, drivers remember that themselves; no device does it by itself. What somebody else took out of
service stays there.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from der_client.device import Reversion, Setpoint

FIELDS: Final = ("connect", "energize")
"""Fields of the Setpoint that take a device out of service."""


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
