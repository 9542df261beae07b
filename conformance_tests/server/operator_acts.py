"""Every act of an operator as a name and what it needs in JSON, for a way that does them one by one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeAlias

from schemas import spec_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from schemas import DefaultDERControl, DERControlBase, DERCurve

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


def as_json(value: object) -> Json:
    """A resource with the names of the standard; what is absent is left out, numbers are in wire form."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    held = {f.name: getattr(value, f.attr) for f in spec_of(type(value))}
    return {name: as_json(one) for name, one in held.items() if one is not None and one != []}


class Acts(ABC):
    """An operator whose acts all go one way. `begin` and `end` are acts as well."""

    note: Callable[[str], None] | None = None

    @abstractmethod
    async def do(self, act: str, given: Mapping[str, Json]) -> Mapping[str, Json]:
        """Do one act; what it tells. TargetError where it failed, Skipped where there is no such act."""

    async def _act(self, act: str, **given: Json) -> Mapping[str, Json]:
        present = {name: value for name, value in given.items() if value is not None}
        if self.note is not None:
            told = " ".join(f"{name}={value}" for name, value in present.items())
            self.note(f"operator: {act} {told}"[:400])
        return await self.do(act, present)

    async def begin(self, case: str, *, lasting: frozenset[str], note: Callable[[str], None]) -> None:
        """A case begins; `note` is told of each act until it ends."""
        self.note = None
        await self._act("begin", case=case, lasting=sorted(lasting))
        self.note = note

    async def end(self) -> None:
        """The case is over: what it made is cleared away."""
        self.note = None
        await self._act("end")

    async def close(self) -> None:
        """Nothing is held between two acts."""
        return

    async def ensure_device(
        self,
        lfdi: str,
        *,
        pin: int = 111115,
        ders: int = 1,
        aggregator: str | None = None,
        is_aggregator: bool = False,
    ) -> None:
        """Make sure that a device is registered, in no group of an earlier case."""
        await self._act(
            "ensure-device", lFDI=lfdi, pIN=pin, ders=ders, aggregator=aggregator, isAggregator=is_aggregator
        )

    async def remove_device(self, lfdi: str) -> None:
        """Make sure that a device is gone, with all under it."""
        await self._act("remove-device", lFDI=lfdi)

    async def assign(self, lfdi: str, group: str, *, primacy: int) -> None:
        """Give a device the FunctionSetAssignments of a group with its program."""
        await self._act("assign", lFDI=lfdi, group=group, primacy=primacy)

    async def unassign(self, lfdi: str, group: str) -> None:
        """Take that FunctionSetAssignments from a device."""
        await self._act("unassign", lFDI=lfdi, group=group)

    async def set_primacy(self, group: str, primacy: int) -> None:
        """Change the primacy of a group's program."""
        await self._act("set-primacy", group=group, primacy=primacy)

    async def set_default(self, group: str, default: DefaultDERControl | None) -> None:
        """Set the default of a group's program, or clear it."""
        await self._act("set-default", group=group, DefaultDERControl=_without_identity(as_json(default)))

    async def add_curve(self, group: str, curve: DERCurve) -> str:
        """Add a curve to a group's program; its href."""
        told = await self._act("add-curve", group=group, DERCurve=_without_identity(as_json(curve)))
        return str(told.get("href", ""))

    async def publish(
        self,
        group: str,
        base: DERControlBase,
        *,
        start_s: int,
        duration_s: int,
        randomize_start_s: int | None = None,
        randomize_duration_s: int | None = None,
        response_required: str = "07",
    ) -> str:
        """Publish a DERControl; its mRID."""
        told = await self._act(
            "publish",
            group=group,
            DERControlBase=as_json(base),
            start=start_s,
            duration=duration_s,
            randomizeStart=randomize_start_s,
            randomizeDuration=randomize_duration_s,
            responseRequired=response_required,
        )
        return str(told.get("mRID", ""))

    async def cancel(self, mrid: str, *, randomized: bool = False) -> None:
        """Cancel one control."""
        await self._act("cancel", mRID=mrid, randomized=randomized)

    async def cancel_all(self) -> None:
        """Cancel every control that is not over."""
        await self._act("cancel-all")

    async def set_rates(self, lfdi: str, rates: Mapping[str, int]) -> None:
        """Change pollRates and postRates, s."""
        await self._act("set-rates", lFDI=lfdi, rates=dict(rates))

    async def block(self, lfdi: str, *, blocked: bool) -> None:
        """Refuse a certificate, or let it in again."""
        await self._act("block", lFDI=lfdi, blocked=blocked)

    async def forget_readings(self, lfdi: str) -> None:
        """Drop all readings of a client."""
        await self._act("forget-readings", lFDI=lfdi)

    async def responses(self, mrid: str) -> Sequence[tuple[str, int]]:
        """What the server holds of Responses to an event: LFDI and status, in the order of arrival."""
        told = (await self._act("responses", mRID=mrid)).get("responses", [])
        rows = told if isinstance(told, list) else []
        return [(str(one["lFDI"]), int(one["status"])) for one in rows if isinstance(one, dict)]

    async def cancel_subscription(self, lfdi: str, subscribed: str, *, status: int = 1) -> None:
        """End the subscription of a client to a resource."""
        await self._act("cancel-subscription", lFDI=lfdi, subscribedResource=subscribed, status=status)


def _without_identity(value: Json) -> Json:
    """A resource without what its server gives it."""
    if not isinstance(value, dict):
        return value
    return {name: one for name, one in value.items() if name not in {"mRID", "href", "creationTime"}}
