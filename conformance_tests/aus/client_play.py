"""Plays a procedure for a client on the stage: steps wait for events, act, and open others."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from certs import pin_with_check
from conformance_tests.aus.client_acting import Acting
from conformance_tests.aus.client_checking import Checking
from conformance_tests.aus.client_notation import FINISH
from conformance_tests.aus.client_scene import Scene
from conformance_tests.aus.client_serving import WELL_KNOWN, Hooks, PlayedDispatch
from conformance_tests.aus.client_words import (
    Asked,
    Confirmed,
    Elapsed,
    Finish,
    Open,
    Part,
    Rates,
    Register,
    Stored,
)
from conformance_tests.aus.places import MUP_LIST
from conformance_tests.case import Level
from conformance_tests.client.seen import Seen
from conformance_tests.errors import Ended
from schemas import Malformed, MirrorUsagePoint, Resource

if TYPE_CHECKING:
    from conformance_tests.aus.client_words import Check, ClientProcedure, Step
    from conformance_tests.client.bench import ClientBench
    from conformance_tests.client.http import Answer, Request

ASKED_S: Final = 600
"""How long the client may take to do what a step waits for, s, beside the waits of the procedure."""
SETTLE_S: Final = 180
"""How long after the end of the last control its Response may come, s."""
SEEN_AFTER: Final = 0.8
"""The observer is asked after this share of the time that a person has."""
OPEN_END_S: Final = 150.0
LOOK_S: Final = 10.0
"""How much later a wait that ends the run is over, s.

