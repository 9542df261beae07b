"""Who may use the operator API, what the audit log keeps, and what HTTP is answered."""

import asyncio
import http.client
import json
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest

from certs import operator_client_context
from sep2_server import Environment, ManualClock, Sep2Server, Store, settings_of
from sep2_server.bootstrap import prepare
from sep2_server.commits import Job
from sep2_server.errors import StoreError
from sep2_server.operator import ApiError, OperatorClient, OperatorSettings, OperatorSide, Site
from sep2_server.operator.api import PlainHttpError
from sep2_server.operator.audit import AuditLog, Entry
from sep2_server.operator.auth import Role
from sep2_server.operator.commands import rows_of
from sep2_server.operator.counter import Counter, Request
from sep2_server.operator.errors import AuditFailed
from sep2_server.operator.token_files import add_token, remove_token

T = TypeVar("T")

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
NORTH = {"name": "north", "lFDI": LFDI, "pIN": 111_115}


def audit_lines(site: Site) -> list[dict[str, str]]:
    lines = (site.operator.folder / "audit.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def exchange(
    api: OperatorClient, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, Any, http.client.HTTPMessage]:
    parts = urlsplit(api.url)
    connection = http.client.HTTPSConnection(
        parts.hostname or "", parts.port, context=operator_client_context(api.roots), timeout=30
    )
    connection.request(method, path, body, {"Authorization": f"Bearer {api.secret}", **headers})
    answer = connection.getresponse()
    data = json.loads(answer.read())
    connection.close()
    return answer.status, data, answer.headers


@pytest.mark.parametrize("secret", ["", "00" * 32, "x"])
def test_a_caller_without_a_known_token_is_refused(api: OperatorClient, secret: str) -> None:
    stranger = OperatorClient(url=api.url, secret=secret, roots=api.roots)
    with pytest.raises(ApiError) as caught:
        stranger.get("devices")
    assert caught.value.status == 401
    assert caught.value.hint.startswith("send the header 'Authorization: Bearer TOKEN'")


def test_a_refusal_is_json_with_error_detail_and_hint(api: OperatorClient) -> None:
    status, body, headers = exchange(api, "GET", "/devices", Authorization="Bearer x")
    assert (status, sorted(body), body["error"]) == (401, ["detail", "error", "hint"], "unauthorized")
    assert headers["WWW-Authenticate"] == 'Bearer realm="lineside operator"'
    assert headers["Content-Type"] == "application/json"


def test_a_viewer_reads_and_may_not_act(api: OperatorClient, site: Site) -> None:
    secret = add_token(site.operator.folder, "wall", Role.VIEWER, secrets.randbits)
    viewer = OperatorClient(url=api.url, secret=secret, roots=api.roots)
    assert viewer.get("devices")["devices"] == []
    with pytest.raises(ApiError, match="the token 'wall' may only read") as caught:
        viewer.call("POST", ("devices",), NORTH)
    assert caught.value.status == 403
    last = audit_lines(site)[-1]
    assert (last["who"], last["action"], last["outcome"]) == ("wall", "enrol device", "refused: forbidden")


def test_a_removed_token_is_refused_at_once(api: OperatorClient, site: Site) -> None:
    remove_token(site.operator.folder, "operator")
    with pytest.raises(ApiError, match="does not know the token"):
        api.get("devices")


def test_every_action_is_one_audit_line(api: OperatorClient, site: Site) -> None:
    api.call("POST", ("devices",), NORTH)
    api.call("POST", ("groups",), {"name": "g", "primacy": 1})
    api.get("devices")
    body = {"DERControlBase": {"opModEnergize": False}, "duration": 60}
    mrid = api.call("POST", ("groups", "g", "controls"), body)["mRID"]
    told = [(line["who"], line["action"], line["target"], line["outcome"]) for line in audit_lines(site)]
    assert told == [
        ("operator", "enrol device", "north", "done"),
        ("operator", "create group", "g", "done"),
        ("operator", "publish control", f"g/{mrid}", "done"),
    ]
    assert audit_lines(site)[0]["time"] == "2023-11-14T22:13:20Z"


