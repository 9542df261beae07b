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
_LONGEST: Final = 1000
"""Characters of a link that may be one of ours, however they are made."""


def is_ours(href: str) -> bool:
    """Whether a link may lead to a resource of this server: nobody asks who hangs on another."""
    return href.startswith("/") and len(href) <= _LONGEST


def followed(row: Row | None) -> frozenset[str]:
    """URIs here of what a resource hangs on; none for a control that is over."""
    if row is None or row.kind not in FOLLOWING:
        return frozenset()
    if row.kind in _SAID:
        return _ours(_SAID[row.kind].findall(row.body))
    if row.status not in _STATES:
        return frozenset()
    _, _, modes = row.body.partition(b"<DERControlBase")
    return _ours(_LINK.findall(modes))


def _ours(links: list[bytes]) -> frozenset[str]:
    return frozenset(filter(is_ours, map(bytes.decode, links)))
