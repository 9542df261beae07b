"""The rows of the CSIP procedures that name a server as what is tested, and the cases made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conformance_tests.case import AnyCase, Case, Level, Need, Role
from conformance_tests.sources import CSIP

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conformance_tests.server.bench import ServerBench

OPERATOR: Final = frozenset({Need.OPERATOR})
AGGREGATOR: Final = frozenset({Need.OPERATOR, Need.AGGREGATOR})
NOTIFIED: Final = frozenset({Need.OPERATOR, Need.AGGREGATOR, Need.LISTENER})
NOT_REQUIRED: Final = frozenset(
    {"COMM-001", "CORE-001", "CORE-002", "CORE-004", "CORE-023", "BASIC-013", "BASIC-014"}
    | {"UTIL-001", "MAINT-002"}
)
"""Rows that the profile matrix does not require of a server: what they find is a warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: what the case is called, and what a server has to do in it, in our own words."""

    id: str
    title: str
    requirement: str

    def case(
        self,
        procedure: Callable[[ServerBench], Awaitable[None]],
        *,
        needs: frozenset[Need] = frozenset(),
        lasts_s: float = 5.0,
        preconditions: tuple[str, ...] = (),
        profiles: frozenset[str] = frozenset({"base", "csip", "csip_aus"}),
    ) -> AnyCase:
        """The case of this row for a server."""
        return Case(
            id=f"csip/{self.id}/server",
            title=self.title,
            source=CSIP,
            clause=self.id,
            requirement=self.requirement,
            role=Role.SERVER,
            procedure=procedure,
            level=Level.SHOULD if self.id in NOT_REQUIRED else Level.MUST,
            profiles=profiles,
            needs=needs,
            preconditions=preconditions,
            lasts_s=lasts_s,
        )


def row(id_: str, title: str, requirement: str) -> Row:
    """A row."""
    return Row(id=id_, title=title, requirement=requirement)
