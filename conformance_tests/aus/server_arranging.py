"""What the operator of the server arranges for a procedure, through the operator of the bench."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from conformance_tests.aus.server_resolve import base_of
from conformance_tests.aus.server_words import (
    ClearControls,
    EnsureAssignment,
    EnsureControlList,
    EnsureDevice,
    EnsureProgram,
    NoMirrors,
    Publish,
    PublishDefault,
    SetPollRate,
    SetPostRate,
    TakeAccess,
)
from conformance_tests.aus.values import SET_MAX_W
from schemas import DefaultDERControl

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conformance_tests.aus.server_client import Client
    from conformance_tests.aus.server_words import Duty
    from conformance_tests.server.bench import ServerBench

PIN: Final = 111115
OWN: Final = "own"
"""The group of a client for which the procedure names none."""
ACTS: Final = 2
"""As many acts of the operator a duty takes, about."""
FIRST_PRIMACY: Final = 10
SOON_S: Final = 60
"""When a scheduled control begins of which nothing is said, s from now."""
SCHEDULED_S: Final = 60
ACTIVE_S: Final = 300
"""How long controls last of which nothing is said, s."""
UNBOUND: Final = (("opModExpLimW", SET_MAX_W),)
"""The default that a program has before the procedure gives it one."""
NO_MRID: Final = 32 * "0"


@dataclass(slots=True)
class Arranging:
    """The duties of the operator in one run of a procedure; `last_end_s` is when its last control is over."""

    bench: ServerBench
    groups: dict[str, dict[str, int]] = field(default_factory=dict)
    barred: set[str] = field(default_factory=set)
    last_end_s: int = 0
    _planned: int = 0
    _published_s: int = 0
    _ready_s: int = 0
    _left: int = 0

    async def arrange(self, client: Client, duties: tuple[Duty, ...]) -> None:
        """Do all duties of a step for a client, in their order.

        Where the operator takes his time its controls begin once all is done, as where it takes none.
        """
        self._planned = self._ready_s = 0
        for number, duty in enumerate(duties):
            self._left = len(duties) - number
            await DUTIES[type(duty)](self, client, duty)
        if self._ready_s:
            await self.bench.until(self._ready_s)

    async def clear(self) -> None:
        """Let everybody in again."""
        for lfdi in sorted(self.barred):
            await self.bench.operator.block(lfdi, blocked=False)

    async def device(self, client: Client, duty: EnsureDevice) -> None:
        """Register the client, or see that it is unknown."""
        operator = self.bench.operator
        if client.aggregator:
            await operator.ensure_device(client.viewer.lfdi, ders=0, is_aggregator=True)
        if not duty.registered:
            await operator.remove_device(client.lfdi)
            self.groups.pop(client.name, None)
            return
        above = client.viewer.lfdi if client.aggregator else None
        await operator.ensure_device(client.lfdi, pin=PIN, aggregator=above)

    async def assignment(self, client: Client, duty: EnsureAssignment) -> None:
        """Give the client a function set assignment."""
        await self._assign(client, duty.tag, duty.primacy)

    async def program(self, client: Client, duty: EnsureProgram) -> None:
        """Let the program of an assignment change, so that who subscribed to it is told; it has a default."""
        await self._program(client, duty)
        cls, base = self.bench.profile.resolve(DefaultDERControl), base_of(self.bench.profile, UNBOUND)
        default = cls(mRID=NO_MRID, DERControlBase_=base)
        await self.bench.operator.set_default(self._name(client, duty.tag), default)

    async def _program(self, client: Client, duty: EnsureProgram) -> None:
        held = self.groups.get(client.name, {})
        if duty.tag not in held:
            await self._assign(client, duty.tag, duty.primacy)
            return
        primacy = held[duty.tag] + 1 if duty.primacy is None else duty.primacy
        if primacy != held[duty.tag]:
            held[duty.tag] = primacy
            await self.bench.operator.set_primacy(self._name(client, duty.tag), primacy)

    async def control_list(self, client: Client, _: EnsureControlList) -> None:
        """See that the client has a program with controls."""
        await self._group(client, None)

    async def publish(self, client: Client, duty: Publish) -> None:
        """Publish a control, in another second than the one before: the later creationTime supersedes."""
        await self.bench.until(self._published_s + 1)
        group = await self._group(client, duty.primacy)
        self._published_s = now_s = await self.bench.now()
        self._ready_s = self._ready_s or now_s + self.bench.trial.deadline.ahead_s(ACTS * self._left)
        duration_s = duty.duration_s or (ACTIVE_S if duty.active else SCHEDULED_S)
        ready_s = max(now_s, self._ready_s)
        start_s = ready_s if duty.active else ready_s + self._begins_in(duty)
        await self.bench.operator.publish(
            group,
            base_of(self.bench.profile, duty.modes, duty.ramp),
            start_s=start_s,
            duration_s=duration_s,
            randomize_start_s=duty.randomize_start_s,
            response_required="03",
        )
        self.last_end_s = max(self.last_end_s, start_s + duration_s)

    def _begins_in(self, duty: Publish) -> int:
        """When a scheduled control begins, s from now; those of one step follow each other."""
        if duty.start_in_s is not None:
            return duty.start_in_s
        self._planned += 1
        return SOON_S + (self._planned - 1) * (SCHEDULED_S + 10)

    async def default(self, client: Client, duty: PublishDefault) -> None:
        """Set a default."""
        group = await self._group(client, duty.primacy)
        cls = self.bench.profile.resolve(DefaultDERControl)
        base = base_of(self.bench.profile, duty.modes)
        await self.bench.operator.set_default(
            group, cls(mRID=NO_MRID, DERControlBase_=base, setGradW=duty.ramp)
        )

    async def clear_controls(self, _: Client, __: ClearControls) -> None:
        """Cancel every control."""
        await self.bench.operator.cancel_all()

    async def take_access(self, client: Client, _: TakeAccess) -> None:
        """Bar a certificate."""
        self.barred.add(client.viewer.lfdi)
        await self.bench.operator.block(client.viewer.lfdi, blocked=True)

    async def poll_rate(self, client: Client, duty: SetPollRate) -> None:
        """Set a pollRate."""
        await self.bench.operator.set_rates(client.lfdi, {str(duty.resource): duty.seconds})

    async def post_rate(self, client: Client, duty: SetPostRate) -> None:
        """Set the postRate of mirrors."""
        await self.bench.operator.set_rates(client.lfdi, {"MirrorUsagePoint": duty.seconds})

    async def no_mirrors(self, client: Client, _: NoMirrors) -> None:
        """Drop what the client mirrored."""
        await self.bench.operator.forget_readings(client.lfdi)

    async def _group(self, client: Client, primacy: int | None) -> str:
        """The group of a client with this primacy, or its first one; made where it has none."""
        held = self.groups.get(client.name, {})
        tag = next((one for one, of in held.items() if primacy in {None, of}), OWN)
        if tag not in held:
            await self._assign(client, tag, primacy)
        return self._name(client, tag)

    async def _assign(self, client: Client, tag: str, primacy: int | None) -> None:
        held = self.groups.setdefault(client.name, {})
        if tag not in held:
            held[tag] = FIRST_PRIMACY if primacy is None else primacy
            await self.bench.operator.assign(client.lfdi, self._name(client, tag), primacy=held[tag])

    def _name(self, client: Client, tag: str) -> str:
        return f"{client.name} {tag}"


DUTIES: Final[dict[type, Callable[..., Awaitable[None]]]] = {
    EnsureDevice: Arranging.device,
    EnsureAssignment: Arranging.assignment,
    EnsureProgram: Arranging.program,
    EnsureControlList: Arranging.control_list,
    Publish: Arranging.publish,
    PublishDefault: Arranging.default,
    ClearControls: Arranging.clear_controls,
    TakeAccess: Arranging.take_access,
    SetPollRate: Arranging.poll_rate,
    SetPostRate: Arranging.post_rate,
    NoMirrors: Arranging.no_mirrors,
}
