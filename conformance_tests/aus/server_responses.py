"""Responses: controls that run, are cancelled or are superseded, and stay readable, S-ALL-41 and 42."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from conformance_tests.aus.server_deeds import Found, Pause, Respond
from conformance_tests.aus.server_notation import (
    ACTIVE,
    CANCELLED,
    NONE_LEFT,
    ONE,
    ONE_CLIENT,
    OWN,
    REGISTERED,
    SCHEDULED,
    SOME,
    SUPERSEDED,
    controls,
    defaults,
    do,
    export,
    find,
    modes,
)
from conformance_tests.aus.server_words import (
    Answered,
    Between,
    ClearControls,
    Controls,
    Duty,
    Publish,
    PublishDefault,
    ServerProcedure,
    ServerStep,
    Test,
)

UNBOUND: Final = export(2)
STARTED, COMPLETED = 2, 3


def seen(
    name: str, *checks: Test, duties: tuple[Duty, ...] = (), until: bool = True, tell: str = ""
) -> ServerStep:
    """The client reads its controls."""
    return find(name, Found.DERC, checks=checks, duties=duties, until=until, tell=tell)


def unbound(status: int, number: Between = ONE, *, to_answer: bool = False) -> Controls:
    """A control that binds nothing, which must be answered where it says so."""
    return replace(controls(UNBOUND, number, status), response_required=3 if to_answer else None)


def planned(start_in_s: int | None = None, duration_s: int | None = None) -> Publish:
    """A control that binds nothing, to come."""
    return Publish(active=False, modes=UNBOUND, start_in_s=start_in_s, duration_s=duration_s)


def respond(name: str, *checks: Test, until: bool = False) -> ServerStep:
    """The client answers what it found."""
    return do(name, Respond(), *checks, until=until)


def pause(name: str, seconds: int) -> ServerStep:
    """Time passes."""
    return do(name, Pause(seconds))


CLEAR: Final = (ClearControls(),)


def _runs() -> tuple[ServerStep, ...]:
    return (
        find(
            "first control",
            *(Found.EDEV, Found.DERC),
            checks=(OWN, unbound(SCHEDULED)),
            duties=(REGISTERED, planned()),
        ),
        respond("received"),
        seen("first control is active", unbound(ACTIVE)),
        respond("started and completed", Answered(STARTED), Answered(COMPLETED), until=True),
        pause("it may go", 20),
        seen("it is gone", Controls(number=NONE_LEFT), until=False),
    )


def _is_cancelled() -> tuple[ServerStep, ...]:
    return (
        seen("second control", unbound(SCHEDULED, to_answer=True), duties=(planned(300, 600),)),
        respond("second received"),
        pause("until it starts", 320),
        seen("second control is active", unbound(ACTIVE), until=False),
        respond("second started"),
        seen("second control is cancelled", unbound(CANCELLED, to_answer=True), duties=CLEAR),
        pause("the client may be late", 10),
        seen("it is still there", unbound(CANCELLED), until=False),
        respond("second cancelled"),
        seen(
            "nothing more to come",
            *(Controls(number=NONE_LEFT, status=one) for one in (SCHEDULED, ACTIVE)),
            duties=CLEAR,
        ),
    )


def _is_cancelled_early() -> tuple[ServerStep, ...]:
    return (
        seen(
            "third control",
            unbound(SCHEDULED, to_answer=True),
            duties=(planned(600),),
            tell="The control starts in ten minutes; responseRequired is 03 and replyTo leads to responses.",
        ),
        respond("third received"),
        seen("third control is cancelled", unbound(CANCELLED, SOME, to_answer=True), duties=CLEAR),
        respond("third cancelled"),
    )


def _is_superseded() -> tuple[ServerStep, ...]:
    return (
        seen("fourth control", unbound(SCHEDULED), duties=(planned(600),)),
        respond("fourth received"),
        seen(
            "fifth control",
            controls(modes(opModExpLimW=0), ONE, ACTIVE),
            unbound(SUPERSEDED),
            duties=(Publish(active=True, modes=modes(opModExpLimW=0), duration_s=700),),
            tell="A control of the same primacy whose time overlaps is active at once.",
        ),
        respond("both answered"),
    )


ALL_41: Final = ServerProcedure(
    name="S-ALL-41",
    title="controls tell their status, and take their responses",
    category="Control",
    clients=ONE_CLIENT,
    steps=(*_runs(), *_is_cancelled(), *_is_cancelled_early(), *_is_superseded()),
)

ALL_42: Final = ServerProcedure(
    name="S-ALL-42",
    title="a cancelled control stays until a late client has seen it",
    category="Control",
    clients=ONE_CLIENT,
    steps=(
        find(
            "precondition",
            *(Found.EDEV, Found.DERC, Found.DDERC),
            checks=(OWN, unbound(ACTIVE), defaults(export(0.3))),
            duties=(
                REGISTERED,
                Publish(active=True, modes=UNBOUND, duration_s=60),
                PublishDefault(modes=export(0.3)),
            ),
        ),
        seen("cancelled", unbound(CANCELLED), duties=CLEAR),
        pause("the client is late", 30),
        seen("it is still there", unbound(CANCELLED), until=False),
        respond("cancelled, answered"),
    ),
)

PROCEDURES: Final = (ALL_41, ALL_42)
