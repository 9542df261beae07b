"""Requests have bounds, and go only where it is safe; TLS verifies both ways of talking."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from certs import Pki, operator_client_context, operator_context
from openadr_ven.v3.bounded import MOST_BYTES
from openadr_ven.v3.errors import AuthError, RefusedError, UnavailableError
from openadr_ven.v3.http import Http, Request, is_safe, judged
from openadr_ven.v3.listener import Listener
from openadr_ven.v3.objects import Notification
from openadr_ven.v3.ports import Webhook
from openadr_ven.v3.tokens import Credentials
from openadr_ven.v3.version import ObjectType, Version
from openadr_ven.v3.wire import Wire


async def answered(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ask: Callable[[str, Http], Awaitable[None]],
    *,
    timeout_s: float = 5.0,
) -> None:
    """Ask a server of one handler."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    http = Http(None, timeout_s=timeout_s)
    await http.open()
    try:
        await ask(f"http://127.0.0.1:{runner.addresses[0][1]}", http)
    finally:
        await http.close()
        await runner.cleanup()


@pytest.mark.parametrize(
    ("url", "is_fine"),
    [
        ("https://vtn.example", True),
        ("http://127.0.0.1:1", True),
        ("http://localhost", True),
        ("http://vtn.example", False),
        ("http://127.0.0.1.example", False),
        ("ftp://vtn.example", False),
        ("https://", False),
        ("", False),
    ],
)
def test_plain_http_is_for_this_machine_alone(url: str, *, is_fine: bool) -> None:
    assert is_safe(url) is is_fine


def test_vtn_without_tls_is_not_talked_to() -> None:
    with pytest.raises(AuthError):
        Wire(Http(None), "http://vtn.example", Version.V310, None)


def test_token_server_without_tls_gets_no_secret() -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({"tokenURL": "http://vtn.example/token"})

    async def ask(url: str, http: Http) -> None:
        wire = Wire(http, url, Version.V310, Credentials(client_id="v", client_secret="hush"))
        with pytest.raises(AuthError, match="neither https"):
            await wire.get("/events")

    asyncio.run(answered(handler, ask))

    assert asked == ["/auth/server"]


def test_answer_that_is_too_large_is_cut_off() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=b" " * (MOST_BYTES + 1))

    async def ask(url: str, http: Http) -> None:
        with pytest.raises(UnavailableError, match="octets"):
            await http.send(Request(method="GET", url=url))

    asyncio.run(answered(handler, ask))


def test_answer_that_never_ends_is_given_up() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.02)

    async def ask(url: str, http: Http) -> None:
        with pytest.raises(UnavailableError):
            await http.send(Request(method="GET", url=url))

    asyncio.run(answered(handler, ask, timeout_s=0.2))


def test_redirect_is_not_followed_with_our_token() -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPFound("/elsewhere")

    async def ask(url: str, http: Http) -> None:
        with pytest.raises(RefusedError):
            judged(await http.send(Request(method="GET", url=f"{url}/here", token="t")))

    asyncio.run(answered(handler, ask))

    assert asked == ["/here"]


