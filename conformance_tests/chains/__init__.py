"""Certificate chains and offers for tests: right ones, and wrong ones, each wrong in one thing."""

from conformance_tests.chains.ca import Identity, IssuingRoot, written
from conformance_tests.chains.offers import OFFERS, Offered
from conformance_tests.chains.sides import MUTUAL, Side, rows_of
from conformance_tests.chains.table import CHAINS, Chain

__all__ = [
    "CHAINS",
    "MUTUAL",
    "OFFERS",
    "Chain",
    "Identity",
    "IssuingRoot",
    "Offered",
    "Side",
    "rows_of",
    "written",
]
