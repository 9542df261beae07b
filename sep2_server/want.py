"""What a write will ask the store for, told before it runs."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Want:
    """What a job will ask for: URIs; mRIDs with their owners; mRIDs of whoever; so many new row ids."""

    hrefs: Sequence[str] = ()
    names: Sequence[tuple[str, int | None]] = ()
    mrids: Sequence[str] = ()
    ids: int = 0

    @property
    def is_one_href(self) -> bool:
        """Whether it is one URI and nothing else."""
        return len(self.hrefs) == 1 and not (self.names or self.mrids or self.ids)
