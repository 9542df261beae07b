"""What a case asks of the operator of a server. By our operator API, a command of the user, or a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from schemas import DefaultDERControl, DERControlBase, DERCurve


class Operator(Protocol):
    """One act each, done when it returns. Groups are names of the case's own; times s since 1970 UTC.

    Raises TargetError where the act was refused or not done in time, Skipped where the way that the run was
    given has no such act.
    """

    async def begin(self, case: str, *, lasting: frozenset[str], note: Callable[[str], None]) -> None:
        """A case begins: its groups are others than those of earlier cases with the same names.

        Devices with the LFDIs of `lasting` stay registered when it ends; `note` is told of each act.
        """
        ...

    async def end(self) -> None:
        """The case is over: its controls, groups and devices are cleared away."""
        ...

    async def close(self) -> None:
        """Let go of connections; an act after that opens them anew."""
        ...

    async def ensure_device(
        self,
        lfdi: str,
        *,
        pin: int = 111115,
        ders: int = 1,
        aggregator: str | None = None,
        is_aggregator: bool = False,
    ) -> None:
        """Make sure that a device (or an aggregator) is registered, in no group of an earlier case."""
        ...

    async def remove_device(self, lfdi: str) -> None:
        """Make sure that a device is gone, with all under it."""
        ...

    async def assign(self, lfdi: str, group: str, *, primacy: int) -> None:
        """Give a device a FunctionSetAssignments with the DERProgram of a group; made where it is missing."""
        ...

    async def unassign(self, lfdi: str, group: str) -> None:
        """Take that FunctionSetAssignments from a device."""
        ...

    async def set_primacy(self, group: str, primacy: int) -> None:
        """Change the primacy of a group's program."""
        ...

    async def set_default(self, group: str, default: DefaultDERControl | None) -> None:
        """Set the default of a group's program, or clear it."""
        ...

    async def add_curve(self, group: str, curve: DERCurve) -> str:
        """Add a curve to a group's program; its href."""
        ...

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
        ...

    async def cancel(self, mrid: str, *, randomized: bool = False) -> None:
        """Cancel one control."""
        ...

    async def cancel_all(self) -> None:
        """Cancel every control that is not over."""
        ...

    async def set_rates(self, lfdi: str, rates: Mapping[str, int]) -> None:
        """Change pollRates (by resource) and postRates (`MirrorUsagePoint`, `EndDevice`) of a client, s."""
        ...

    async def block(self, lfdi: str, *, blocked: bool) -> None:
        """Refuse a certificate, or let it in again."""
        ...

    async def forget_readings(self, lfdi: str) -> None:
        """Drop all readings of a client."""
        ...

    async def responses(self, mrid: str) -> Sequence[tuple[str, int]]:
        """What the server holds of Responses to an event: LFDI and status, in the order of arrival."""
        ...

    async def cancel_subscription(self, lfdi: str, subscribed: str, *, status: int = 1) -> None:
        """End the subscription of a client to a resource."""
        ...
