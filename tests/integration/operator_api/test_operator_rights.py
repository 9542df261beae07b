"""Roles, tokens, failed attempts and the audit log, over the API."""

import http.client
import os
import secrets
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from certs import operator_client_context
from sep2_server import ManualClock, Sep2Server
from sep2_server.errors import StoreError
from sep2_server.operator import ApiError, OperatorClient, Site, audit
from sep2_server.operator.audit_reading import verify
from sep2_server.operator.auth import Role
from sep2_server.operator.commands import rows_of
from sep2_server.operator.operations import OPERATIONS
from sep2_server.operator.router import Operation
from sep2_server.operator.token_files import add_token
from tests.integration.operator_api.conftest import NOW

ORDER = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)
BELOW = [(op, role) for op in OPERATIONS for role in ORDER[: ORDER.index(op.least)]]


@pytest.fixture
def clients(api: OperatorClient, site: Site) -> dict[Role, OperatorClient]:
    return {
        role: OperatorClient(
            url=api.url,
            secret=add_token(site.operator.folder, role.value + "'s", role, secrets.randbits),
            roots=api.roots,
        )
        for role in Role
    }


def send(client: OperatorClient, operation: Operation) -> int:
    parts = tuple("x" if part.startswith("{") else part for part in operation.segments)
    try:
        client.call(operation.method, parts)
    except ApiError as flaw:
        return flaw.status
    return 200


def test_every_role_below_the_least_is_refused_every_operation(clients: dict[Role, OperatorClient]) -> None:
    allowed = [
        f"{role} {operation.method} {operation.path}"
        for operation, role in BELOW
        if send(clients[role], operation) != 403
    ]
    assert allowed == []
    assert len(BELOW) > 40


def test_no_role_from_the_least_on_is_refused(clients: dict[Role, OperatorClient]) -> None:
    acting = [op for op in OPERATIONS if "{" in op.path and op.least is Role.OPERATOR]
    assert [op.path for op in acting if send(clients[Role.OPERATOR], op) == 403] == []


def test_an_admin_makes_tokens_that_work_until_they_are_revoked(api: OperatorClient) -> None:
    made = api.call("POST", ("tokens",), {"name": "wall", "role": "viewer"})
    wall = OperatorClient(url=api.url, secret=str(made["secret"]), roots=api.roots)
    assert wall.get("devices")["devices"] == []
    [_, told] = rows_of(api.get("tokens"), "tokens")
    assert told == {"name": "wall", "role": "viewer", "created": NOW, "expires": None, "lastUsed": NOW}
    api.call("DELETE", ("tokens", "wall"))
    with pytest.raises(ApiError, match="does not know the token"):
        wall.get("devices")


def test_a_token_expires(api: OperatorClient, clock: ManualClock) -> None:
    made = api.call("POST", ("tokens",), {"name": "wall", "lifetime": "1m"})
    wall = OperatorClient(url=api.url, secret=str(made["secret"]), roots=api.roots)
    clock.advance(59)
    assert wall.get("devices")["devices"] == []
    clock.advance(1)
    with pytest.raises(ApiError, match="the token 'wall' has expired"):
        wall.get("devices")


def test_the_metrics_are_refused_to_a_token_that_has_expired(api: OperatorClient, clock: ManualClock) -> None:
    secret = str(api.call("POST", ("tokens",), {"name": "wall", "lifetime": "1m"})["secret"])
    before = metrics_status(api, secret)
    clock.advance(60)
    assert (before, metrics_status(api, secret)) == (200, 401)


def metrics_status(api: OperatorClient, secret: str) -> int:
    parts = urlsplit(api.url)
    context = operator_client_context(api.roots)
    connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=context, timeout=30)
    try:
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {secret}"})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize(
    "body",
    [
        {"expires": NOW},
        {"expires": NOW + 60, "lifetime": "1d"},
        {"lifetime": "x"},
        {"role": "king"},
    ],
)
def test_a_token_that_makes_no_sense_is_refused(api: OperatorClient, body: dict[str, object]) -> None:
    with pytest.raises(ApiError) as caught:
        api.call("POST", ("tokens",), {"name": "wall", **body})
    assert (caught.value.status, len(rows_of(api.get("tokens"), "tokens"))) == (400, 1)


