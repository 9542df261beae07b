"""A plan on its way to the device: written step by step, adopted, read back, compared.

Three things can become of a write: it reads back (Applied), it was taken and does not show (READBACK), it was
refused (REFUSED, with the exception code). SunSpec Device Information Model Specification 1.2, writing.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from der_client.device import Applied, Fault, FaultKind, WrittenPoint
from der_client.sunspec.codec import Words
from der_client.sunspec.connection import Connection, fault_of
from der_client.sunspec.drafts import Plan
from der_client.sunspec.model import DeviceMap
from der_client.sunspec.scan import ILLEGAL_ADDRESS, Failure
from der_client.sunspec.sending import Sending
from der_client.sunspec.settings import SunSpecSettings
from der_client.sunspec.writes import Adoption, Block, Step, Use, Wanted, step_of

ILLEGAL_FUNCTION = 1
TIMER_SLACK_S = 2

Models = Mapping[int, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was written last where the device shows nothing of it, and when (s, monotonic)."""

    words: tuple[Words, ...]
    at_s: float


class Execution:
    """Executes plans for one device, one at a time."""

    def __init__(self, connection: Connection, settings: SunSpecSettings) -> None:
        self.settings = settings
        self._connection = connection
        self._sent: dict[tuple[str, int], Sent] = {}
        self._adopting: dict[int, Sent] = {}
        self._one_by_one = settings.write_one_by_one

    def due(self, wanted: Plan) -> list[tuple[Step, int | None]]:
        """The steps that must be written now, with the time left on their reversion timers, s."""
        now_s = asyncio.get_running_loop().time()
        return [(step, step.remaining_s) for step in wanted.steps if self._is_due(step, now_s)]

    async def run(self, wanted: Plan, due: list[tuple[Step, int | None]], models: Models) -> Applied | Fault:
        """Write the steps that are due, then confirm all of them; `models` are those to read back.

        PENDING where a curve takes its time: what comes before it is written all the same, in each call.
        """
        wanted_models = {step.model.model_id for step in wanted.steps if step.result}
        self._adopting = {number: one for number, one in self._adopting.items() if number in wanted_models}
        for step, _ in due:
            fault = await self._carry_out(step, models)
            if fault:
                return replace(fault, field=fault.field or step.field)
        return await self._confirm(wanted, due, models) if due else applied(wanted)

    def begin(self, due: Sequence[tuple[Step, int | None]]) -> Sending | None:
        """Send all blocks of steps that are due, each behind the answer to the one before.

        None where more than that has to be done on the way: then nothing was sent.
        """
        if self._one_by_one or any(step.verify or step.result for step, _ in due):
            return None
        now_s = asyncio.get_running_loop().time()
        for step, _ in due:
            self._sent[_key(step)] = Sent(words=tuple(block.words for block in step.to_write), at_s=now_s)
        return Sending(self._connection.transport, [block for step, _ in due for block in step.due_blocks])

    async def confirm(
        self, wanted: Plan, due: list[tuple[Step, int | None]], models: Models
    ) -> Applied | Fault:
        """Read back what was begun, for `readback_s` at most."""
        return await self._confirm(wanted, due, models) if due else applied(wanted)

    def adapt(self, settings: SunSpecSettings) -> None:
        """Go on with the settings for a device that was scanned; nothing that was sent counts any more."""
        self.settings = settings
        self._one_by_one = self._one_by_one or settings.write_one_by_one
        self._sent.clear()
        self._adopting.clear()

    def _is_due(self, step: Step, now_s: float) -> bool:
        """True if a register would change, or if a reversion timer was not restarted just now."""
        if step.refresh_s or any(block.use is Use.ORDER for block in step.blocks):
            return step.result is not None or self._is_due_unseen(step, now_s)
        if not step.is_held or step.timer is None:
            return not step.is_held
        remaining_s = step.remaining_s or 0
        return remaining_s < step.timer_s - min(self.settings.min_write_interval_s, step.timer_s / 4)

    def _is_due_unseen(self, step: Step, now_s: float) -> bool:
        """As `_is_due` where the device shows no time left, or nothing at all."""
        sent = self._sent.get(_key(step))
        words = tuple(block.words for block in step.to_write)
        if sent is None or sent.words != words or not step.is_shown:
            return True
        return bool(step.refresh_s) and now_s - sent.at_s >= step.refresh_s / 4

    async def _carry_out(self, step: Step, models: Models) -> Fault | None:
        """Write a step; the next one goes on once it reads back or was adopted, where it needs that."""
        words = tuple(block.words for block in step.to_write)
        begun = self._adopting.get(step.model.model_id)
        if step.result and begun is not None and begun.words == words:
            return await self._adopted(step, models, begun.at_s)
        for block in step.due_blocks:
            fault = await self._write_block(block, models)
            if fault:
                return fault
        now_s = asyncio.get_running_loop().time()
        self._sent[_key(step)] = sent = Sent(words=words, at_s=now_s)
        if step.verify:
            self._adopting.pop(step.model.model_id, None)
            return await self._verified(step, models)
        if not step.result:
            return None
        self._adopting[step.model.model_id] = sent
        await asyncio.sleep(self.settings.adopt_pause_s)
        return await self._adopted(step, models, now_s)

    async def _write_block(self, block: Block, models: Models) -> Fault | None:
        """Write one block; without an answer the device's registers decide: nothing is sent twice blindly."""
        failure = await self._send(block)
        if failure is None:
            return None
        fault = fault_of(failure, f"{block.model.model_id}.{block.points[0].name}")
        if failure.code is not None:
            if failure.code == ILLEGAL_ADDRESS:
                self._connection.forget()
            return fault
        seen = await self._connection.refreshed(models)
        return None if isinstance(seen, DeviceMap) and block.is_held else fault

    async def _send(self, block: Block) -> Failure | None:
        """One request of function code 16; register by register for devices that know only code 6."""
        transport = self._connection.transport
        if not self._one_by_one:
            failure = await transport.write(block.address, block.words)
            if failure is None or failure.code != ILLEGAL_FUNCTION:
                return failure
            self._one_by_one = True
        if any(point.sync for point in block.points):
            return Failure(
                FaultKind.REFUSED, "a group that one request must write, to a device of single writes"
            )
        for offset, word in block.one_by_one():
            failure = await transport.write_one(block.model.address + offset, word)
            if failure is not None:
                return failure
        return None

    async def _verified(self, step: Step, models: Models) -> Fault | None:
        """Wait until a step reads back; a Fault where it does not."""
        deadline_s = asyncio.get_running_loop().time() + self.settings.readback_s
        while True:
            seen = await self._connection.refreshed(models)
            if isinstance(seen, Fault):
                return seen
            difference = next(differences([step]), None)
            if difference is None or asyncio.get_running_loop().time() >= deadline_s:
                return difference
            await asyncio.sleep(self.settings.readback_pause_s)

    async def _adopted(self, step: Step, models: Models, since_s: float) -> Fault | None:
        """Look whether the device has adopted the curve that it was told to at `since_s`, monotonic.

        It is waited for as long as for a read-back; then each call looks once, until `adopt_s` are over.
        SunSpec models 705 to 712, adopt result.
        """
        point = f"{step.model.model_id}.{step.result}"
        while True:
            seen = await self._connection.refreshed(models)
            if isinstance(seen, Fault):
                return seen
            waited_s = asyncio.get_running_loop().time() - since_s
            fault = self._not_adopted(step.adoption, waited_s)
            if fault is None or fault.kind is not FaultKind.PENDING:
                self._adopting.pop(step.model.model_id, None)
                return None if fault is None else replace(fault, point=point)
            if waited_s >= self.settings.readback_s:
                return replace(fault, point=point)
            await asyncio.sleep(self.settings.adopt_pause_s)

    def _not_adopted(self, adoption: Adoption, waited_s: float) -> Fault | None:
        if adoption is Adoption.DONE:
            return None
        if adoption is Adoption.FAILED:
            return Fault(kind=FaultKind.REFUSED, detail="the curve was not adopted")
        if waited_s >= self.settings.adopt_s:
            detail = f"no curve adopted within {self.settings.adopt_s:g} s"
            return Fault(kind=FaultKind.READBACK, detail=detail)
        return Fault(kind=FaultKind.PENDING, detail="the curve is not adopted yet")

    async def _confirm(
        self, wanted: Plan, due: list[tuple[Step, int | None]], models: Models
    ) -> Applied | Fault:
        """Read back until every point and timer shows what was written, for `readback_s` at most."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self.settings.readback_s
        toggles = self.settings.toggle_to_refresh
        while True:
            seen = await self._connection.refreshed(models)
            if isinstance(seen, Fault):
                return seen
            difference = next(differences(lasting(wanted)), None)
            idle = [step for step, before_s in due if not self._is_restarted(step, before_s)]
            if difference is None and not idle:
                return applied(wanted)
            if difference is None and toggles:
                toggles = False
                fault = await self._toggle(idle, models)
                if fault:
                    return fault
                continue
            if loop.time() >= deadline_s:
                return difference or _idle_timer(idle[0])
            await asyncio.sleep(self.settings.readback_pause_s)

    def _is_restarted(self, step: Step, before_s: int | None) -> bool:
        """True if the reversion timer of a step runs, and went up or is near where it has to be by now."""
        if step.timer is None:
            return True
        sent, now_s = self._sent.get(_key(step)), asyncio.get_running_loop().time()
        gone_s = 0.0 if sent is None else now_s - sent.at_s
        left_s = step.remaining_s or 0
        return left_s > 0 and (left_s > (before_s or 0) or left_s >= step.timer_s - gone_s - TIMER_SLACK_S)

    async def _toggle(self, steps: list[Step], models: Models) -> Fault | None:
        """Disable and enable functions at once, for devices that restart a timer in no other way."""
        for step in steps:
            enable = (step.timer or "").removesuffix("RvrtRem") + "Ena"
            off = step_of(
                step.model, step.field, {enable: Wanted(0)}, permissions=self.settings.mapping.permissions
            )
            for block in (*off.blocks, *step.to_write):
                fault = await self._write_block(block, models)
                if fault:
                    return replace(fault, field=step.field)
        return None


def _key(step: Step) -> tuple[str, int]:
    return step.field, step.to_write[0].address if step.to_write else 0


def _idle_timer(step: Step) -> Fault:
    detail = f"the reversion timer did not restart: {step.remaining_s} of {step.timer_s} s"
    point = f"{step.model.model_id}.{step.timer}"
    return Fault(kind=FaultKind.READBACK, detail=detail, point=point, field=step.field)


def lasting(wanted: Plan) -> Iterator[Step]:
    """The steps that still show at the end; a stored curve may have made room for another one since."""
    return (step for step in wanted.steps if not step.verify)


def differences(steps: Iterable[Step]) -> Iterator[Fault]:
    """The points that show something else than what they shall hold."""
    for step in steps:
        for point, seen in _written(step):
            if seen != point.raw:
                detail = f"register {point.address} holds {seen}, written was {point.raw}"
                yield Fault(kind=FaultKind.READBACK, detail=detail, point=point.point, field=step.field)


def _written(step: Step) -> Iterator[tuple[WrittenPoint, Words | None]]:
    for block in step.to_see:
        yield from block.written()


def applied(wanted: Plan) -> Applied:
    """What the device holds."""
    points = tuple(point for step in lasting(wanted) for point, _ in _written(step))
    return Applied(points=points, unsupported=wanted.unsupported, unguarded=wanted.unguarded)