BLOCKED = "AB" * 20
ACTED_ON: list[tuple[str, tuple[str, ...], dict[str, object] | None, dict[str, str], str]] = [
    ("POST", ("blocked",), {"lFDI": BLOCKED}, {}, BLOCKED),
    ("POST", ("blocked",), {"lFDI": "x"}, {}, "x"),
    ("DELETE", ("resources",), None, {"href": "/tp/9", "force": "true"}, "/resources force=true href=/tp/9"),
    ("DELETE", ("groups", "g", "resources"), None, {"href": "/tp/9"}, "g href=/tp/9"),
    ("POST", ("controls", "cancel"), {"group": "g"}, {}, "/controls/cancel group=g"),
    ("POST", ("controls", "cancel"), {"all": True}, {}, "/controls/cancel all=true"),
    ("POST", ("devices", "north", "notifications"), {"host": "10.0.0.9"}, {}, "north host=10.0.0.9"),
    ("POST", ("groups", "g", "devices"), {"add": ["north"]}, {}, "g add=north"),
    ("POST", ("groups", "g", "devices"), {"remove": ["north"]}, {}, "g remove=north"),
    ("DELETE", ("devices", "north"), None, {"managed": "true"}, "north managed=true removed=south,north"),
    ("POST", ("devices",), {"name": "a b", "lFDI": "x", "pIN": 987_654}, {}, "a b"),
]
"""A call, and what the audit log says that it was done to, or was to be."""


@pytest.mark.parametrize(("method", "path", "body", "query", "target"), ACTED_ON)
def test_an_audit_line_says_what_was_acted_on(
    api: OperatorClient,
    site: Site,
    method: str,
    path: tuple[str, ...],
    body: dict[str, object] | None,
    query: dict[str, str],
    target: str,
) -> None:
    api.call("POST", ("devices",), {**NORTH, "role": "aggregator"})
    api.call("POST", ("devices",), {"name": "south", "lFDI": "CD" * 20, "aggregator": "north"})
    api.call("POST", ("groups",), {"name": "g", "primacy": 1})
    with suppress(ApiError):
        api.call(method, path, body, query=query)
    assert audit_lines(site)[-1]["target"] == target


@pytest.mark.parametrize(
    ("path", "item"),
    [
        (("devices", "bulk"), NORTH),
        (("controls", "bulk"), {"groups": ["g"], "DERControlBase": {"opModMaxLimW": "50%"}, "duration": 60}),
        (
            ("meters", "readings"),
            {
                "device": "north",
                "UsagePoint": "AA",
                "MeterReading": "BB",
                "start": 0,
                "duration": 1,
                "value": 1,
            },
        ),
    ],
)
def test_a_trial_is_told_as_one(
    api: OperatorClient, site: Site, path: tuple[str, ...], item: dict[str, object]
) -> None:
    """It was told as done, and nothing was."""
    api.call("POST", ("groups",), {"name": "g", "primacy": 1})
    api.call("POST", path, [item], query={"dry_run": "true"})
    assert audit_lines(site)[-1]["outcome"] == "tried"
    assert rows_of(api.get("devices"), "devices") == rows_of(api.get("controls"), "controls") == []


def test_a_refused_action_is_an_audit_line_without_secrets(api: OperatorClient, site: Site) -> None:
    with pytest.raises(ApiError):
        api.call("POST", ("devices",), {**NORTH, "pIN": 987_654})
    assert audit_lines(site)[-1]["outcome"] == "refused: bad-request"
    assert "987654" not in (site.operator.folder / "audit.jsonl").read_text()


def test_pins_and_tokens_are_not_in_the_audit_log(api: OperatorClient, site: Site) -> None:
    pin = api.call("POST", ("devices",), {"name": "north", "lFDI": LFDI})["pIN"]
    log = (site.operator.folder / "audit.jsonl").read_text()
    assert str(pin) not in log
    assert api.secret not in log