@pytest.mark.parametrize(
    ("text", "date", "wait_s"),
    [
        ("7", None, 7.0),
        ("999999", None, 3600.0),
        ("soon", None, None),
        ("Thu, 01 May 2025 00:01:00 GMT", "Thu, 01 May 2025 00:00:00 GMT", 60.0),
        ("Thu, 01 May 2025 00:00:00 GMT", "Thu, 01 May 2025 00:01:00 GMT", 0.0),
        ("Thu, 01 May 2025 00:00:00 GMT", "never", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, date: str | None, wait_s: float | None) -> None:
    async def handler(_: web.Request) -> web.Response:
        headers = {"Retry-After": text} | ({"Date": date} if date else {})
        return web.Response(status=503, headers=headers)

    async def ask(url: str, http: Http) -> None:
        with pytest.raises(UnavailableError) as caught:
            judged(await http.send(Request(method="GET", url=url)))
        assert caught.value.retry_after_s == wait_s

    asyncio.run(answered(handler, ask))


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
def test_what_may_pass_is_tried_again_and_other_statuses_are_a_refusal(status: int) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response({"title": "no"}, status=status)

    async def ask(url: str, http: Http) -> None:
        with pytest.raises(UnavailableError, match="no"):
            judged(await http.send(Request(method="GET", url=url)))

    asyncio.run(answered(handler, ask))


@pytest.mark.parametrize(
    "answer", [{"access_token": 7}, [], {"access_token": "t", "token_type": "mac"}, "text"]
)
def test_token_server_that_makes_no_sense_is_an_error(answer: object) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response(answer)

    async def ask(url: str, http: Http) -> None:
        wire = Wire(http, url, Version.V301, Credentials(client_id="v", client_secret="hush"))
        with pytest.raises(AuthError) as caught:
            await wire.get("/events")
        assert "hush" not in str(caught.value)

    asyncio.run(answered(handler, ask))


@pytest.mark.parametrize("version", list(Version))
def test_token_server_that_is_configured_is_asked_with_the_scope(version: Version) -> None:
    forms: list[dict[str, object]] = []

    async def handler(request: web.Request) -> web.Response:
        if request.path == "/elsewhere":
            forms.append(dict(await request.post()))
            assert "Authorization" not in request.headers
            return web.json_response({"access_token": "t"})
        return web.json_response([], status=200 if request.path == "/events" else 500)

    async def ask(url: str, http: Http) -> None:
        given = Credentials(
            client_id="v", client_secret="hush", scope="read_targets", token_url=f"{url}/elsewhere"
        )
        await Wire(http, url, version, given).get("/events")

    asyncio.run(answered(handler, ask))

    assert forms == [
        {
            "grant_type": "client_credentials",
            "client_id": "v",
            "client_secret": "hush",
            "scope": "read_targets",
        }
    ]


def test_requests_at_the_same_time_share_one_token() -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        if request.path == "/auth/token":
            return web.json_response({"access_token": "t", "expires_in": 3600})
        return web.json_response([])

    async def ask(url: str, http: Http) -> None:
        wire = Wire(http, url, Version.V301, Credentials(client_id="v", client_secret="hush"))
        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(wire.get("/events"))

    asyncio.run(answered(handler, ask))

    assert asked.count("/auth/token") == 1


@pytest.mark.parametrize("is_trusted", [True, False])
def test_certificate_of_the_vtn_is_verified(tmp_path: Path, *, is_trusted: bool) -> None:
    own, other = Pki.create(tmp_path / "a", 2), Pki.create(tmp_path / "b", 2)
    files = own.issue_server("vtn", hosts=["127.0.0.1"])

    async def scenario() -> None:
        runner = web.AppRunner(web.Application(), access_log=None)
        await runner.setup()
        context = operator_context(files.certificate_path, files.key_path)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        http = Http(operator_client_context((own if is_trusted else other).root_path), timeout_s=5.0)
        await http.open()
        try:
            url = f"https://127.0.0.1:{runner.addresses[0][1]}/"
            if is_trusted:
                assert (await http.send(Request(method="GET", url=url))).status == 404
            else:
                with pytest.raises(UnavailableError):
                    await http.send(Request(method="GET", url=url))
        finally:
            await http.close()
            await runner.cleanup()

    asyncio.run(scenario())


def test_listener_of_the_webhook_speaks_tls(tmp_path: Path) -> None:
    pki = Pki.create(tmp_path, 2)
    files = pki.issue_server("ven", hosts=["127.0.0.1"])
    heard: list[Notification] = []

    def take(notice: Notification) -> bool:
        heard.append(notice)
        return True

    async def scenario() -> None:
        tls = operator_context(files.certificate_path, files.key_path)
        listener = Listener(Webhook(url="https://ven.example/hook", tls=tls), Version.V310, "hush", take)
        http = Http(operator_client_context(pki.root_path), timeout_s=5.0)
        await listener.open()
        await http.open()
        try:
            url = f"https://127.0.0.1:{listener.port}/hook"
            echo = await http.send(Request(method="GET", url=url, query=[("echo", "abc")]))
            assert (echo.status, echo.body) == (200, b"abc")
            body = b'{"objectType":"PROGRAM","operation":"UPDATE","object":{}}'
            told = await http.send(Request(method="POST", url=url, body=body, token="hush"))
            assert told.status == 200
            strange = await http.send(Request(method="POST", url=url, body=body, token="\udcff"))
            assert strange.status == 401
        finally:
            await http.close()
            await listener.close()

    asyncio.run(scenario())

    assert [one.objectType for one in heard] == [ObjectType.PROGRAM]
