"""A local operator's setpoint: it beats every program and stays inside of all interlocks. Pure."""

import json
import math
from dataclasses import dataclass
from typing import Self

from der_client.desired import Desired
from der_client.device import Setpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What a local operator wants of a device until `until_s` (system time, s since 1970) or a release.

    `target_w` is positive out of the DER; `limit_pct` is % of setMaxW; `energize` false takes the device out
    of service. `is_kept` tells that it survives a restart. `by` says who wants it. ValueError for what
    no device can hold.
    """

    target_w: float | None = None
    limit_pct: float | None = None
    energize: bool | None = None
    until_s: float | None = None
    is_kept: bool = False
    by: str = ""

    def __post_init__(self) -> None:
        if self.target_w is None and self.limit_pct is None and self.energize is None:
            raise ValueError("override: a target, a limit or energize is wanted")
        if self.target_w is not None and not math.isfinite(self.target_w):
            raise ValueError("override.target_w: a number of W is wanted")
        if self.limit_pct is not None and not 0.0 <= self.limit_pct <= 100.0:
            raise ValueError("override.limit_pct: 0 to 100 is wanted")

    def desired(self) -> Desired:
        """The wish in the place of what programs want; a rule of the site still ramps it."""
        setpoint = Setpoint(energize=self.energize, max_w_pct=self.limit_pct, target_w=self.target_w)
        return Desired(setpoint=setpoint)

    def text(self) -> str:
        """The override in words."""
        parts = (
            None if self.target_w is None else f"target {self.target_w:g} W",
            None if self.limit_pct is None else f"limit {self.limit_pct:g} %",
            None if self.energize is None else f"energize {int(self.energize)}",
        )
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overriding:
    """The override in force: `ends_s` is monotonic, s. A step of the system's clock does not move its end."""

    override: Override | None = None
    ends_s: float = math.inf

    @classmethod
    def of(cls, override: Override, system_s: float, now: float) -> Self:
        """The override as it begins, or goes on after a restart, at `system_s` and monotonic `now`."""
        if override.until_s is None:
            return cls(override=override)
        return cls(override=override, ends_s=now + override.until_s - system_s)

    def at(self, now: float) -> Override | None:
        """The override in force at `now`, monotonic, s; None where none is, or it is over."""
        return self.override if now < self.ends_s else None


def override_text(override: Override | None) -> str:
    """An override as a text that survives a restart; nothing for one that is not kept."""
    if override is None or not override.is_kept:
        return "{}"
    names = ("target_w", "limit_pct", "energize", "until_s", "is_kept", "by")
    return json.dumps({name: getattr(override, name) for name in names})


def override_from(text: str | None) -> Override | None:
    """The override of a text that `override_text` made; None for no text. ValueError or TypeError else."""
    table = json.loads(text or "{}")
    return Override(**table) if table else None