@pytest.mark.parametrize(
    ("method", "path", "status", "detail"),
    [
        ("GET", "/", 404, "nothing is at /"),
        ("GET", "/nowhere", 404, "nothing is at /nowhere"),
        ("GET", "/devices/%2e%2e%2fsecret", 404, "no device is named '../secret'"),
        ("POST", "/devices/north", 405, "POST is not defined for /devices/north"),
        ("OPTIONS", "/devices", 405, "OPTIONS is not defined for /devices"),
        ("GET", "/devices?color=red", 400, "color: no such parameter of the query here"),
    ],
)
def test_what_is_not_there_is_named(
    api: OperatorClient, method: str, path: str, status: int, detail: str
) -> None:
    answered, body, _ = exchange(api, method, path)
    assert (answered, body["detail"]) == (status, detail)
    assert body["hint"]


def test_a_wrong_method_tells_the_right_ones(api: OperatorClient) -> None:
    _, _, headers = exchange(api, "PUT", "/devices")
    assert headers["Allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("body", "content_type", "detail"),
    [
        (b"{", "application/json", "body: not JSON"),
        (b"\xff\xfe", "application/json", "body: not JSON"),
        (b"[" * 100_000, "application/json", "body: not JSON"),
        (b'{"name":' + b"[" * 540 + b"]" * 540 + b"}", "application/json", "body: nested more than 64 deep"),
        (b"[" * 65 + b"]" * 65, "application/json", "body: nested more than 64 deep"),
        (b"[" * 64 + b"]" * 64, "application/json", "body: not a JSON object"),
        (b"{}\n" + b"[" * 65 + b"]" * 65, "application/x-ndjson", "line 2: nested more than 64 deep"),
        (b"[]", "application/json", "body: not a JSON object"),
        (b"", "application/json", "body: not a JSON object"),
        (b"<a/>", "application/xml", "Content-Type: application/xml"),
        (b'{"name": "' + b"x" * (1 << 20) + b'"}', "application/json", "body: larger than the API reads"),
    ],
    ids=["cut", "not UTF-8", "deep", "540", "65", "64", "a line", "a list", "empty", "XML", "large"],
)
def test_a_body_that_is_no_json_object_is_refused(
    api: OperatorClient, body: bytes, content_type: str, detail: str
) -> None:
    status, told, _ = exchange(api, "POST", "/devices", body, **{"Content-Type": content_type})
    assert (status, told["detail"][: len(detail)]) == (400, detail)


def test_nothing_is_done_when_the_audit_log_cannot_be_written(
    api: OperatorClient, side: OperatorSide
) -> None:
    assert side.audit is not None
    side.audit.close()
    with pytest.raises(ApiError, match=r"audit log .*: Bad file descriptor") as caught:
        api.call("POST", ("devices",), NORTH)
    assert (caught.value.status, caught.value.hint[:16]) == (503, "nothing was done")
    assert api.get("devices")["devices"] == []


def test_the_api_speaks_https_with_the_certificate_of_the_server(api: OperatorClient) -> None:
    assert api.url.startswith("https://127.0.0.1:")
    stranger = OperatorClient(url=api.url, secret=api.secret)
    with pytest.raises(ApiError, match="certificate verify failed") as caught:
        stranger.get("devices")
    assert (caught.value.status, caught.value.hint[:22]) == (0, "is the server running?")


async def test_plain_http_is_refused_on_an_address_that_others_reach(
    site: Site, side: OperatorSide, server: Sep2Server
) -> None:
    settings = OperatorSettings(host="192.0.2.1", port=0, plain_http=True, folder=site.operator.folder)
    assert side.url
    plain = OperatorSide(settings, server)
    with pytest.raises(PlainHttpError, match=r"plain HTTP on 192.0.2.1 would show tokens to the network"):
        await plain.__aenter__()
    assert plain.audit is not None
    with pytest.raises(AuditFailed, match="Bad file descriptor"):
        plain.audit.append(Entry(time=0, who="", action="", target="", outcome=""))


def test_the_folder_tells_where_a_running_api_is(side: OperatorSide, site: Site) -> None:
    assert (site.operator.folder / "operator.url").read_text().strip() == side.url


def test_the_folder_of_secrets_is_for_its_owner_alone(side: OperatorSide, site: Site) -> None:
    assert side.url
    names = ("operator.token", "operator_tokens.json", "audit.jsonl")
    assert {(site.operator.folder / name).stat().st_mode & 0o777 for name in names} == {0o600}
    assert site.operator.folder.stat().st_mode & 0o777 == 0o700


