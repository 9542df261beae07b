"""Faults of the scripted server, as data: which requests they meet, for how long, and what happens then."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from conformance_tests.client.http import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from conformance_tests.client.http import Request

EVERY: Final = frozenset[str]()


class Moment(StrEnum):
    """When a connection is dropped."""

    BEFORE_TAKEN = "before the request is taken"
    BEFORE_ANSWER = "after the request was taken, before the answer"
    WITHIN_ANSWER = "in the middle of the answer"
    AFTER_ANSWER = "after the answer"


class Wrong(StrEnum):
    """What is wrong with the body of an answer."""

    MALFORMED = "not well-formed"
    WRONG_TYPE = "a resource of another type"
    WRONG_NAMESPACE = "another namespace"
    TRUNCATED = "cut in the middle"
    EMPTY = "nothing at all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: what it meets, and what it does; of several that meet a request the first one is done.

    `routes` are ids of the WADL, `hrefs` paths, `methods` names, `port` the one that the request came to:
    what is empty meets everything. It begins
    after `after_s` and lasts `for_s` of the stage's time, from when it was ordered, and meets at most `times`
    requests. What it does: answers `status` (with `location` plus the target for redirects, and Retry-After
    where `retry_after_s` is given), waits `delay_s`, drops the connection (`drop`), or spoils the body.
    """

    routes: frozenset[str] = EVERY
    hrefs: frozenset[str] = EVERY
    methods: frozenset[str] = EVERY
    port: int | None = None
    after_s: float = 0.0
    for_s: float | None = None
    times: int | None = None
    status: int | None = None
    location: str = ""
    retry_after_s: int | None = None
    delay_s: float = 0.0
    drop: Moment | None = None
    wrong: Wrong | None = None


@dataclass(slots=True, kw_only=True)
class Ordered:
    """A fault since when it was ordered, and how often it met a request."""

    fault: Fault
    since_s: float
    met: int = 0


@dataclass(slots=True)
class Faults:
    """The faults in force."""

    ordered: list[Ordered] = field(default_factory=list)

    def order(self, fault: Fault, elapsed_s: float) -> Ordered:
        """Let a fault happen from now on; `lift` ends it."""
        made = Ordered(fault=fault, since_s=elapsed_s)
        self.ordered.append(made)
        return made

    def lift(self, ordered: Ordered | None = None) -> None:
        """End one fault, or all of them (None)."""
        self.ordered = [one for one in self.ordered if ordered is not None and one is not ordered]

    def meeting(self, request: Request, route: str, port: int, elapsed_s: float) -> Fault | None:
        """The fault that meets a request at a time; it counts as met."""
        for one in self.ordered:
            is_here = one.fault.port in {None, port}
            if is_here and _is_due(one, elapsed_s) and _meets(one.fault, request, route):
                one.met += 1
                return one.fault
        return None


def refused(fault: Fault, request: Request) -> Answer | None:
    """The answer that a fault gives in the place of the server's, None where it gives none."""
    if fault.status is None:
        return None
    headers: dict[str, str] = {}
    if fault.location:
        headers["Location"] = fault.location + request.target
    if fault.retry_after_s is not None:
        headers["Retry-After"] = str(fault.retry_after_s)
    return Answer(status=fault.status, headers=headers)


def spoiled(answer: Answer, wrong: Wrong) -> Answer:
    """The answer with a body that is wrong; one without body stays as it is."""
    return replace(answer, body=_SPOILT[wrong](answer.body)) if answer.body else answer


def _malformed(body: bytes) -> bytes:
    return body.replace(b"</", b"<", 1) if b"</" in body else body[:-1]


def _wrong_type(body: bytes) -> bytes:
    space = body.partition(b'xmlns="')[2].partition(b'"')[0]
    return b'<DeviceStatus xmlns="' + space + b'"><changedTime>0</changedTime></DeviceStatus>'


def _wrong_namespace(body: bytes) -> bytes:
    return body.replace(b'xmlns="', b'xmlns="urn:example:other:', 1)


def _truncated(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _empty(_: bytes) -> bytes:
    return b""


_SPOILT: Final[Mapping[Wrong, Callable[[bytes], bytes]]] = {
    Wrong.MALFORMED: _malformed,
    Wrong.WRONG_TYPE: _wrong_type,
    Wrong.WRONG_NAMESPACE: _wrong_namespace,
    Wrong.TRUNCATED: _truncated,
    Wrong.EMPTY: _empty,
}


def _is_due(one: Ordered, elapsed_s: float) -> bool:
    fault, age_s = one.fault, elapsed_s - one.since_s - one.fault.after_s
    is_left = fault.times is None or one.met < fault.times
    return age_s >= 0 and is_left and (fault.for_s is None or age_s < fault.for_s)


def _meets(fault: Fault, request: Request, route: str) -> bool:
    wanted: Sequence[tuple[frozenset[str], str]] = (
        (fault.routes, route),
        (fault.hrefs, request.path),
        (fault.methods, request.method),
    )
    return all(not names or value in names for names, value in wanted)
