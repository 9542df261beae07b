"""Plants for clients: what our own client says, understands and does, changed as one with the fault would."""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from der_client import Applied, Fault, Reversion, Setpoint
from der_client.errors import UnreachableError
from der_client.session import Answer, Session
from tests.integration.conformance.own_client import HoldingDevice, Rig
from tests.integration.conformance.planted.row import Plant, instead

Ask = Callable[[Session, str, str, bytes | None, str], Awaitable[Answer]]
Tamper = Callable[[Ask, Session, str, str, bytes | None, str], Awaitable[Answer]]


def speaks(tamper: Tamper) -> Plant:
    """Every request of the client goes through a tamperer."""

    def made(ask: Ask) -> Any:  # noqa: ANN401  a method
        async def request(session: Session, method: str, url: str, body: bytes | None, accept: str) -> Answer:
            return await tamper(ask, session, method, url, body, accept)

        return request

    return lambda _: instead(Session, "_request", made)


def taken() -> Answer:
    """The answer to what was never sent."""
    return Answer(status=201, location="/nowhere", body=b"", sent_s=0.0, received_s=0.0)


def losing(pattern: bytes, *, first: int = 0) -> Plant:
    """Requests with such a body are lost, but the `first` ones, and the client believes that they came."""

    def plant(rig: Rig) -> AbstractContextManager[None]:
        left = first

        async def tamper(
            ask: Ask, session: Session, method: str, url: str, body: bytes | None, accept: str
        ) -> Answer:
            nonlocal left
            if body is not None and re.search(pattern, body, re.DOTALL):
                left -= 1
                if left < 0:
                    return taken()
            return await ask(session, method, url, body, accept)

        return speaks(tamper)(rig)

    return plant


def sending(pattern: bytes, other: bytes | Callable[[re.Match[bytes]], bytes]) -> Plant:
    """Something else stands in what is sent."""

    async def tamper(
        ask: Ask, session: Session, method: str, url: str, body: bytes | None, accept: str
    ) -> Answer:
        changed = None if body is None else re.sub(pattern, other, body, flags=re.DOTALL)
        return await ask(session, method, url, changed, accept)

    return speaks(tamper)


def reading(pattern: bytes, other: bytes | Callable[[re.Match[bytes]], bytes]) -> Plant:
    """The client understands something else than what is answered."""

    async def tamper(
        ask: Ask, session: Session, method: str, url: str, body: bytes | None, accept: str
    ) -> Answer:
        answer = await ask(session, method, url, body, accept)
        return replace(answer, body=re.sub(pattern, other, answer.body, flags=re.DOTALL))

    return speaks(tamper)


def silenced_by(answer_has: bytes, pattern: bytes) -> Plant:
    """Once such an answer was read, requests with such a body are lost."""

    def plant(rig: Rig) -> AbstractContextManager[None]:
        is_silent = False

        async def tamper(
            ask: Ask, session: Session, method: str, url: str, body: bytes | None, accept: str
        ) -> Answer:
            nonlocal is_silent
            if is_silent and body is not None and re.search(pattern, body, re.DOTALL):
                return taken()
            answer = await ask(session, method, url, body, accept)
            is_silent = is_silent or answer_has in answer.body
            return answer

        return speaks(tamper)(rig)

    return plant


def later(by_s: int) -> Callable[[re.Match[bytes]], bytes]:
    """The number that was found, so much larger."""
    return lambda found: b"%b%d" % (found[1], int(found[2]) + by_s)


def reading_later(tag: bytes, by_s: int) -> Plant:
    """The client takes a time of the server to be later than it is, s."""
    return reading(rb"(<%b>)(\d+)" % tag, later(by_s))


def sending_later(tag: bytes, by_s: int) -> Plant:
    """The client writes a time that is later than it is, s."""
    return sending(rb"(<%b>)(\d+)" % tag, later(by_s))


def twice(pattern: bytes) -> Plant:
    """What has such a body is posted twice."""

    async def tamper(
        ask: Ask, session: Session, method: str, url: str, body: bytes | None, accept: str
    ) -> Answer:
        if body is not None and re.search(pattern, body, re.DOTALL):
            await ask(session, method, url, body, accept)
        return await ask(session, method, url, body, accept)

    return speaks(tamper)


async def staying(
    ask: Ask, session: Session, method: str, url: str, body: bytes | None, accept: str
) -> Answer:
    """Redirects are an error."""
    answer = await ask(session, method, url, body, accept)
    if answer.status in {301, 302}:
        raise UnreachableError(url, "redirected")
    return answer


async def accepting_html(
    ask: Ask, session: Session, method: str, url: str, body: bytes | None, accept: str
) -> Answer:
    """Everything is asked for as HTML."""
    del accept
    return await ask(session, method, url, body, "text/html")


# --- devices ---


@dataclass
class Changing(HoldingDevice):
    """A device that says that it holds what it is told, and holds something else."""

    change: Callable[[HoldingDevice, Setpoint], Setpoint] = lambda _, setpoint: setpoint

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        return await HoldingDevice.apply(self, self.change(self, setpoint), reversion)


def drives(**changes: Any) -> Plant:  # noqa: ANN401  values of a setpoint
    """Devices hold these values whatever they are told."""
    return holding(lambda _, setpoint: replace(setpoint, **changes))


def holding(change: Callable[[HoldingDevice, Setpoint], Setpoint]) -> Plant:
    """Devices hold something else than they are told."""

    @contextmanager
    def plant(rig: Rig) -> Iterator[None]:
        before = rig.wrap
        rig.wrap = lambda device: Changing(device.name, change=change)
        try:
            yield
        finally:
            rig.wrap = before

    return plant


def first_for_ever(device: HoldingDevice, setpoint: Setpoint) -> Setpoint:
    """Once a device was told a limit it keeps to it."""
    held = device.held
    return held if held is not None and held.max_w_pct is not None else setpoint
