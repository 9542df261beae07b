"""Steps of a procedure for a server that are done again until they are so: S-ALL-05 takes access away."""

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from conformance_tests import Ended, Level
from conformance_tests.aus.server_cases import PATIENCE_S, Play
from conformance_tests.aus.server_client import Seen
from conformance_tests.aus.server_deeds import Found
from conformance_tests.aus.server_registration import ALL_05
from conformance_tests.aus.server_words import Player, ServerProcedure
from schemas import EndDeviceList, Error
from tests.unit.conformance_tests.aus_viewer import LFDI, NoViewer
from tests.unit.conformance_tests.test_aus_server_doing import Stand

if TYPE_CHECKING:
    from conformance_tests.server.bench import ServerBench

LIST = EndDeviceList(all=1, results=1)
NO_MORE_ACCESS = ServerProcedure(
    name=ALL_05.name,
    title=ALL_05.title,
    category=ALL_05.category,
    steps=(replace(ALL_05.steps[-1], by=""),),
    clients=(("client", Player.DEVICE),),
)


class Server(Stand):
    """A bench whose clock is moved by those who wait, and an operator who bars a device."""

    def __init__(self) -> None:
        super().__init__()
        self.shared: dict[str, object] = {}
        self.barred: list[tuple[str, bool]] = []
        self.time_s = 1000.0

    @property
    def device(self) -> NoViewer:
        return self.viewer

    @property
    def operator(self) -> "Server":
        return self

    async def block(self, lfdi: str, *, blocked: bool) -> None:
        self.barred.append((lfdi, blocked))

    async def now(self) -> int:
        return int(self.time_s)

    async def until(self, at_s: float) -> None:
        self.time_s = max(self.time_s, at_s)

    async def play(self) -> list[tuple[Level, str]]:
        """Play the step; what did not hold."""
        made = Play(cast("ServerBench", self), NO_MORE_ACCESS, None)
        made.clients["client"].found[Found.EDEV_LIST] = [Seen(Found.EDEV_LIST, LIST, "https://server/edev")]
        await made.run()
        return [(one.level, one.what) for one in self.trial.findings if not one.held]


@pytest.fixture
def server() -> Server:
    return Server()


async def test_a_server_that_takes_access_away_after_a_while_passes(server: Server) -> None:
    for _ in range(3):
        server.viewer.answers_with("GET", "/edev", 200, LIST)
    server.viewer.answers_with("GET", "/edev", 403, Error(reasonCode=1))

    assert await server.play() == []
    assert len(server.viewer.asked) == 4
    assert server.barred == [(LFDI, True), (LFDI, False)]


async def test_a_server_whose_answer_fails_meanwhile_passes_once_it_refuses(server: Server) -> None:
    server.viewer.answers_with("GET", "/edev", 500)
    server.viewer.answers_with("GET", "/edev", 403, Error(reasonCode=1))

    assert await server.play() == []


async def test_a_list_that_is_empty_after_a_while_passes(server: Server) -> None:
    server.viewer.answers_with("GET", "/edev", 200, LIST)
    server.viewer.answers_with("GET", "/edev", 200, EndDeviceList(all=0, results=0))

    assert await server.play() == []


async def test_a_server_that_never_takes_access_away_fails(server: Server) -> None:
    server.viewer.answers_with("GET", "/edev", 200, LIST)

    with pytest.raises(Ended):
        await server.play()

    assert [one.what for one in server.trial.findings if not one.held] == ["the list is empty"]
    assert server.time_s >= 1000 + PATIENCE_S


async def test_a_refusal_without_an_error_warns_and_is_not_waited_for(server: Server) -> None:
    server.viewer.answers_with("GET", "/edev", 403, b"<html>no</html>")

    assert await server.play() == [(Level.SHOULD, "the body of a refusal is an Error")]
    assert len(server.viewer.asked) == 1
