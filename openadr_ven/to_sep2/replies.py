"""Small makers of replies, shared by the rows of the table."""

from collections.abc import Callable, Iterable
from decimal import Decimal

from openadr_ven.events import Code, Refusal, Unit
from openadr_ven.to_sep2.fleet import Device
from openadr_ven.to_sep2.wishes import Action, Ask, Note, Reply

Verdict = Action | Refusal | None


def refusal(ask: Ask, text: str, code: Code = Code.SIGNAL_NOT_SUPPORTED) -> Refusal:
    """Why a signal is not carried out."""
    name = "/".join(part for part in (ask.signal.signalName, ask.signal.signalType) if part)
    return Refusal(code=code, text=f"{name}: {text}")


def note(ask: Ask, device: str, text: str) -> Note:
    """A log line about a device and a signal."""
    return Note(eventID=ask.event.eventID, device=device, text=f"{ask.signal.signalName}: {text}")


def refused(ask: Ask, text: str, code: Code = Code.SIGNAL_NOT_SUPPORTED) -> Reply:
    """The reply that refuses for all devices."""
    return Reply(refusals=tuple((device.name, refusal(ask, text, code)) for device in ask.devices))


def each(ask: Ask, verdict: Callable[[Device], Verdict], notes: Iterable[Note] = ()) -> Reply:
    """The reply of a row that looks at every device by itself."""
    actions: list[tuple[str, Action]] = []
    refusals: list[tuple[str, Refusal]] = []
    for device in ask.devices:
        found = verdict(device)
        if isinstance(found, Refusal):
            refusals.append((device.name, found))
        elif found is not None:
            actions.append((device.name, found))
    return Reply(actions=tuple(actions), refusals=tuple(refusals), notes=tuple(notes))


def power_of(ask: Ask) -> Decimal | None:
    """The value in W, load positive; None if it is no active power. OpenADR 2.0b, R109.

    A unit that a programme gives to signals without one is in the signal: `Enrolment.default_units`.
    """
    return ask.number if ask.signal.unit is Unit.W else None


def joined(replies: Iterable[Reply]) -> Reply:
    """Several replies as one."""
    held = tuple(replies)
    return Reply(
        actions=tuple(one for reply in held for one in reply.actions),
        refusals=tuple(one for reply in held for one in reply.refusals),
        notes=tuple(one for reply in held for one in reply.notes),
        goals=tuple(one for reply in held for one in reply.goals),
    )
