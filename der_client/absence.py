"""Events that ran while no client was there: their devices fell back by themselves. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from function_sets import ACTING, EventRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """From when to when no client ran, server time, s; after `most_s` of it devices fall back."""

    since: int
    until: int
    most_s: int

    def marked(self, records: Mapping[str, EventRecord]) -> dict[str, EventRecord]:
        """The records; those of events that devices left while they were alone say so.

        That such an event was completed is not said at its end. IEEE 2030.5-2018, 10.2.3.
        """
        return {
            mrid: replace(record, is_unheld=True) if self._is_left(record) else record
            for mrid, record in records.items()
        }

    def _is_left(self, record: EventRecord) -> bool:
        alone_s = min(self.until, record.end) - max(self.since, record.start)
        return record.phase in ACTING and alone_s > self.most_s