def test_the_last_admin_stays(api: OperatorClient) -> None:
    with pytest.raises(ApiError, match="token 'operator' is the last of role admin"):
        api.call("DELETE", ("tokens", "operator"))


def test_an_admin_whose_token_has_expired_is_none(api: OperatorClient, clock: ManualClock) -> None:
    api.call("POST", ("tokens",), {"name": "guest", "role": "admin", "lifetime": "1m"})
    clock.advance(60)
    with pytest.raises(ApiError, match="token 'operator' is the last of role admin"):
        api.call("DELETE", ("tokens", "operator"))
    assert api.call("DELETE", ("tokens", "guest")) == {"name": "guest"}


class FullDisk:
    """The module os where nothing more can be written after some writes."""

    def __init__(self, left: int) -> None:
        self.left = left

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)

    def write(self, file: int, octets: bytes) -> int:
        """Write, or OSError once the disk is full."""
        if self.left <= 0:
            raise OSError(28, "No space left on device")
        self.left -= 1
        return os.write(file, octets)


TOKEN_DEEDS = {
    "make": ("POST", ("tokens",), {"name": "ghost", "role": "admin"}),
    "revoke": ("DELETE", ("tokens", "wall"), None),
}
OnTokens = tuple[str, tuple[str, ...], dict[str, object] | None]


def token_names(api: OperatorClient) -> list[object]:
    return [row["name"] for row in rows_of(api.get("tokens"), "tokens")]


@pytest.mark.parametrize("deed", TOKEN_DEEDS.values(), ids=TOKEN_DEEDS)
def test_no_token_is_made_or_revoked_without_a_line(
    api: OperatorClient, monkeypatch: pytest.MonkeyPatch, deed: OnTokens
) -> None:
    api.call("POST", ("tokens",), {"name": "wall"})
    monkeypatch.setattr(audit, "os", FullDisk(0))
    with pytest.raises(ApiError, match="No space left on device") as caught:
        api.call(*deed)
    assert (caught.value.status, caught.value.hint[:16]) == (503, "nothing was done")
    monkeypatch.setattr(audit, "os", os)
    assert token_names(api) == ["operator", "wall"]


@pytest.mark.parametrize("deed", TOKEN_DEEDS.values(), ids=TOKEN_DEEDS)
def test_what_was_done_to_a_token_is_told_though_its_last_line_is_missing(
    api: OperatorClient, monkeypatch: pytest.MonkeyPatch, deed: OnTokens
) -> None:
    api.call("POST", ("tokens",), {"name": "wall"})
    monkeypatch.setattr(audit, "os", FullDisk(1))
    with pytest.raises(ApiError, match="No space left on device") as caught:
        api.call(*deed)
    assert (caught.value.status, caught.value.hint[:11]) == (503, "it was done")
    monkeypatch.setattr(audit, "os", os)
    name = "ghost" if deed[0] == "POST" else "wall"
    assert token_names(api) == (["operator", "wall", "ghost"] if deed[0] == "POST" else ["operator"])
    last, *_ = rows_of(api.get("audit"), "entries")
    assert (last["target"], last["outcome"]) == (name, "begun")


