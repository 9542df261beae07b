"""Which events the user of the site takes no part in, and until when. Pure. IEEE 2030.5-2018, 10.2.3."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

FOREVER: Final = 2**62
"""An end that does not come, server time, s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a local operator asked for: out of one event, or all (None), until server time `until`, s, or in.

    `end_device` is the LFDI of the one EndDevice that is meant; None for all.
    """

    is_out: bool
    mrid: str | None = None
    until: int | None = None
    end_device: str | None = None

    def is_for(self, lfdi: str) -> bool:
        """True if it is meant for the EndDevice with this LFDI."""
        return self.end_device is None or self.end_device.upper() == lfdi.upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOuts:
    """What a local operator said: out of all events until a time, out of single ones, back in single ones.

    Times are server time, s. `out` and `back` are by mRID, in upper case.
    """

    all_until: int = 0
    out: Mapping[str, int] = field(default_factory=dict)
    back: frozenset[str] = frozenset()

    def opted_out(self, mrid: str | None, until: int | None) -> Self:
        """Out of one event, or of all (None), until a time, or until opted in again (None)."""
        end = FOREVER if until is None else until
        if mrid is None:
            return replace(self, all_until=end, back=frozenset())
        return replace(self, out={**self.out, mrid.upper(): end}, back=self.back - {mrid.upper()})

    def opted_in(self, mrid: str | None) -> Self:
        """Part in one event, or in all (None), again."""
        if mrid is None:
            return type(self)()
        kept = {one: until for one, until in self.out.items() if one != mrid.upper()}
        return replace(self, out=kept, back=self.back | {mrid.upper()})

    def leaves_out(self, mrids: Iterable[str], now: int) -> frozenset[str]:
        """Those of the events that the user takes no part in at `now`."""
        return frozenset(mrid for mrid in mrids if self._is_out(mrid.upper(), now))

    def next_at(self, now: int, other: int | None = None) -> int | None:
        """When an opt-out ends by itself after `now`, or the `other` time, whichever is first."""
        ends = (other, self.all_until, *self.out.values())
        return min((at for at in ends if at is not None and now < at < FOREVER), default=None)

    def _is_out(self, mrid: str, now: int) -> bool:
        is_out_of_all = now < self.all_until and mrid not in self.back
        return is_out_of_all or now < self.out.get(mrid, 0)

    def to_text(self) -> str:
        """A text that `from_text` reads."""
        return json.dumps({"all_until": self.all_until, "out": self.out, "back": sorted(self.back)})

    @classmethod
    def from_text(cls, text: str | None) -> Self:
        """What `to_text` wrote; out of nothing for no text."""
        table: dict[str, Any] = json.loads(text or "{}")
        back = frozenset(table.get("back", ()))
        return cls(all_until=table.get("all_until", 0), out=table.get("out", {}), back=back)
