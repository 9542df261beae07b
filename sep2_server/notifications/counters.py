"""What notifications did since the process began, for metrics."""

from collections import Counter
from enum import StrEnum

from sep2_server.profiles import BASE_PROFILE, ServerProfile


class Result(StrEnum):
    """How one delivery ended."""

    DELIVERED = "delivered"
    """An answer of `notification_statuses`."""
    REFUSED = "refused"
    """A 3xx, or a 4xx other than 400: final for this notification."""
    UNWANTED = "unwanted"
    """A 400: the subscription goes. CSIP ERR-002."""
    FAILED = "failed"
    """A 5xx, or no connection: tried again."""
    LOST = "lost"
    """The client may no longer see the resource: the subscription ends."""
    GONE = "gone"
    """The client is no longer enrolled."""
    WITHHELD = "withheld"
    """Its client, or who speaks for it, is blocked or disabled, or the server is out of service: kept."""
    LATER = "later"
    """Given back: its listener has enough to do, its claim could end on the way, or the server failed."""


class Counters:
    """Counts of deliveries by result, of notifications that were owed, of those given up, and dropped."""

    def __init__(self) -> None:
        self.deliveries: Counter[Result] = Counter()
        self.owed = 0
        self.dead = 0
        self.dropped = 0

    def as_numbers(self) -> dict[str, int]:
        """All counts by name."""
        told = {f"deliveries_{result.value}": self.deliveries[result] for result in Result}
        return {"owed": self.owed, "dead": self.dead, "dropped": self.dropped, **told}


def result_of(status: int, rules: ServerProfile = BASE_PROFILE) -> Result:
    """What an answer to a notification means. CSIP ERR-002; CSIP-AUS: 3xx and 4xx are final."""
    if status in rules.notification_statuses:
        return Result.DELIVERED
    if status in rules.notification_end_statuses:
        return Result.UNWANTED
    return Result.FAILED if status >= 500 else Result.REFUSED
