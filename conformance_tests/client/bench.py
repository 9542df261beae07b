"""What a case for a client works with: the stage, what reached it, time, and who watches the device."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from conformance_tests.case import Level
from conformance_tests.deadline import LONGEST_ACT_S
from conformance_tests.errors import Ended
from schemas import DERControlResponse, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from certs import TlsFiles
    from conformance_tests.chains import IssuingRoot
    from conformance_tests.client.clock import StageClock
    from conformance_tests.client.faults import Fault, Ordered
    from conformance_tests.client.notifier import Notified, Notifier
    from conformance_tests.client.observer import Observation, Observer
    from conformance_tests.client.seen import Record, Seen
    from conformance_tests.client.serving import Serving
    from conformance_tests.client.stage import Stage
    from conformance_tests.client.starting import Start
    from conformance_tests.trial import Trial
    from schemas import Profile

NOT_OBSERVED: Final = "not observed: no observer watches the device (--observe modbus|hook|prompt)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One Response to an event as it came: `at_s` of the stage, `created_s` as the client says."""

    at_s: float
    lfdi: str
    status: int | None
    created_s: int | None
    seen: Seen


@dataclass(slots=True, kw_only=True)
class ClientBench:
    """One case's hands on a client: all it knows of it is `lfdi` of its certificate, and of its devices.

    `devices` are the LFDIs for which an aggregator stands, of a DER client its own. `pin` is what the client
    was told out of band. `start` brings the client to this stage where the run can, and tells if it ends;
    `patience_s` is how long the client may take to come by itself, s of the stage. `classes` are those of
    CSIP-AUS that it claims, none: any. `ca` is a root that the client trusts, `tls` are the files of the
    scripted server.
    """

    trial: Trial
    stage: Stage
    serving: Serving
    notifier: Notifier
    lfdi: str
    devices: tuple[str, ...]
    pin: int
    host: str
    port: int
    observer: Observer | None = None
    ca: IssuingRoot | None = None
    tls: TlsFiles | None = None
    start: Start | None = None
    patience_s: float = 600.0
    classes: frozenset[str] = frozenset()
    kept: dict[int, int] = field(default_factory=dict)
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def profile(self) -> Profile:
        """Namespaces and extensions of the profile by which the client is judged."""
        return self.stage.profile

    @property
    def clock(self) -> StageClock:
        """Time of the stage."""
        return self.stage.clock

    @property
    def record(self) -> Record:
        """What reached the stage since the case began."""
        return self.serving.record

    @property
    def requests(self) -> Sequence[Seen]:
        """All requests since the case began."""
        return self.record.requests

    @property
    def uri(self) -> str:
        """The URI that the client was given."""
        return f"https://{self.host}:{self.port}{self.stage.dcap}"

    @property
    def notified(self) -> Sequence[Notified]:
        """All notifications sent since the case began."""
        return self.notifier.sent

    async def arrive(self) -> None:
        """The stage is set: let the client come; whether it does is not waited for."""
        if self.start is not None:
            await self._running.enter_async_context(self.start(self.record.give_up))

    async def begin(self, at: str = "", since: int = 0) -> Seen:
        """The stage is set: let the client come. The case ends where it does not within the patience.

        It comes where it reads the DeviceCapability at the URI that it was given, or a path `at`, in a
        request of number `since` or later. What it takes to come is not taken from the time of the case.
        """
        path, what = at or self.stage.dcap, f"the client reads {at}"
        if not at:
            what = "the client reads the DeviceCapability at the URI that it was given"
        with self.trial.deadline.held(self.clock.real_s(self.patience_s) + LONGEST_ACT_S):
            await self.arrive()
            return await self.required(
                lambda one: one.path == path and one.method == "GET", self.patience_s, what, since=since
            )

    async def leave(self) -> None:
        """Let the client go that was started, as when its process is ended; `begin` brings it back."""
        running, self._running = self._running, AsyncExitStack()
        await running.aclose()

    async def first(self, wanted: Callable[[Seen], object], within_s: float, since: int = 0) -> Seen | None:
        """The first wanted request from number `since` on; None where none comes within s of the stage."""
        return await self.record.first(wanted, within_s, since)

    async def required(
        self,
        wanted: Callable[[Seen], object],
        within_s: float,
        what: str,
        *,
        since: int = 0,
        clause: str = "",
    ) -> Seen:
        """The first wanted request; the case ends where none comes, for then `what` is not so."""
        found = await self.record.first(wanted, within_s, since)
        if found is None:
            self.trial.require(held=False, what=what, seen=self._since(since, within_s), clause=clause)
            raise Ended(what)
        self.trial.check(held=True, what=what, clause=clause, exchange=self.proof(found))
        return found

    async def waits(self, is_so: Callable[[], object], within_s: float) -> bool:
        """Whether something becomes so within s of the stage; looked at after each request."""
        return await self.record.until(is_so, within_s)

    async def pause(self, for_s: float) -> None:
        """Let time of the stage pass: for laws that something does not happen, or happens at intervals."""
        await asyncio.sleep(self.clock.real_s(max(0.0, for_s)))

    async def until(self, time_s: float) -> None:
        """Wait until it is a time of the stage, s since 1970 UTC."""
        await self.pause(time_s - self.clock.time_s())

    def replies(self, mrid: str, lfdi: str | None = None) -> list[Reply]:
        """The Responses to an event that were taken, in their order (of one device: `lfdi`)."""
        found = []
        for seen in self.requests:
            one = seen.resource
            if isinstance(one, Response) and one.subject.upper() == mrid.upper() and seen.status == 201:
                reply = Reply(
                    at_s=seen.at_s,
                    lfdi=one.endDeviceLFDI.upper(),
                    status=one.status,
                    created_s=one.createdDateTime,
                    seen=seen,
                )
                if lfdi is None or reply.lfdi == lfdi.upper():
                    found.append(reply)
        return found

    def reads(self, href: str, since: int = 0) -> list[Seen]:
        """GETs of a path that were answered with 200."""
        return [
            one
            for one in self.record.since(since)
            if one.path == href and one.method == "GET" and one.status == 200
        ]

    def writes(self, method: str, route: str, since: int = 0) -> list[Seen]:
        """PUTs or POSTs to the resources of a route."""
        return [one for one in self.record.since(since) if one.method == method and one.route == route]

    def proof(self, seen: Seen | None) -> int | None:
        """The place of a request in the evidence of the case, kept now where it is not there yet."""
        if seen is None:
            return None
        if seen.number not in self.kept:
            place = self.trial.evidence.add(seen.exchange)
            if place is None:
                return None
            self.kept[seen.number] = place
        return self.kept[seen.number]

    def fault(self, fault: Fault) -> Ordered:
        """Let a fault happen from now on."""
        self.trial.note(f"fault from now on: {fault}")
        return self.serving.faults.order(fault, self.clock.elapsed_s())

    def lift(self, ordered: Ordered | None = None) -> None:
        """End a fault, or all."""
        self.serving.faults.lift(ordered)

    async def observed(
        self, what: str, holds: Callable[[Observation], bool | None], *, lfdi: str = "", clause: str = ""
    ) -> None:
        """A finding on what the device does: by the observer, or one that says that nobody watched.

        `holds` tells of an observation, None where it shows nothing of it; then the observer is asked.
        """
        device = lfdi or self.devices[0]
        if self.observer is None:
            self.trial.check(held=False, what=what, seen=NOT_OBSERVED, level=Level.MAY, clause=clause)
            return
        seen = await self.observer.observe(device)
        answer = holds(seen)
        if answer is None:
            answer = await self.observer.confirm(device, f"{what}?")
        if answer is None:
            self.trial.check(held=False, what=what, seen="the observer cannot tell", level=Level.MAY)
        else:
            self.trial.check(held=answer, what=what, seen=seen, clause=clause)

    async def power_cycle(self, for_s: float) -> None:
        """Be gone for a time of the stage, s: the port is closed, all sessions are lost."""
        self.trial.note(f"the server is gone for {for_s:.0f} s")
        await self.serving.restart(self.host, self.port, for_s)

    def _since(self, since: int, within_s: float) -> str:
        number = len(self.record.since(since))
        refused = f"; {self.record.handshakes[-1]}" if self.record.handshakes else ""
        return f"not within {within_s:.0f} s; {number} other requests came{refused}"


def is_reply(seen: Seen) -> bool:
    """True for a Response to a DERControl."""
    return isinstance(seen.resource, DERControlResponse)