Ten minutes are meant to hold six polls of 120 s (PRC-03), and no client polls faster than it is told.
"""
POLL_S: Final = 300
"""pollRate of what a procedure says nothing about, s."""


def limit_s(procedure: ClientProcedure) -> float:
    """How long the steps of a procedure may take, s of the stage; a request waits for the next poll."""
    steps = procedure.steps
    asked_s = ASKED_S + slowest_s(procedure)
    waits = sum(step.on.seconds + LOOK_S for step in steps if isinstance(step.on, Elapsed))
    asked = asked_s * sum(isinstance(step.on, Asked) for step in steps)
    confirmed = sum(step.on.within_s or OPEN_END_S for step in steps if isinstance(step.on, Confirmed))
    return waits + asked + confirmed + ASKED_S


def slowest_s(procedure: ClientProcedure) -> float:
    """The longest interval of the rates with which the client begins, s."""
    rates = [act for act in procedure.first if isinstance(act, Rates)]
    kinds = ("mup", "dcap", "edev", "fsa", "der", "derp")
    return max((getattr(one, kind) or 0 for one in rates for kind in kinds), default=0)


class Play:
    """One run of a procedure; everything happens in the stage's time."""

    def __init__(self, bench: ClientBench, procedure: ClientProcedure) -> None:
        self.bench = bench
        self.procedure = procedure
        self.scene = Scene(bench)
        self.dispatch = PlayedDispatch(
            self.scene, bench.serving.dispatch.lfdis, Hooks(self._before, self._after)
        )
        self.checking = Checking(self.scene, self.dispatch)
        self.acting = Acting(self.scene)
        self.steps = {step.name: step for step in procedure.steps}
        self.open: dict[str, Step] = {}
        self.came: set[str] = set()
        self.fault: str | None = None
        self.is_over = False
        self.flaw: Exception | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._due: set[str] = set()

    async def run(self) -> None:
        """Set the stage, let the client come, take all steps, and look at what must be so at the end."""
        self.bench.serving.dispatch = self.dispatch
        self._set()
        await self._tell(self.procedure.tell)
        try:
            if self.procedure.at_once:
                self._open_first()
                await self.bench.begin(WELL_KNOWN if self.scene.adverts else "")
            else:
                await self._begin_prepared()
            await self.bench.waits(self._is_ended, limit_s(self.procedure))
            await self._end()
        finally:
            for task in self._tasks:
                task.cancel()
            for task in self._tasks:
                with suppress(asyncio.CancelledError):
                    await task

    # --- before the first step ---

    def _set(self) -> None:
        stage, procedure = self.bench.stage, self.procedure
        stage.tree.poll_rate_s = POLL_S
        stage.in_band = True
        if self.bench.lfdi not in self.bench.devices:
            stage.add_device(self.bench.lfdi, ders=0)
        registered = [act.pin for act in procedure.acts if isinstance(act, Register)]
        for act in procedure.first:
            self.acting.act(act)
        if registered or not procedure.at_once:
            pin = pin_with_check(registered[0]) if registered else self.bench.pin
            for lfdi in self.bench.devices:
                self.scene.enter(stage.add_device(lfdi, pin=pin))
        if procedure.at_once:
            self._act_first()

    def _act_first(self) -> None:
        for act in sorted(self.procedure.acts, key=self.acting.order):
            self.acting.act(act)

    def _open_first(self) -> None:
        self._open(self.procedure.steps[0].name)
        for act in self.procedure.acts:
            for name in act.steps if isinstance(act, Open) else ():
                self._open(name)

    async def _begin_prepared(self) -> None:
        """The client comes and all is prepared; then the first step opens.

        It opens before where a step waits for a new mirror: a client posts one once, as soon as it may.
        """
        waits = any(
            isinstance(one.on, Asked) and (one.on.method, one.on.place) == ("POST", MUP_LIST)
            for one in self.procedure.steps
        )
        if waits:
            self._open_first()
        await self.bench.begin()
        await self._prepare()
        if not waits:
            self._open_first()

    async def _prepare(self) -> None:
        """The client tells of itself, and all is so that must be before the first step."""
        patience_s = self.bench.patience_s + slowest_s(self.procedure)
        found = await self.bench.waits(self._is_at_home, patience_s)
        what = "the client has registered, told of its DER and mirrors"
        self.bench.trial.require(found, what, seen=self._told())
        for check in self.procedure.ready:
            await self._ready(check, patience_s)
        self._act_first()

    async def _ready(self, check: Check, patience_s: float) -> None:
        await self.bench.waits(lambda: self.checking.check(check).held, patience_s)
        done = self.checking.check(check)
        self.bench.trial.require(done.held, f"before the first step: {done.what}", seen=done.seen)

    def _is_at_home(self) -> bool:
        told = (Stored(Part.CAPABILITY), Stored(Part.SETTINGS), Stored(Part.STATUS))
        return self._mirrors() and all(self.checking.check(one).held for one in told)

    def _mirrors(self) -> bool:
        held = self.bench.stage.tree.held.values()
        return any(isinstance(one.resource, MirrorUsagePoint) for one in held)

    def _told(self) -> str:
        told = [str(one) for one in Part if self.checking.check(Stored(one)).held]
        return f"{', '.join(told) or 'nothing'} told; {'mirrors' if self._mirrors() else 'no mirror'}"

    # --- steps ---

    def _open(self, name: str) -> None:
        step = self.steps[name]
        self.open[name] = step
        self.bench.trial.note(f"waits for {name}")
        if not isinstance(step.on, Asked):
            self._start(step)
        elif step.tell:
            self._tasks.add(asyncio.get_running_loop().create_task(self._tell(step.tell)))

    def _start(self, step: Step) -> None:
        self._tasks.add(asyncio.get_running_loop().create_task(self._await(step)))

    async def _await(self, step: Step) -> None:
        """Wait for the time of a step, or for a person."""
        if isinstance(step.on, Elapsed):
            await self.bench.pause(step.on.seconds + (LOOK_S if step.acts == FINISH else 0.0))
        elif isinstance(step.on, Confirmed):
            within_s = step.on.within_s
            await self.bench.pause(OPEN_END_S if within_s is None else SEEN_AFTER * within_s)
        if step.tell:
            await self.bench.observed(step.tell, lambda _: None)
        self._due.add(step.name)
        self._take_due()
        self.bench.record.tell()

    def _take_due(self) -> None:
        """Steps whose time has come, and whose check holds."""
        for name in sorted(self._due & set(self.open)):
            if self._holds(self.open[name].when):
                self._take(self.open[name])

    def _before(self, request: Request) -> None:
        self._meet(request, answered=False)

    def _after(self, request: Request, answer: Answer) -> None:
        if 200 <= answer.status < 300:
            self.checking.pending = self._pending(request, answer)
            self._meet(request, answered=True)
            self._take_due()
            self.checking.pending = None

    def _meet(self, request: Request, *, answered: bool) -> None:
        """Take the open steps that wait for a request; what they open waits for the next one."""
        pending = self.checking.pending
        lfdi = str(getattr(pending.resource, "endDeviceLFDI", "")).upper() if pending else ""
        try:
            for step in list(self.open.values()):
                event = step.on
                if not isinstance(event, Asked) or event.answered is not answered:
                    continue
                is_it = event.method == request.method and self.scene.is_at(event.place, request.path, lfdi)
                if is_it and self._holds(step.when):
                    self._take(step)
        except Ended as why:
            self.flaw = why

    def _holds(self, check: Check | None) -> bool:
        return check is None or self.checking.check(check).held

    def _take(self, step: Step) -> None:
        self.bench.trial.note(f"came: {step.name}")
        self.came.add(step.name)
        if not step.stays:
            self.open.pop(step.name, None)
        for act in step.acts:
            if isinstance(act, Finish):
                self.is_over, self.fault = True, act.fault or self.fault
            else:
                self.acting.act(act)
        for name in step.opens:
            self._open(name)

    def _pending(self, request: Request, answer: Answer) -> Seen:
        resource: Any = None
        if request.body:
            with suppress(Malformed):
                resource = self.dispatch.codec.decode_any(request.body)
        return Seen(
            number=-1,
            at_s=self.bench.clock.time_s(),
            elapsed_s=self.bench.clock.elapsed_s(),
            lfdi="",
            method=request.method,
            path=request.path,
            query=request.query,
            route="",
            port=0,
            resource=resource if isinstance(resource, Resource) else None,
            flaws=(),
            exchange=self.acting.exchange(request, answer),
        )

    # --- the end ---

    def _missing(self) -> list[str]:
        return [name for name in self.steps if name not in self.came and name not in self.procedure.unmet]

    def _is_ended(self) -> bool:
        return self.is_over or self.flaw is not None or not self._missing()

    async def _end(self) -> None:
        trial = self.bench.trial
        if self.flaw is not None:
            raise self.flaw
        missing = self._missing()
        trial.check(
            not missing,
            "every step of the procedure came",
            seen=f"not: {', '.join(missing)}" if missing else "all",
        )
        if self.fault is not None:
            trial.check(held=False, what="nothing came that ends the procedure", seen=self.fault)
        if not self.is_over and not missing:
            left_s = max(0, self.scene.last_end_s - self.bench.stage.now()) + SETTLE_S
            await self.bench.waits(self._is_passed, left_s)
        for check in self.procedure.passes:
            done = self.checking.check(check)
            trial.check(done.held, done.what, seen=done.seen, level=done.level)

    def _is_passed(self) -> bool:
        return all(self.checking.check(check).held for check in self.procedure.passes)

    async def _tell(self, what: str) -> None:
        """Let a person, or who stands for one, do something at the device."""
        if not what:
            return
        self.bench.trial.note(what)
        observer = self.bench.observer
        done = observer is not None and await observer.cause(self.bench.devices[0], what)
        if not done:
            self.bench.trial.check(held=False, what=what, seen="nobody does it", level=Level.MAY)
