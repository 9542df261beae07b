"""The one place where a 2.0b client changes what it keeps: on disk first, told of afterwards."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Final

from openadr_ven.events import CreateOpt, State, Step, opts_of
from openadr_ven.memory import Memory
from openadr_ven.rows import Texts
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.kept import Kept, Owed, kept_of, table_of
from openadr_ven.v2b.ports import Clock, Listener

log = logging.getLogger(__name__)
MOST_OWED: Final = 10_000
"""So many messages wait for a VTN that is away; then the oldest reports are given up."""
Decide = Callable[[State, int], Step]


async def nobody(_: Step) -> None:
    """A listener that does nothing."""


class Desk:
    """Keeps what the VEN knows and owes. Changes come one after the other."""

    def __init__(
        self, memory: Memory, clock: Clock, new_id: Callable[[], str], listener: Listener = nobody
    ) -> None:
        self._memory = memory
        self._clock = clock
        self._new_id = new_id
        self._listener = listener
        self._texts = Texts()
        self._lock = asyncio.Lock()
        self._opened = asyncio.Event()
        self.kept = Kept()
        self.changed = asyncio.Event()
        """Set whenever there is something new to send, or another time to look again."""

    async def open(self) -> None:
        """Take up what was kept. Raises KeptError for what cannot be read."""
        self.kept = kept_of(await self._memory.load())
        self._opened.set()

    async def change(self, make: Callable[[Kept], Kept]) -> None:
        """Put another value in place of what is kept; waits until that was taken up."""
        await self._opened.wait()
        async with self._lock:
            await self._keep(make(self.kept))

    async def owe(self, service: m.Service, message: m.Message) -> None:
        """Send a message as soon as the VTN takes it, over a restart if need be."""
        await self.change(lambda kept: with_owed(kept, Owed(service=service, message=message)))

    async def paid(self, owed: Owed) -> None:
        """The VTN took the oldest message that was owed."""
        await self.change(lambda kept: replace(kept, owed=tuple(one for one in kept.owed if one is not owed)))

    async def decide(self, decide: Decide, then: Callable[[Kept], Kept] = lambda kept: kept) -> Step:
        """A step of the state machine: kept with the messages that follow from it, then told to the listener.

        `then` changes the rest of what is kept in the same moment. Raises what `decide` raises, and then
        nothing is changed. Waits until what was kept is taken up.
        """
        await self._opened.wait()
        async with self._lock:
            now = int(self._clock.now())
            step = decide(self.kept.state, now)
            made = then(replace(self.kept, state=step.state))
            for owed in self._owed_by(step, made, now):
                made = with_owed(made, owed)
            if made != self.kept:
                await self._keep(made)
            if step.changes or step.answers or step.opts:
                await self._listener(step)
        return step

    async def owe_opts(self) -> None:
        """Owe all opts to a VTN that does not know them, that of a new registration.

        Schedules, and what was said of resources in events that are not over.
        """

        def owing(kept: Kept) -> Kept:
            known, now = kept.registration, int(self._clock.now())
            if known is None:
                return kept
            opts = (*kept.state.schedules, *opts_of(kept.state))
            return reduce(with_owed, [self._owed_opt(one, known.venID, now) for one in opts], kept)

        await self.change(owing)

    def _owed_opt(self, opt: CreateOpt, venID: str, now: int) -> Owed:
        message = m.CreateOptMessage(
            venID=venID, requestID=opt.requestID or self._new_id(), createdDateTime=now, opt=opt
        )
        return Owed(service=m.Service.OPT, message=message)

    async def _keep(self, kept: Kept) -> None:
        await self._memory.save(table_of(kept, self._texts))
        self.kept = kept
        self.changed.set()

    def _owed_by(self, step: Step, kept: Kept, now: int) -> list[Owed]:
        """The messages of 2.0b that a step wants to be sent."""
        if kept.registration is None:
            return []
        venID = kept.registration.venID
        owed = []
        if step.answers:
            owed.append(
                Owed(service=m.Service.EVENT, message=m.CreatedEvent(venID=venID, answers=step.answers))
            )
        owed += [self._owed_opt(opt, venID, now) for opt in step.opts]
        for optID in step.cancelled_opts:
            cancel = m.CancelOpt(requestID=self._new_id(), optID=optID, venID=venID)
            owed.append(Owed(service=m.Service.OPT, message=cancel))
        return owed


def with_owed(kept: Kept, owed: Owed) -> Kept:
    """One more message to send. Beyond the bound the oldest report is given up."""
    waiting = (*kept.owed, owed)
    if len(waiting) > MOST_OWED:
        given_up = next((one for one in waiting if isinstance(one.message, m.UpdateReport)), waiting[0])
        log.error("%s is given up: %s messages wait for the VTN", type(given_up.message).__name__, MOST_OWED)
        waiting = tuple(one for one in waiting if one is not given_up)
    return replace(kept, owed=waiting)
