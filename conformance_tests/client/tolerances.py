"""How far from the letter a client may be: every tolerance of the client's cases, in one place.

Times on the wire are whole seconds, clients look at their schedule once in a while, and an answer takes its
way; none of this is a fault.
"""

from typing import Final

EARLY_S: Final = 2.0
"""An event may begin or end this much before its time: whole seconds, and a server clock read a while ago."""
LATE_S: Final = 15.0
"""An event must have begun or ended this much after its time, and a Response be there."""
RECEIVED_S: Final = 15.0
"""A Response 1 comes at most this much after the first reading in which the event stood."""
POLL_EARLY_SHARE: Final = 0.1
"""A pollRate is kept where intervals are at most this share shorter than it: clients may spread them."""
POLL_EARLY_S: Final = 1.0
"""... and at least this much may be missing, because times are whole seconds."""
POLL_LATE_FACTOR: Final = 2.0
"""A resource is read again at the latest after this many pollRates ..."""
POLL_LATE_S: Final = 30.0
"""... and this much."""
POST_EARLY_SHARE: Final = 0.1
"""Readings are posted at intervals at most this share shorter than postRate."""
DISCOVERY_S: Final = 120.0
"""Function set assignments and their programs are all read within this time. CSIP, CORE-010."""
SETTLE_S: Final = 120.0
"""A client has found its EndDevice and all that is assigned to it after this much, from its first request."""
CLOCK_S: Final = 5
"""Times that a client writes differ at most this much from the server's Time."""
DEVICE_S: Final = 30.0
"""A device does what an event says at most this much after its start."""
