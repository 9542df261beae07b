"""All planted faults, in the order of their families."""

from typing import Final

from conformance_tests import Role
from tests.integration.conformance.planted import (
    of_aggregator,
    of_aus_client,
    of_aus_server,
    of_csip_client,
    of_csip_server,
    of_event_client,
    of_events,
    of_lists,
    of_methods,
    of_tls,
)
from tests.integration.conformance.planted.row import NAMED, Planted

FAULTS: Final[tuple[Planted, ...]] = (
    *of_methods.FAULTS,
    *of_lists.FAULTS,
    *of_csip_server.FAULTS,
    *of_events.FAULTS,
    *of_aus_server.FAULTS,
    *of_tls.FAULTS,
    *of_csip_client.FAULTS,
    *of_event_client.FAULTS,
    *of_aggregator.FAULTS,
    *of_aus_client.FAULTS,
)

GENERATED: Final = frozenset({"access", "bodies", "lists", "methods", "subscribable"})
"""Families whose cases take no time."""
EVERY: Final = 3
"""Of the faults that procedures catch so many are one of those that every run plays."""


def _sample() -> frozenset[str]:
    """Names of the faults that every run plays; the others are played by whole runs alone.

    Those that generated cases catch, every third of the others that are not long, and the first of each
    kind that must be there, of servers and of clients.
    """
    procedures = [one for one in FAULTS if not (one.families <= GENERATED or one.is_long)]
    found = {one.name for one in FAULTS if one.families <= GENERATED}
    found.update(one.name for one in procedures[::EVERY])
    for is_server in (True, False):
        peers = [one for one in FAULTS if (one.role is Role.SERVER) is is_server]
        firsts = {kind: one.name for kind in NAMED for one in reversed(peers) if one.kind is kind}
        found.update(firsts.values())
    return frozenset(found)


SAMPLE: Final = _sample()
NAMED_CASES: Final = frozenset(case for one in FAULTS for case in one.cases)
SAMPLED_CASES: Final = frozenset(case for one in FAULTS if one.name in SAMPLE for case in one.cases)
"""Cases that every run plays without a fault too."""
