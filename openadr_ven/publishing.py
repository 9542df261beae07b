"""The shell that brings the 2030.5 side to what events ask: step by step, kept before and after each.

What is lost on the way is tried again; what the server refuses is said once. One task owns a `Publishing`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from function_sets import Gone, Publisher, Refused, Unreachable
from openadr_ven.performing import ALONE, perform, stage_of, what_of
from openadr_ven.to_sep2.changing import (
    Create,
    Ensure,
    SetDefault,
    Step,
    adopted,
    all_done,
    begun,
    changes,
    forgotten,
    record_of,
    spend,
)
from openadr_ven.to_sep2.publication import Held, Home, Publications

log = logging.getLogger(__name__)

AT_ONCE: Final = 200
"""So many programs or events go with one call: few enough that devices do not wait long for the writer."""
CALLS: Final = 2
"""So many of these calls are on their way at a time: while one is answered, the next is written."""
SINGLY: Final = 8
"""So many removals of curves are on their way at a time: each is a call of its own."""
MOST_ROUNDS: Final = 3
"""So often mRIDs that turn out to be used up are replaced at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a round. Not done: the same again, later. `refused` are the texts of the server."""

    is_done: bool
    refused: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Turn:
    """A round while it goes on. `is_stale` says that mRIDs were used up, and that it is to be made again."""

    refused: list[str] = field(default_factory=list)
    homeless: set[str] = field(default_factory=set)
    """mRIDs of programs and components that the server refused: nothing can hang below them."""
    lost: Unreachable | None = None
    is_stale: bool = False


class Publishing:
    """What exists by our doing, and the way to what is wanted."""

    def __init__(self, publisher: Publisher, held: Held, keep: Callable[[Held], Awaitable[None]]) -> None:
        """`keep` stores what exists; it is called before anything is sent, and after each part."""
        self.held = held
        self._publisher = publisher
        self._keep = keep
        self._said: set[str] = set()

    async def bring_about(self, wanted: Publications, now: int) -> Outcome:
        """Do what is missing. A server that gives no answer ends the round; nothing is done twice."""
        self.held = adopted(forgotten(self.held, now), wanted, now)
        for _ in range(MOST_ROUNDS):
            turn = _Turn()
            await self._round(changes(self.held, wanted, now), turn)
            await self._keep(self.held)
            if turn.lost is not None:
                log.warning("the 2030.5 server gives no answer: %s", turn.lost)
            if turn.lost is not None or not turn.is_stale:
                break
        return Outcome(is_done=turn.lost is None, refused=tuple(turn.refused))

    async def prepare(self, homes: Sequence[Home]) -> Outcome:
        """Have programs there before an event needs them: devices find them when they next look."""
        turn = _Turn()
        await self._round([Ensure(home=home) for home in homes], turn)
        return Outcome(is_done=turn.lost is None, refused=tuple(turn.refused))

    async def _round(self, steps: Sequence[Step], turn: _Turn) -> None:
        """Take steps stage by stage, until some get no answer: what comes later may need them."""
        for (_, kind), some in groupby(sorted(steps, key=stage_of), key=stage_of):
            run = [one for one in some if not _is_homeless(one, turn.homeless)]
            self.held = begun(self.held, run)
            await self._keep(self.held)
            size, calls = (1, SINGLY) if kind in ALONE else (AT_ONCE, CALLS)
            batches = iter([run[at : at + size] for at in range(0, len(run), size)])
            async with asyncio.TaskGroup() as group:
                for _ in range(calls):
                    group.create_task(self._take_each(batches, turn))
            if turn.lost is not None:
                return

    async def _take_each(self, batches: Iterator[list[Step]], turn: _Turn) -> None:
        for batch in batches:
            try:
                found = await perform(self._publisher, batch)
            except Unreachable as flaw:
                turn.lost = flaw
            except Refused as flaw:
                self._learn(batch, [flaw] * len(batch), turn)
            else:
                self._learn(batch, found, turn)
            if turn.lost is not None:
                return

    def _learn(self, batch: Sequence[Step], found: Sequence[Refused | None], turn: _Turn) -> None:
        """What became of steps that were answered."""
        taken = [step for step, flaw in zip(batch, found, strict=True) if flaw is None]
        self.held = all_done(self.held, taken)
        for step, flaw in zip(batch, found, strict=True):
            if isinstance(flaw, Gone) and isinstance(step, Create):
                self.held = spend(self.held, [record_of(step.publication)])
                turn.is_stale = True
            elif flaw is not None:
                self._refuse(step, f"{what_of(step)}: {flaw}", turn)

    def _refuse(self, step: Step, text: str, turn: _Turn) -> None:
        if isinstance(step, Ensure):
            turn.homeless.add(step.home.mRID)
        turn.refused.append(text)
        if text not in self._said:
            self._said.add(text)
            log.warning("the 2030.5 server refuses a %s", text)


def _is_homeless(step: Step, homeless: set[str]) -> bool:
    """Whether a step needs a program that is not there; what hangs below it is homeless as well."""
    match step:
        case Ensure(home=home) if home.parent is not None and home.parent.mRID in homeless:
            homeless.add(home.mRID)
            return True
        case Create(publication=one):
            return one.home.mRID in homeless
        case SetDefault(home=home):
            return home.mRID in homeless
    return False
