"""What holds from a known second on, worked out before an event starts or ends."""

from dataclasses import dataclass

from der_client.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What holds from server time `at`, s, on if nothing is heard until then."""

    at: int
    plan: Plan