async def test_plain_http_is_spoken_on_a_loopback_address(site: Site, tmp_path: Path) -> None:
    settings = OperatorSettings(port=0, plain_http=True, folder=tmp_path / "plain")
    store = Store(site.server.database)
    try:
        async with Sep2Server(site.server, store, ManualClock(1_700_000_000)) as server:
            plain = OperatorSide(settings, server)
            await plain.start()
            try:
                client = OperatorClient(url=plain.url, secret=plain.token_file.read_text().strip())
                answer = await asyncio.to_thread(client.get, "status")
            finally:
                await plain.stop()
    finally:
        store.close()
    assert (plain.url[:17], answer["profile"]) == ("http://127.0.0.1:", site.server.profile.name)


def test_an_action_that_cannot_be_stored_is_told_and_logged(tmp_path: Path) -> None:
    class FullStore(Store):
        async def do(self, job: Job[T]) -> T:
            self.write(job)
            raise StoreError("the disk is full")

    store = FullStore(tmp_path / "lineside.db")
    environment = Environment.of(settings_of({"pen": 1}))
    store.write(lambda tx: prepare(tx, environment))
    audit = AuditLog.open(tmp_path / "audit.jsonl")
    secret = add_token(tmp_path, "me", Role.OPERATOR, secrets.randbits)
    counter = Counter(store, environment, folder=tmp_path, audit=audit, clock=ManualClock(1_700_000_000))
    request = Request(
        method="POST",
        parts=("groups",),
        authorization=f"Bearer {secret}",
        body=b'{"name": "g", "primacy": 1}',
    )
    reply = asyncio.run(counter.reply(request))
    audit.close()
    store.close()
    assert (reply.status, reply.body["error"], reply.body["detail"]) == (
        503,
        "store-unavailable",
        "the disk is full",
    )
    outcomes = [json.loads(line)["outcome"] for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert outcomes == ["done", "failed: not stored"]


@pytest.mark.parametrize("limit", ["9" * 5000, "-1", "1e3", "x"])
def test_a_number_in_the_query_that_is_none_is_400(api: OperatorClient, limit: str) -> None:
    status, body, _ = exchange(api, "GET", f"/devices?limit={limit}")
    assert (status, body["error"]) == (400, "bad-request")


UNFIT = ["\x00", "\x01", "\x1f", "\ufffe", "\ud800"]
"""Characters that JSON can carry and documents for devices cannot."""


@pytest.mark.parametrize("character", UNFIT, ids=lambda one: f"U+{ord(one):04X}")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/groups", {"name": "?", "primacy": 1}),
        ("POST", "/groups", {"name": "h", "primacy": 1, "description": "?"}),
        ("PUT", "/devices/north/place", {"path": "GRID/?"}),
        ("POST", "/controls/cancel", {"all": True, "reason": "?"}),
        ("POST", "/groups/g/messages", {"textMessage": "?", "duration": 60}),
        ("PATCH", "/groups/g/default", {"DERControlBase": {"opModMaxLimW": 1}, "?": 1}),
    ],
)
def test_a_text_that_no_document_can_carry_is_refused(
    api: OperatorClient, site: Site, method: str, path: str, body: dict[str, object], character: str
) -> None:
    api.call("POST", ("groups",), {"name": "g", "primacy": 1})
    sent = json.dumps(body).replace("?", json.dumps(character)[1:-1]).encode()
    status, told, _ = exchange(api, method, path, sent, **{"Content-Type": "application/json"})
    assert (status, told["detail"]) == (400, f"body: the character U+{ord(character):04X}")
    assert audit_lines(site)[-1]["outcome"] == "refused: bad-request"


@pytest.mark.parametrize("path", ["/devices/north/groups/g%01", "/groups/g%00/messages"])
def test_a_name_in_a_path_that_no_document_can_carry_is_refused(api: OperatorClient, path: str) -> None:
    method = "PUT" if "north" in path else "GET"
    sent = b"{}" if method == "PUT" else None
    status, told, _ = exchange(api, method, path, sent, **{"Content-Type": "application/json"})
    assert (status, str(told["detail"])[:20]) == (400, "path: the character ")
