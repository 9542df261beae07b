"""The engine of the procedures for clients: what is left out, comes too soon or must not come is seen."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from conformance_tests import Ended, Level
from conformance_tests.aus.client_notation import (
    EVERY,
    FINISH,
    PROGRAM,
    answered,
    get,
    last_wait,
    on,
    post,
    put,
    settings,
    stored,
)
from conformance_tests.aus.client_play import Play, limit_s
from conformance_tests.aus.client_schedules import ALL_25_EXT
from conformance_tests.aus.client_words import (
    ClientProcedure,
    Elapsed,
    Finish,
    Open,
    Part,
    Reachable,
    Step,
    Stored,
)
from conformance_tests.aus.places import DER_LIST, DER_SETTINGS, EDEV_LIST, TIME, Place
from conformance_tests.client.dispatch import Dispatch
from conformance_tests.client.http import Request
from schemas import EndDevice, Resource
from tests.unit.conformance_tests.aus_viewer import LFDI, SFDI
from tests.unit.conformance_tests.test_aus_client_checking import Stand
from tests.unit.conformance_tests.test_aus_client_checking import settings as der_settings

if TYPE_CHECKING:
    from conformance_tests.client.clock import StageClock

Visit = Callable[["Visitor"], Awaitable[None]]


class Visitor:
    """A client that asks what a test wants, of a stage that no network reaches."""

    def __init__(self, procedure: ClientProcedure, visit: Visit) -> None:
        self.stand = Stand(registered=False)
        bench: Any = self.stand.bench
        bench.stage.clock.scale = 1000.0
        self.clock: StageClock = bench.stage.clock
        bench.serving.dispatch = Dispatch(bench.stage, frozenset({LFDI}))
        bench.serving.faults = self
        bench.start = self.start
        self.ordered: list[str] = []
        self.visit = visit
        self.play = Play(bench, procedure)
        self.stand.scene, self.stand.dispatch = self.play.scene, self.play.dispatch

    @asynccontextmanager
    async def start(self, _: object) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self._come())
            yield
            task.cancel()

    async def _come(self) -> None:
        await asyncio.sleep(0)
        self.stand.ask("GET", self.stand.stage.dcap)
        await self.visit(self)

    def order(self, fault: object, _: float) -> None:
        """A fault was ordered."""
        self.ordered.append(str(fault))

    def lift(self, _: object) -> None:
        """Faults were lifted."""
        self.ordered.append("lifted")

    def asks(self, method: str, place: Place, value: Resource | None = None) -> int:
        """One request."""
        return self.stand.ask(method, self.play.scene.href(place), value).status

    async def flaws(self) -> list[tuple[Level, str, str]]:
        """What did not hold in the end."""
        try:
            await self.play.run()
            await self.stand.bench.leave()
        except Ended:
            await self.stand.bench.leave()
        trial = self.stand.bench.trial
        return [(one.level, one.what, one.seen) for one in trial.findings if not one.held]


def procedure(*steps: Step, **more: object) -> ClientProcedure:
    """A procedure in which everything counts from the first connection, of a device that registered."""
    values: dict[str, Any] = {"at_once": True, "first": (PROGRAM,), **more}
    return ClientProcedure(
        name="MADE",
        title="made",
        category="made",
        classes=("A",),
        versions=EVERY,
        steps=steps,
        **values,
    )


TWO = (on("FIRST", get(EDEV_LIST), "SECOND"), on("SECOND", get(TIME)))


async def test_steps_that_come_in_their_order_pass() -> None:
    async def visit(client: Visitor) -> None:
        client.asks("GET", EDEV_LIST)
        client.asks("GET", TIME)

    assert await Visitor(procedure(*TWO), visit).flaws() == []


async def test_a_request_before_its_step_is_open_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance_tests.aus.client_play.ASKED_S", 20)

    async def visit(client: Visitor) -> None:
        client.asks("GET", TIME)
        client.asks("GET", EDEV_LIST)

    flaws = await Visitor(procedure(*TWO), visit).flaws()
    assert flaws == [(Level.MUST, "every step of the procedure came", "not: SECOND")]


async def test_a_step_waits_until_what_was_put_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance_tests.aus.client_play.ASKED_S", 20)
    check = settings(setGradW=100)
    step = stored("SET", DER_SETTINGS, check)

    async def wrong(client: Visitor) -> None:
        client.stand.ask("POST", client.stand.stage.devices, device(client))
        client.asks("PUT", DER_SETTINGS, der_settings())

    async def right(client: Visitor) -> None:
        await wrong(client)
        client.asks("PUT", DER_SETTINGS, der_settings(setGradW=100))

    assert await Visitor(procedure(step), right).flaws() == []
    flaws = await Visitor(procedure(step), wrong).flaws()
    assert flaws == [(Level.MUST, "every step of the procedure came", "not: SET")]


def test_a_client_that_polls_each_hour_has_the_hour_for_what_a_step_waits_for() -> None:
    days_s = sum(step.on.seconds for step in ALL_25_EXT.steps if isinstance(step.on, Elapsed))

    assert limit_s(ALL_25_EXT) > days_s + 3600


def device(client: Visitor) -> Resource:
    """The EndDevice that the client registers."""
    made: Resource = client.stand.codec.profile.resolve(EndDevice)(lFDI=LFDI, sFDI=SFDI, changedTime=1)
    return made


async def test_what_must_not_come_ends_the_procedure_as_failed() -> None:
    forbidden = Step("FAIL", get(TIME), (Finish("time was read"),), stays=True)
    steps = (on("FIRST", get(EDEV_LIST), "END"), last_wait("END", 10), forbidden)
    played = procedure(*steps, acts=(Open(("FAIL",)),), unmet=("FAIL",))

    async def bad(client: Visitor) -> None:
        client.asks("GET", EDEV_LIST)
        client.asks("GET", TIME)

    async def good(client: Visitor) -> None:
        client.asks("GET", EDEV_LIST)

    assert await Visitor(played, good).flaws() == []
    flaws = await Visitor(played, bad).flaws()
    assert (Level.MUST, "nothing came that ends the procedure", "time was read") in flaws


async def test_what_must_be_so_at_the_end_is_looked_at_then() -> None:
    step = on("END", get(EDEV_LIST), acts=FINISH)

    async def visit(client: Visitor) -> None:
        client.asks("GET", EDEV_LIST)

    flaws = await Visitor(procedure(step, passes=(Stored(Part.STATUS),)), visit).flaws()
    assert flaws == [(Level.MUST, "the client has told its DERStatus", "nothing")]


async def test_an_act_of_a_step_comes_before_the_answer_unless_it_waits_for_it() -> None:
    seen: list[int] = []
    steps = (
        on("DOWN", answered(get(EDEV_LIST)), "UP", acts=(Reachable(up=False),)),
        on("UP", get(EDEV_LIST), acts=(Reachable(up=True),)),
    )

    async def visit(client: Visitor) -> None:
        seen.append(client.asks("GET", EDEV_LIST))
        seen.append(len(client.ordered))
        client.asks("GET", EDEV_LIST)

    visitor = Visitor(procedure(*steps), visit)
    assert await visitor.flaws() == []
    assert seen == [200, 1]
    assert visitor.ordered[-1] == "lifted"


async def test_an_instruction_that_nobody_follows_is_told() -> None:
    step = Step("PUT", put(DER_SETTINGS), tell="Change a setting.")
    first = on("FIRST", get(EDEV_LIST), acts=FINISH)
    played = procedure(first, step, unmet=("PUT",), tell="Connect a load.")

    async def visit(client: Visitor) -> None:
        client.asks("GET", EDEV_LIST)

    assert await Visitor(played, visit).flaws() == [(Level.MAY, "Connect a load.", "nobody does it")]


async def test_a_client_that_tells_nothing_of_itself_does_not_get_to_the_first_step() -> None:
    visitor = Visitor(procedure(on("ONE", get(DER_LIST)), at_once=False), lambda _: asyncio.sleep(0))
    visitor.stand.bench.patience_s = 10.0
    (flaw,) = await visitor.flaws()
    assert flaw[1:] == ("the client has registered, told of its DER and mirrors", "nothing told; no mirror")


async def test_a_request_of_another_method_is_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance_tests.aus.client_play.ASKED_S", 20)
    played = procedure(on("POST", post(EDEV_LIST)))

    async def visit(client: Visitor) -> None:
        client.asks("GET", EDEV_LIST)
        request = Request(method="POST", target=client.stand.stage.time)
        assert client.play.dispatch.answer(request, LFDI).status == 405

    flaws = await Visitor(played, visit).flaws()
    assert flaws == [(Level.MUST, "every step of the procedure came", "not: POST")]
