"""How far an event is at a client, and the codes that it answers with. IEEE 2030.5-2018, 10.2.3."""

from enum import IntEnum, StrEnum
from typing import Final

RECEIVED_BIT, SPECIFIC_BIT, USER_BIT = 0x01, 0x02, 0x04
"""Bits of responseRequired."""


class Phase(StrEnum):
    """How far an event is at this client."""

    RECEIVED = "received"
    """Known and not acted on yet."""
    DECLINED = "declined"
    """The user opted out before the event ran."""
    OPTED_IN = "opted in"
    """The user opted in again after the start; the event does not run yet."""
    STARTED = "started"
    LEFT = "left"
    """The user opted out while the event ran."""
    REJOINED = "rejoined"
    """The event runs, after the user opted in to what was already going on."""
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    OPTED_OUT = "opted out"
    """The event is over and the user was out at its end."""
    REJECTED = "rejected"
    FAILED = "not held"
    """The event is over, and devices did not hold all of it: that it was completed is not said."""


READY: Final = frozenset({Phase.RECEIVED, Phase.OPTED_IN})
"""Phases from which an event starts."""
UNSTARTED: Final = READY | {Phase.DECLINED}
ACTING: Final = frozenset({Phase.STARTED, Phase.REJOINED})
"""Phases in which an event governs the DER."""
RUNNING: Final = ACTING | {Phase.LEFT}
TERMINAL: Final = frozenset(Phase) - UNSTARTED - RUNNING
"""Phases that an event does not leave, unless it turns out to be open after all."""
TIMED_OUT: Final = frozenset({Phase.COMPLETED, Phase.OPTED_OUT, Phase.FAILED})
"""Phases that an event ends in by its time alone."""


class ResponseStatus(IntEnum):
    """Codes of Response.status that a DERControl may cause."""

    RECEIVED = 1
    STARTED = 2
    COMPLETED = 3
    OPT_OUT = 4
    OPT_IN = 5
    CANCELLED = 6
    SUPERSEDED = 7
    PARTLY_COMPLETED_OPT_OUT = 8
    PARTLY_COMPLETED_OPT_IN = 9
    COMPLETED_WITHOUT_PARTICIPATION = 10
    ABORTED_ALTERNATE_PROGRAM = 14
    REJECTED_NOT_APPLICABLE = 252
    REJECTED_INVALID = 253
    REJECTED_EXPIRED = 254