def test_a_deed_on_a_token_that_is_done_is_not_taken_back_where_its_line_is_not_synced(
    api: OperatorClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs = iter((True, True, False))

    def fsync(file: int) -> None:
        if not next(syncs, True):
            raise OSError(5, "Input/output error")
        os.fsync(file)

    monkeypatch.setattr(audit, "os", SimpleNamespace(**{**vars(os), "fsync": fsync}))
    with pytest.raises(ApiError, match="Input/output error") as caught:
        api.call("POST", ("tokens",), {"name": "ghost"})
    assert caught.value.hint[:11] == "it was done"
    monkeypatch.setattr(audit, "os", os)
    told = [line["outcome"] for line in rows_of(api.get("audit"), "entries") if line["target"] == "ghost"]
    assert told[::-1] == ["begun", "done"]


def test_a_deed_on_a_token_begins_and_ends_in_the_audit_log(api: OperatorClient) -> None:
    api.call("POST", ("tokens",), {"name": "wall"})
    with pytest.raises(ApiError, match="a token named 'wall' exists"):
        api.call("POST", ("tokens",), {"name": "wall"})
    api.call("DELETE", ("tokens", "wall"))
    lines = rows_of(api.get("audit"), "entries")[::-1]
    assert [(line["action"], line["target"], line["outcome"]) for line in lines] == [
        ("create token", "wall", "begun"),
        ("create token", "wall", "done"),
        ("create token", "wall", "begun"),
        ("create token", "wall", "refused: conflict"),
        ("revoke token", "wall", "begun"),
        ("revoke token", "wall", "done"),
    ]


def test_a_token_is_made_whatever_becomes_of_the_store(
    api: OperatorClient, server: Sep2Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no part of a commit: one that fails for others says nothing of it."""

    async def fail(_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(server.store, "do", fail)
    api.call("POST", ("tokens",), {"name": "wall"})
    assert token_names(api) == ["operator", "wall"]


def test_an_address_that_guesses_has_to_wait(api: OperatorClient, site: Site) -> None:
    stranger = OperatorClient(url=api.url, secret="00" * 32, roots=api.roots)
    statuses = [send(stranger, OPERATIONS[0]) for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    with pytest.raises(ApiError, match="too many failed attempts") as caught:
        stranger.get("devices")
    assert caught.value.hint.startswith("wait ")
    verdict = verify(site.operator.folder / "audit.jsonl")
    assert (verdict.flaw, verdict.lines) == (None, 2)


def test_a_right_token_is_let_in_whoever_has_failed_at_its_address(api: OperatorClient) -> None:
    """Behind one address of a proxy or of this machine anybody could shut all operators out."""
    stranger = OperatorClient(url=api.url, secret="00" * 32, roots=api.roots)
    for _ in range(12):
        with pytest.raises(ApiError):
            stranger.get("devices")
        assert api.get("devices")["devices"] == []
    with pytest.raises(ApiError, match="too many failed attempts"):
        stranger.get("devices")


def test_the_audit_log_is_read_by_what_it_tells(api: OperatorClient) -> None:
    for name in ("g", "h"):
        api.call("POST", ("groups",), {"name": name, "primacy": 1})
    with pytest.raises(ApiError):
        api.call("POST", ("groups",), {"name": "g", "primacy": 1})
    told = rows_of(api.get("audit", action="create group", outcome="refused"), "entries")
    assert [(e["seq"], e["who"], e["outcome"], e["address"]) for e in told] == [
        (3, "operator", "refused: conflict", "127.0.0.1")
    ]
    page = api.get("audit", limit=2)
    assert ([e["seq"] for e in rows_of(page, "entries")], page["next"]) == ([3, 2], 2)
    assert [e["seq"] for e in rows_of(api.get("audit", before=2), "entries")] == [1]


def test_a_body_has_one_digest_whatever_its_secrets(api: OperatorClient) -> None:
    for number, pin in ((1, 111_115), (1, 123_455)):
        api.call("PUT", ("devices", "north"), {"lFDI": f"{number:040X}", "pIN": pin})
    first, second = rows_of(api.get("audit"), "entries")
    assert first["body"] == second["body"]
    assert len(str(first["body"])) == 64


def test_an_audit_log_that_was_changed_is_told(
    api: OperatorClient, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("g", "h", "i"):
        api.call("POST", ("groups",), {"name": name, "primacy": 1})
    path = site.operator.folder / "audit.jsonl"
    path.write_text(path.read_text().replace('"target": "h"', '"target": "x"'))
    assert str(verify(path).flaw) == "audit.jsonl, line 2: it is not as it was written"
    assert capsys.readouterr().out == ""
