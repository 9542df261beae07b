"""What siblings need of each other, as small Protocols; `lineside` wires them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from schemas import DERControlBase, Resource


class Clock(Protocol):
    """Server time."""

    def now(self) -> int:
        """Seconds since 1970 UTC."""
        ...


class PublishError(Exception):
    """Something could not be published.

    PublishError
     +- Unreachable   nobody knows whether it was done: the same again, later, is safe
     +- Refused       the server will not: the text says why, and the same again is refused again
         +- Gone      an event with this mRID was there and was cancelled or superseded: give another
    """


class Unreachable(PublishError):
    """The server gave no answer, or none that says what became of the request."""


class Refused(PublishError):
    """The server refused for a reason that time does not heal."""


class Gone(Refused):
    """The mRID is that of an event that is cancelled or superseded: it does not come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToPublish:
    """What is to be there, by the mRID of its `value`; the server makes links, status and creationTime.

    Without a `home` it is a program, to be shown to the devices of the `group` with its primacy. Otherwise it
    is a rate component, an event or a curve, and `home` is the mRID of the program or rate component that it
    hangs below. `below` is what hangs below it: a ReadingType, prices. `curves` names by mRID the curves of
    modes, whose hrefs only the server knows.
    """

    value: Resource
    group: str = ""
    home: str | None = None
    below: tuple[Resource, ...] = ()
    curves: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCancel:
    """An event that is not to be in force any more; with `is_randomized` devices spread its end."""

    mRID: str
    is_randomized: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDefault:
    """The modes that the DefaultDERControl of the DERProgram with this mRID is to have; None: none of it."""

    program: str
    base: DERControlBase | None


class Publisher(Protocol):
    """A server's side for whoever brings programs and events from outside, such as a VEN.

    Everything is known by the mRID that the caller gives it, so that each call may be repeated: what is there
    stays, what is gone is gone. Groups are those of the server, and have to be there. All raise PublishError.
    """

    async def publish(self, items: Sequence[ToPublish]) -> Sequence[Refused | None]:
        """Have all of this there, in this order; each as far as the others allow, or why not.

        Gone for an event whose mRID is used up. What is raised concerns all of them.
        """
        ...

    async def cancel(self, items: Sequence[ToCancel]) -> Sequence[Refused | None]:
        """Cancel events; one that is over or was never there needs nothing. What is raised concerns all."""
        ...

    async def remove_curve(self, curve: str) -> None:
        """Remove the curve with this mRID. Refused while a control that is not over follows it."""
        ...

    async def set_defaults(self, items: Sequence[ToDefault]) -> Sequence[Refused | None]:
        """Set the DefaultDERControls of DERPrograms, or why not. What is raised concerns all."""
        ...
