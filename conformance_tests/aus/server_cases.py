"""The procedures for servers as cases, and who plays them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from conformance_tests.aus.server_arranging import PIN, Arranging
from conformance_tests.aus.server_client import client_of
from conformance_tests.aus.server_deeds import Collect, Live, Pause, Refresh, Subscribe
from conformance_tests.aus.server_doing import Doing
from conformance_tests.aus.server_inbox import inbox_of
from conformance_tests.aus.server_judging import Agreed, judge
from conformance_tests.aus.server_living import live
from conformance_tests.aus.server_procedures import PROCEDURES
from conformance_tests.aus.server_words import Player
from conformance_tests.case import Case, Level, Need, Role
from conformance_tests.errors import Ended
from conformance_tests.server.judged import judge_of

if TYPE_CHECKING:
    from conformance_tests.aus.server_client import Client
    from conformance_tests.aus.server_judging import Judged
    from conformance_tests.aus.server_notices import Inbox
    from conformance_tests.aus.server_words import ServerProcedure, ServerStep
    from conformance_tests.server.bench import ServerBench, Viewer

PATIENCE_S: Final = 120
"""How long a step is done again until it is so, s of the server's time; longer while a control runs."""
MOST_PATIENCE_S: Final = 900
EVERY_S: Final = 5


class Play:
    """One run of a procedure against a server."""

    def __init__(self, bench: ServerBench, procedure: ServerProcedure, inbox: Inbox | None) -> None:
        self.bench = bench
        self.inbox = inbox
        self.procedure = procedure
        self.arranging = Arranging(bench)
        viewers = self._viewers()
        self.clients: dict[str, Client] = {
            name: client_of(name, viewers[at], player, judge_of(bench))
            for at, (name, player) in enumerate(procedure.clients)
        }

    def _viewers(self) -> tuple[Viewer, ...]:
        players = [player for _, player in self.procedure.clients]
        if Player.AGGREGATOR in players:
            return (self.bench.aggregator,)
        return (self.bench.device,) if len(players) == 1 else (self.bench.device, self.bench.other)

    async def run(self) -> None:
        """Take all steps; the case ends where one does not hold."""
        try:
            for step in self.procedure.steps:
                await self._take(step)
        finally:
            await self.arranging.clear()

    async def _take(self, step: ServerStep) -> None:
        client = self.clients[step.by or self.procedure.clients[0][0]]
        knows = self.clients[step.knows] if step.knows else client
        self.bench.trial.note(f"step: {step.name}" + (f" ({step.tell})" if step.tell else ""))
        await self.arranging.arrange(client, step.duties)
        doing = Doing(self.bench, client, knows, self.inbox)
        deadline_s: float | None = None
        while True:
            known = len(self.bench.trial.findings)
            flaw = await self._done(doing, step)
            judged = [] if flaw else self._judged(client, step)
            if not step.until or (flaw is None and all(one.held for one in judged)):
                break
            now_s = await self.bench.now()
            deadline_s = self._deadline(step, now_s) if deadline_s is None else deadline_s
            if now_s >= deadline_s:
                break
            if flaw is not None:
                del self.bench.trial.findings[known:]
            await self.bench.until(now_s + EVERY_S)
        if flaw is not None:
            raise flaw
        for one in judged:
            self.bench.trial.require(one.held, f"{step.name}: {one.what}", seen=one.seen)

    async def _done(self, doing: Doing, step: ServerStep) -> Ended | None:
        """Do the deed of a step; why it must be done again, where its own answer is what is waited for."""
        trial, known = self.bench.trial, len(self.bench.trial.findings)
        try:
            if isinstance(step.deed, Live):
                await live(doing, step.deed)
            else:
                await doing.do(step.deed)
        except Ended as flaw:
            if not _waits_for_answer(step):
                raise
            return flaw
        flaws = [one for one in trial.findings[known:] if not one.held and one.level is trial.case.level]
        return Ended(flaws[0].what) if flaws and _waits_for_answer(step) else None

    def _judged(self, client: Client, step: ServerStep) -> list[Judged]:
        return [judge(client, check, Agreed(PIN)) for check in step.checks]

    def _deadline(self, step: ServerStep, now_s: float) -> float:
        """When a step is no longer done again; one that waits for a control, once it is over."""
        if step.duties:
            return now_s + PATIENCE_S
        return min(max(now_s, self.arranging.last_end_s) + PATIENCE_S, now_s + MOST_PATIENCE_S)


def _waits_for_answer(step: ServerStep) -> bool:
    """Whether a step is done again until what was granted is refused."""
    return step.until and isinstance(step.deed, Refresh) and (step.deed.refused or step.deed.or_empty)


def _needs(procedure: ServerProcedure) -> frozenset[Need]:
    needs = {Need.OPERATOR}
    if len(procedure.clients) > 1:
        needs.add(Need.SECOND_DEVICE)
    if any(player is Player.AGGREGATOR for _, player in procedure.clients):
        needs.add(Need.AGGREGATOR)
    if any(isinstance(step.deed, Subscribe | Collect) for step in procedure.steps):
        needs.add(Need.LISTENER)
    return frozenset(needs)


def lasts_s(procedure: ServerProcedure) -> float:
    """About how long a procedure takes of the server's time, s."""
    waits = sum(step.deed.seconds for step in procedure.steps if isinstance(step.deed, Pause))
    lives = sum(
        step.deed.every_s * step.deed.times for step in procedure.steps if isinstance(step.deed, Live)
    )
    return 5.0 + waits + lives + (180 if procedure.name == "S-ALL-41" else 0)


def case_of(procedure: ServerProcedure) -> Case[ServerBench]:
    """A procedure as a case. Those named S-OPT are about what a server may leave out."""

    async def play(bench: ServerBench) -> None:
        async with AsyncExitStack() as stack:
            inbox = await stack.enter_async_context(inbox_of(bench)) if Need.LISTENER in needs else None
            await Play(bench, procedure, inbox).run()

    needs = _needs(procedure)
    return Case(
        id=f"csip-aus/{procedure.name}/server",
        title=procedure.title,
        source="CSIP-AUS conformance procedures (SA TS 5573), servers",
        clause=procedure.name,
        requirement=procedure.title,
        role=Role.SERVER,
        procedure=play,
        level=Level.SHOULD if procedure.name.startswith("S-OPT") else Level.MUST,
        profiles=frozenset({"csip_aus"}),
        needs=needs,
        preconditions=tuple(step.tell for step in procedure.steps if step.tell),
        lasts_s=lasts_s(procedure),
        bound_s=2 * lasts_s(procedure) + MOST_PATIENCE_S,
    )


CASES: Final = tuple(map(case_of, PROCEDURES))
