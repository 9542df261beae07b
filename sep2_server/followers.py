"""Which curves a control or a default follows, as the store keeps it. Pure. IEEE 2030.5-2018, 10.10."""

import re
from typing import Final

from schemas.codes import EventState
from sep2_server.rows import Row

FOLLOWING: Final = frozenset({"DERControl", "DefaultDERControl"})
"""What has modes, some of which follow a DERCurve."""
_STATES: Final = frozenset({None, int(EventState.SCHEDULED), int(EventState.ACTIVE)})
"""Those of a default, and of an event that is not over."""
_LINK: Final = re.compile(rb' href="([^"]*)"')


def followed(row: Row | None) -> frozenset[str]:
    """URIs of the curves that a resource follows; none of what is over, or has no modes."""
    if row is None or row.kind not in FOLLOWING or row.status not in _STATES:
        return frozenset()
    _, _, modes = row.body.partition(b"<DERControlBase")
    return frozenset(link.decode() for link in _LINK.findall(modes))
