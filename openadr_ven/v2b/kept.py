"""What a 2.0b client keeps over SIGKILL: registration, events, report requests, and what it owes the VTN."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from openadr_ven.events import EventError, State, record_to_json, state_of_table, state_table
from openadr_ven.memory import KeptError
from openadr_ven.rows import Texts
from openadr_ven.v2b.errors import MessageError, WireError
from openadr_ven.v2b.messages import CreateReport, Message, Service
from openadr_ven.v2b.reading import read
from openadr_ven.v2b.reporting import Running
from openadr_ven.v2b.writing import enveloped, signed_object

VERSION = 2
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What the VTN gave us. `poll_s` None: it asked for no pace."""

    registrationID: str
    venID: str
    vtnID: str
    poll_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A message that the VTN has not taken yet."""

    service: Service
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """All of it.

    `is_cancelled`: the VTN ended the registration, and a person must begin a new one. `offered` is the digest
    of the metadata that the VTN took last.
    """

    registration: Registration | None = None
    state: State = field(default_factory=State)
    running: tuple[Running, ...] = ()
    owed: tuple[Owed, ...] = ()
    is_cancelled: bool = False
    offered: str = ""


def table_of(kept: Kept, texts: Texts | None = None) -> object:
    """The JSON value of it; messages are kept as they are sent. `texts` are those of the last time."""
    texts = texts or Texts()
    texts.begin()
    registration = kept.registration
    requests = CreateReport(requestID="", requests=tuple(one.request for one in kept.running))
    return {
        "version": VERSION,
        "registration": None
        if registration is None
        else [registration.registrationID, registration.venID, registration.vtnID, registration.poll_s],
        "state": state_table(kept.state, lambda record: texts.of(record, record_to_json)),
        "requests": signed_object(requests) if kept.running else None,
        "times": [[one.since, one.due] for one in kept.running],
        "owed": [texts.of(one, _owed_text) for one in kept.owed],
        "is_cancelled": kept.is_cancelled,
        "offered": kept.offered,
    }


def kept_of(found: object) -> Kept:
    """What was kept; nothing at all for None. Raises KeptError for another form."""
    if found is None:
        return Kept()
    if not isinstance(found, Mapping) or found.get("version") != VERSION:
        raise KeptError("not kept by this version")
    try:
        return Kept(
            registration=_registration(found["registration"]),
            state=state_of_table(found["state"]),
            running=_running(found["requests"], found["times"]),
            owed=tuple(_owed(found["owed"])),
            is_cancelled=bool(found["is_cancelled"]),
            offered=str(found["offered"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError, EventError, WireError) as error:
        raise KeptError(f"what was kept cannot be read: {error}") from error


def _registration(found: tuple[str, str, str, int | None] | None) -> Registration | None:
    if found is None:
        return None
    registrationID, venID, vtnID, poll_s = found
    return Registration(registrationID=registrationID, venID=venID, vtnID=vtnID, poll_s=poll_s)


def _owed_text(owed: Owed) -> str:
    return f"{owed.service.value} {signed_object(owed.message)}"


def _owed(found: list[str]) -> Iterator[Owed]:
    """What was owed. A single message that cannot be read is given up: events are worth more."""
    for service, _, text in (one.partition(" ") for one in found):
        try:
            yield Owed(service=Service(service), message=read(enveloped(text)))
        except MessageError as error:
            log.log(logging.ERROR, "a message that was owed is given up: %s", error)


def _running(text: str | None, times: list[tuple[int, int]]) -> tuple[Running, ...]:
    if text is None:
        return ()
    message = read(enveloped(text))
    if not isinstance(message, CreateReport):
        raise KeptError("the requests are none")
    return tuple(
        Running(request=request, since=since, due=due)
        for request, (since, due) in zip(message.requests, times, strict=True)
    )
