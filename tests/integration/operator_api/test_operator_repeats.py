"""A request with an Idempotency-Key is done once, however often it comes; what it was answered is kept."""

import http.client
import json
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from sep2_server import ManualClock, Sep2Server
from sep2_server.connection import Connection
from sep2_server.errors import UndecidedError
from sep2_server.operator import OperatorClient, Site
from sep2_server.operator.audit_reading import verify
from sep2_server.operator.auth import Role
from sep2_server.operator.commands import rows_of
from sep2_server.operator.token_files import add_token, remove_token
from sep2_server.tables import answered
from tests.integration.operator_api.conftest import NOW, LiveServer
from tests.integration.operator_api.test_operator_access import LFDI, audit_lines, exchange
from tests.integration.sep2_harness import DATABASES

pytestmark = pytest.mark.usefixtures("each_database")
DAY = 86_400
CONTROL = {"DERControlBase": {"opModMaxLimW": "50%"}, "duration": 60}
CONTROLS = "/groups/g/controls"
JSON = "application/json"
Told = tuple[int, dict[str, Any], Message]


@pytest.fixture
def beside(tmp_path: Path, each_database: str) -> dict[str, object]:
    """The database is one of each kind."""
    del each_database
    return {"database": DATABASES.of(tmp_path)}


@pytest.fixture
def grouped(api: OperatorClient) -> OperatorClient:
    """The group g has one program."""
    api.call("POST", ("groups",), {"name": "g", "primacy": 1})
    return api


def sent(api: OperatorClient, key: str | None, path: str, value: object, method: str = "POST") -> Told:
    """The answer to a request with a key."""
    more = {} if key is None else {"Idempotency-Key": key}
    body = None if value is None else json.dumps(value).encode()
    return exchange(api, method, path, body, **{"Content-Type": JSON}, **more)


def controls(api: OperatorClient) -> list[object]:
    """The mRIDs of all controls."""
    return [row["mRID"] for row in rows_of(api.get("controls"), "controls")]


def keys_of(server: Sep2Server) -> list[str]:
    """The keys of all answers that are kept."""
    held = server.store.write(lambda tx: tx._db.run(select(answered.c.key)).fetchall())
    return sorted(str(row[0]) for row in held)


def outcomes(site: Site, action: str) -> list[str]:
    return [line["outcome"] for line in audit_lines(site) if line["action"] == action]


def test_a_repetition_gets_the_same_answer_and_nothing_is_done_twice(
    grouped: OperatorClient, site: Site
) -> None:
    first = sent(grouped, "K1", CONTROLS, CONTROL)
    again = sent(grouped, "K1", CONTROLS, CONTROL)
    assert first[:2] == again[:2]
    assert first[0] == 200
    assert controls(grouped) == [first[1]["mRID"]]
    assert (first[2]["Idempotent-Replayed"], again[2]["Idempotent-Replayed"]) == (None, "true")
    assert outcomes(site, "publish control") == ["done", "repeated"]
    targets = {line["target"] for line in audit_lines(site) if line["action"] == "publish control"}
    assert targets == {f"g/{first[1]['mRID']}"}
    assert verify(site.operator.folder / "audit.jsonl").flaw is None


def test_the_same_request_is_the_same_in_another_order_of_its_names(grouped: OperatorClient) -> None:
    first = sent(grouped, "K1", CONTROLS, CONTROL)
    again = sent(grouped, "K1", CONTROLS, dict(reversed(CONTROL.items())))
    assert again[:2] == first[:2]
    assert len(controls(grouped)) == 1


OTHERS: dict[str, tuple[str, str, object]] = {
    "body": ("POST", CONTROLS, {**CONTROL, "duration": 61}),
    "query": ("POST", f"{CONTROLS}?program=g", CONTROL),
    "path": ("POST", "/groups/h/controls", CONTROL),
    "method": ("PATCH", "/groups/g/default", {"DERControlBase": {}}),
    "pIN": ("POST", "/devices", {"name": "a", "lFDI": LFDI, "pIN": 111_115}),
}


@pytest.mark.parametrize("request_", OTHERS.values(), ids=OTHERS)
def test_a_key_of_another_request_is_a_conflict(
    grouped: OperatorClient, site: Site, request_: tuple[str, str, object]
) -> None:
    method, path, value = request_
    sent(grouped, "K1", CONTROLS, CONTROL)
    status, body, _ = sent(grouped, "K1", path, value, method)
    assert (status, body["error"]) == (409, "conflict")
    assert body["detail"] == "Idempotency-Key: 'K1' was sent with another request"
    assert "a key of its own" in body["hint"]
    assert len(controls(grouped)) == 1
    assert audit_lines(site)[-1]["outcome"] == "refused: conflict"


def test_another_pin_is_another_request(api: OperatorClient) -> None:
    device = {"name": "a", "lFDI": LFDI, "pIN": 111_115}
    assert sent(api, "K1", "/devices", device)[0] == 200
    assert sent(api, "K1", "/devices", {**device, "pIN": 222_220})[0] == 409


