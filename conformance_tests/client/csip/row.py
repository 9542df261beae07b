"""Rows of the CSIP test procedures that a client plays, and cases made of them.

SunSpec CSIP Conformance Test Procedures 1.3. An optional procedure warns, and does not fail.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from conformance_tests.case import AnyCase, Case, Level, Need, Role
from conformance_tests.client.bench import ClientBench
from conformance_tests.sources import CSIP

PROFILES: Final = frozenset({"csip"})
NOTHING: Final = frozenset[Need]()

Procedure = Callable[[ClientBench], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One procedure: its name and title, what it requires, for whom, and how it is played.

    `client` and `aggregator` say how strongly (None: the procedure is not theirs). `lasts_s` is the time of
    the schedule, s.
    """

    name: str
    title: str
    requirement: str
    procedure: Procedure
    lasts_s: float
    client: Level | None = Level.MUST
    aggregator: Level | None = Level.MUST
    needs: frozenset[Need] = NOTHING
    preconditions: tuple[str, ...] = ()

    def cases(self) -> tuple[AnyCase, ...]:
        """The cases of this row, one for each role that has to play it."""
        roles = ((Role.DER_CLIENT, self.client), (Role.AGGREGATOR, self.aggregator))
        return tuple(self._case(role, level) for role, level in roles if level is not None)

    def _case(self, role: Role, level: Level) -> AnyCase:
        return Case(
            id=f"csip/{self.name}/{role}",
            title=self.title,
            source=CSIP,
            clause=self.name,
            requirement=self.requirement,
            role=role,
            procedure=self.procedure,
            level=level,
            profiles=PROFILES,
            needs=self.needs,
            preconditions=self.preconditions,
            lasts_s=self.lasts_s,
        )
