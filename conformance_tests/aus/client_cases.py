"""The procedures for clients as cases, for DER clients and for aggregators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance_tests.aus.client_play import ASKED_S, Play, limit_s
from conformance_tests.aus.client_procedures import PROCEDURES
from conformance_tests.aus.client_words import AddControl, Elapsed
from conformance_tests.case import Case, Role
from schemas import csip_aus

if TYPE_CHECKING:
    from conformance_tests.aus.client_words import ClientProcedure
    from conformance_tests.client.bench import ClientBench

BY_SUBSCRIPTION: Final = frozenset({"S-L", "S-G"})
"""Classes of clients that are notified: aggregators."""
OF_SEVERAL: Final = frozenset({"P-01"})
"""Procedures that need several EndDevices: an aggregator's."""
NAMESPACES: Final = {
    "v1.2": csip_aus.CSIP_AUS_V1_2.name,
    "v1.3-beta/storage": csip_aus.CSIP_AUS_V1_3_STORAGE.name,
    "v1.3": csip_aus.CSIP_AUS_V1_3.name,
}
"""The profile of documents of each version."""


def roles_of(procedure: ClientProcedure) -> tuple[Role, ...]:
    """Who a procedure is for."""
    if BY_SUBSCRIPTION & set(procedure.classes) or procedure.name in OF_SEVERAL:
        return (Role.AGGREGATOR,)
    return (Role.DER_CLIENT, Role.AGGREGATOR)


def lasts_s(procedure: ClientProcedure) -> float:
    """About how long a procedure takes, s of the stage's time."""
    waits = sum(step.on.seconds for step in procedure.steps if isinstance(step.on, Elapsed))
    acts = [*procedure.acts, *(act for step in procedure.steps for act in step.acts)]
    runs = sum(act.duration_s for act in acts if isinstance(act, AddControl))
    return float(ASKED_S + max(waits, runs) + 60 * len(procedure.steps))


def case_of(procedure: ClientProcedure, role: Role) -> Case[ClientBench]:
    """A procedure as a case of one role."""

    async def play(bench: ClientBench) -> None:
        if bench.profile.name not in {NAMESPACES[one] for one in procedure.versions}:
            told = ", ".join(sorted(procedure.versions))
            bench.trial.skip(f"the procedure is of {told}, this run of {bench.profile.name}")
        if bench.classes and not bench.classes & set(procedure.classes):
            bench.trial.skip(
                f"for clients of class {', '.join(procedure.classes)}, which this one does not claim"
            )
        await Play(bench, procedure).run()

    return Case(
        id=f"csip-aus/{procedure.name}/{role}",
        title=procedure.title,
        source="CSIP-AUS conformance procedures (SA TS 5573), clients",
        clause=procedure.name,
        requirement=f"a client of class {', '.join(procedure.classes)} {procedure.title}",
        role=role,
        procedure=play,
        profiles=frozenset({"csip_aus"}),
        preconditions=(procedure.tell,) if procedure.tell else (),
        lasts_s=lasts_s(procedure),
        bound_s=2 * limit_s(procedure) + lasts_s(procedure),
    )


CASES: Final = tuple(case_of(procedure, role) for procedure in PROCEDURES for role in roles_of(procedure))