def test_a_refused_request_keeps_no_key(grouped: OperatorClient) -> None:
    """Nothing was done: it may come again as it should be."""
    assert sent(grouped, "K1", CONTROLS, {**CONTROL, "duration": "soon"})[0] == 400
    assert sent(grouped, "K1", CONTROLS, CONTROL)[0] == 200
    assert len(controls(grouped)) == 1


def test_a_trial_keeps_no_key(grouped: OperatorClient) -> None:
    items = [{**CONTROL, "groups": ["g"]}]
    assert sent(grouped, "K1", "/controls/bulk?dry_run=true", items)[1]["problems"] == []
    assert sent(grouped, "K1", "/controls/bulk", items)[0] == 200
    again = sent(grouped, "K1", "/controls/bulk", items)
    assert again[2]["Idempotent-Replayed"] == "true"
    assert controls(grouped) == [row["mRID"] for row in again[1]["controls"]]


def test_without_a_key_a_repetition_is_another_request(grouped: OperatorClient) -> None:
    assert {sent(grouped, None, CONTROLS, CONTROL)[0] for _ in range(2)} == {200}
    assert len(controls(grouped)) == 2


def test_what_is_removed_is_told_as_removed_again(grouped: OperatorClient) -> None:
    first = sent(grouped, "K1", "/groups/g", None, "DELETE")
    again = sent(grouped, "K1", "/groups/g", None, "DELETE")
    assert (first[0], again[:2]) == (200, first[:2])
    assert sent(grouped, "K2", "/groups/g", None, "DELETE")[0] == 404


def test_of_sixteen_at_once_one_is_done_and_all_get_its_answer(grouped: OperatorClient, site: Site) -> None:
    start = threading.Barrier(16)

    def ask(_: int) -> Told:
        start.wait()
        return sent(grouped, "K1", CONTROLS, CONTROL)

    with ThreadPoolExecutor(16) as pool:
        told = list(pool.map(ask, range(16)))
    assert [status for status, _, _ in told] == [200] * 16
    assert {body["mRID"] for _, body, _ in told} == set(controls(grouped))
    assert len(controls(grouped)) == 1
    assert sum(headers["Idempotent-Replayed"] is None for _, _, headers in told) == 1
    assert sorted(outcomes(site, "publish control")) == ["done", *["repeated"] * 15]


def test_keys_of_one_operator_are_no_keys_of_another(grouped: OperatorClient, site: Site) -> None:
    secret = add_token(site.operator.folder, "other", Role.OPERATOR, secrets.randbits)
    other = OperatorClient(url=grouped.url, secret=secret, roots=grouped.roots)
    first = sent(grouped, "K1", CONTROLS, CONTROL)
    second = sent(other, "K1", CONTROLS, {**CONTROL, "duration": 61})
    assert (second[0], second[2]["Idempotent-Replayed"]) == (200, None)
    assert set(controls(grouped)) == {first[1]["mRID"], second[1]["mRID"]}


def test_who_has_a_token_of_a_former_name_hears_nothing_that_the_former_was_told(
    api: OperatorClient, site: Site
) -> None:
    told = []
    for lfdi in ("AB" * 20, "AB" * 20):
        secret = add_token(site.operator.folder, "bob", Role.OPERATOR, secrets.randbits)
        bob = OperatorClient(url=api.url, secret=secret, roots=api.roots)
        told.append(sent(bob, "K1", "/devices", {"name": "d", "lFDI": lfdi}))
        remove_token(site.operator.folder, "bob")
    (_, made, _), (_, known, headers) = told
    assert "pIN" in made
    assert (known.get("pIN"), headers["Idempotent-Replayed"]) == (None, None)


def test_a_viewer_is_refused_with_the_key_of_what_was_done(grouped: OperatorClient, site: Site) -> None:
    """One who may no longer do it does not hear what was answered."""
    secret = add_token(site.operator.folder, "wall", Role.OPERATOR, secrets.randbits)
    wall = OperatorClient(url=grouped.url, secret=secret, roots=grouped.roots)
    assert sent(wall, "K1", CONTROLS, CONTROL)[0] == 200
    remove_token(site.operator.folder, "wall")
    secret = add_token(site.operator.folder, "wall", Role.VIEWER, secrets.randbits)
    wall = OperatorClient(url=grouped.url, secret=secret, roots=grouped.roots)
    status, body, headers = sent(wall, "K1", CONTROLS, CONTROL)
    assert (status, body["error"], headers["Idempotent-Replayed"]) == (403, "forbidden", None)


BAD = {
    "nothing": "",
    "65 characters": "x" * 65,
    "a space": "a b",
    "a tab": "a\tb",
    "a letter beyond ASCII": "\xe4",
    "another control character": "a\x7fb",
}


@pytest.mark.parametrize("key", BAD.values(), ids=BAD)
def test_a_key_that_is_none_is_refused(grouped: OperatorClient, key: str) -> None:
    status, body, _ = sent(grouped, key, CONTROLS, CONTROL)
    assert (status, body["error"]) == (400, "bad-request")
    assert controls(grouped) == []


