"""Cases of chains and offers, of servers, which see devices, and of clients, which see a server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from conformance_tests.case import AnyCase, Case, Need, Role
from conformance_tests.chains.offers import OFFERS, Offered
from conformance_tests.chains.table import CHAINS, COMM_004, Chain
from conformance_tests.sources import CSIP, STANDARD

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    Procedure = Callable[[Any], Awaitable[None]]

MUTUAL: Final = frozenset({"csip", "csip_aus"})
"""Profiles in which all is over mutual TLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What is under test, and whom it sees: `peer` in words, and what `refusing` it means."""

    role: Role
    peer: str
    refusing: str
    lasts_s: float
    bound_s: float

    def chain_cases(self, procedure: Callable[[Chain], Procedure]) -> Iterator[AnyCase]:
        """A case for each chain that its peer can present, judged by the procedure."""
        for chain in CHAINS:
            if chain.is_of_device if self.role is Role.SERVER else chain.is_of_server:
                yield self._chain(chain, procedure(chain))

    def offer_cases(self, procedure: Callable[[Offered], Procedure]) -> Iterator[AnyCase]:
        """A case for each offer that its peer can make, judged by the procedure."""
        for one in OFFERS:
            if one.is_of_device if self.role is Role.SERVER else one.is_of_server:
                yield self._offer(one, procedure(one))

    def _chain(self, chain: Chain, procedure: Procedure) -> AnyCase:
        verb = "is taken" if chain.is_right else "is refused"
        return Case(
            id=f"tls/chain-{chain.id}/{self.role}",
            title=f"{self.peer} with {chain.what} {verb}",
            source=CSIP if chain.clause.startswith("COMM") else STANDARD,
            clause=chain.clause,
            requirement=f"{self.peer.capitalize()} that presents {chain.what} {verb}"
            + ("." if chain.is_right else f": {self.refusing}."),
            role=self.role,
            level=chain.level,
            profiles=MUTUAL,
            needs=self._needs(chain),
            uses=frozenset({Need.OPERATOR}) if self.role is Role.SERVER else frozenset(),
            procedure=procedure,
            lasts_s=self.lasts_s,
            bound_s=self.bound_s,
        )

    def _needs(self, chain: Chain) -> frozenset[Need]:
        """A right device must be registered before its GET can succeed; a wrong one need not be known."""
        if chain.id == "none":
            return frozenset()
        needs = {Need.TEST_CA}
        if chain.is_right and self.role is Role.SERVER:
            needs.add(Need.OPERATOR)
        return frozenset(needs)

    def _offer(self, one: Offered, procedure: Procedure) -> AnyCase:
        verb = "is taken" if one.is_taken else "is refused"
        what = f"that offers {one.what} {verb}"
        return Case(
            id=f"tls/{one.id}/{self.role}",
            title=f"{self.peer} {what}",
            source=STANDARD,
            clause="6.7",
            requirement=f"{self.peer.capitalize()} {what}: all speak TLS 1.2 with CCM_8.",
            role=self.role,
            level=one.level,
            profiles=MUTUAL,
            procedure=procedure,
            lasts_s=self.lasts_s,
            bound_s=self.bound_s,
        )


def rows_of(chains: Iterable[AnyCase]) -> Iterator[tuple[str, AnyCase]]:
    """Cases of chains that are rows of the CSIP test procedures, by the row: COMM-004 A to G."""
    for case in chains:
        if case.clause.startswith(COMM_004):
            yield case.clause.replace(" ", ""), case
