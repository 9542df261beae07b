"""What a write will ask the store for, told before it runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter


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


_HREFS, _NAMES, _MRIDS, _IDS = map(attrgetter, ("hrefs", "names", "mrids", "ids"))


def together(wants: Sequence[Want]) -> Want:
    """What several jobs will ask for as one."""
    if len(wants) == 1:
        return wants[0]
    hrefs, names, mrids = (list(chain.from_iterable(map(of, wants))) for of in (_HREFS, _NAMES, _MRIDS))
    return Want(hrefs, names, mrids, sum(map(_IDS, wants)))