@pytest.mark.parametrize("key", ["x" * 64, "!", '"a,b"', "~"])
def test_any_visible_characters_are_a_key(grouped: OperatorClient, key: str) -> None:
    first, again = (sent(grouped, key, CONTROLS, CONTROL) for _ in range(2))
    assert (first[0], again[2]["Idempotent-Replayed"]) == (200, "true")


async def test_two_keys_in_one_request_are_refused(grouped: OperatorClient, live: LiveServer) -> None:
    with live.heard_too() as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.putrequest("POST", CONTROLS)
        body = json.dumps(CONTROL).encode()
        headers = {"Authorization": f"Bearer {grouped.secret}", "Content-Type": JSON}
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        connection.putheader("Idempotency-Key", "K1")
        connection.putheader("Idempotency-Key", "K2")
        connection.endheaders(body)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.close()
    assert (answer.status, told["detail"]) == (400, "Idempotency-Key: sent twice")


def test_a_reader_needs_no_key_and_may_send_one(grouped: OperatorClient) -> None:
    assert sent(grouped, "K1", "/groups", None, "GET")[0] == 200
    assert sent(grouped, "K1", CONTROLS, CONTROL)[2]["Idempotent-Replayed"] is None


def test_a_secret_is_told_once_and_kept_nowhere(api: OperatorClient, server: Sep2Server) -> None:
    """The name of a token is its key: a repetition makes no second one, and hears no secret."""
    made = sent(api, "K1", "/tokens", {"name": "wall"})
    status, body, _ = sent(api, "K1", "/tokens", {"name": "wall"})
    assert (made[0], status, body["error"]) == (200, 409, "conflict")
    assert "secret" not in body
    assert keys_of(server) == []


class Mute:
    """Lets a store commit and hears nothing of it, once."""

    def __init__(self, connection: type[Connection]) -> None:
        self._plain = connection.commit
        self.is_done = False

    def commit(self, connection: Connection, last_change: int | None = None) -> None:
        """As `Connection.commit`."""
        self._plain(connection, last_change)
        if not self.is_done and last_change is not None:
            self.is_done = True
            raise UndecidedError("the database has gone away")


def test_what_may_be_stored_is_told_as_such_and_asked_for_again(
    grouped: OperatorClient, site: Site, server: Sep2Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type(server.store._writer._commits._db)
    mute = Mute(kind)
    with monkeypatch.context() as patch:
        patch.setattr(kind, "commit", lambda connection, last=None: mute.commit(connection, last))
        status, body, _ = sent(grouped, "K1", CONTROLS, CONTROL)
    assert (status, body["error"]) == (503, "store-undecided")
    assert "ask again with the same Idempotency-Key" in body["hint"]
    again = sent(grouped, "K1", CONTROLS, CONTROL)
    assert (again[0], again[2]["Idempotent-Replayed"]) == (200, "true")
    assert controls(grouped) == [again[1]["mRID"]]
    assert outcomes(site, "publish control") == ["done", "failed: may be stored", "repeated"]


@pytest.fixture
def forget(server: Sep2Server, live: LiveServer) -> Callable[[], None]:
    """Let the clock task look for answers that are old when a test says so, and at no other time."""
    live.run(server.keeper.stop())

    def forget() -> None:
        server.keeper._forget_answers_at = 0
        live.run(server.keeper._forget_answers())

    return forget


def test_old_answers_are_forgotten_by_the_clock_task(
    grouped: OperatorClient, clock: ManualClock, forget: Callable[[], None], server: Sep2Server
) -> None:
    sent(grouped, "K1", CONTROLS, CONTROL)
    clock.set(NOW + 10)
    sent(grouped, "K2", CONTROLS, {**CONTROL, "duration": 61})
    for now, kept in ((NOW + DAY, ["K1", "K2"]), (NOW + DAY + 1, ["K2"])):
        clock.set(now)
        forget()
        assert [key for key in keys_of(server) if key in {"K1", "K2"}] == kept
    assert sent(grouped, "K1", CONTROLS, CONTROL)[2]["Idempotent-Replayed"] is None


def test_answers_are_forgotten_in_short_commits(
    grouped: OperatorClient,
    clock: ManualClock,
    forget: Callable[[], None],
    server: Sep2Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(4):
        sent(grouped, f"K{number}", CONTROLS, CONTROL)
    clock.set(NOW + DAY + 1)
    monkeypatch.setattr("sep2_server.keeper.ANSWERS_AT_ONCE", 2)
    told: list[int] = []
    plain = type(server.store).do

    async def do(store: object, job: Any) -> Any:  # noqa: ANN401
        told.append(found := await plain(store, job))  # type: ignore[arg-type]
        return found

    monkeypatch.setattr(type(server.store), "do", do)
    forget()
    assert told == [2, 2, 1], "that of the group among them"
