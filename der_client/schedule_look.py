"""On what a step of the schedule stands, and whether another one would find the same. Pure."""

from dataclasses import dataclass

from der_client.opting import OptOuts
from der_client.scheduler import Abilities


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a step of the schedule depends on; time alone changes nothing before `next_at`."""

    now: int
    able: Abilities
    taken: int
    opt_outs: OptOuts
    next_at: int | None = None

    def is_as(self, later: "Look") -> bool:
        """True if nothing but time has passed."""
        return (self.able, self.taken, self.opt_outs) == (later.able, later.taken, later.opt_outs)

    def still_holds(self, later: "Look") -> bool:
        """True if another step would find what this one found."""
        return (
            self.is_as(later) and self.now <= later.now and (self.next_at is None or later.now < self.next_at)
        )
