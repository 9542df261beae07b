"""Which resources hang on which others by a link across the tree, as the store keeps it. Pure.

Controls and defaults follow curves (IEEE 2030.5-2018, 10.10); what devices say of a price or a load program
goes with that.
"""

import re
from typing import Final

from schemas.codes import EventState
from sep2_server.rows import Row

MODAL: Final = frozenset({"DERControl", "DefaultDERControl"})
"""What has modes, some of which follow a DERCurve."""
_STATES: Final = frozenset({None, int(EventState.SCHEDULED), int(EventState.ACTIVE)})
"""Those of a default, and of an event that is not over."""
_LINK: Final = re.compile(rb' href="([^"]*)"')
_SAID: Final = {
    "PriceResponseCfg": re.compile(rb'<RateComponentLink href="([^"]*)"'),
    "LoadShedAvailability": re.compile(rb'<DemandResponseProgramLink href="([^"]*)"'),
}
"""What devices say of a resource, and the link in it."""
FOLLOWING: Final = MODAL | _SAID.keys()


def followed(row: Row | None) -> frozenset[str]:
    """URIs of what a resource hangs on; none for a control that is over."""
    if row is None or row.kind not in FOLLOWING:
        return frozenset()
    if row.kind in _SAID:
        return frozenset(link.decode() for link in _SAID[row.kind].findall(row.body))
    if row.status not in _STATES:
        return frozenset()
    _, _, modes = row.body.partition(b"<DERControlBase")
    return frozenset(link.decode() for link in _LINK.findall(modes))
