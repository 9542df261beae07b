"""A session is resumed by a client whose certificate has expired since: OpenSSL looks at no date again."""

import asyncio
import dataclasses
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs import Pki, client_context, issue
from tests.integration.sep2_harness import Bench, running

GET_TIME = b"GET /tm HTTP/1.1\r\nHost: a\r\n\r\n"
LIFE_S = 3600


async def short_lived(bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Enrol a client whose certificate is valid for an hour."""
    plain = issue.device_template
    ends = datetime.now(UTC) + timedelta(seconds=LIFE_S)
    with monkeypatch.context() as patched:
        patched.setattr(issue, "device_template", lambda *a: dataclasses.replace(plain(*a), not_after=ends))
        bench.pki.issue_device(name)
    await bench.enrol(name)


@pytest.mark.parametrize(("name", "is_ended"), [("ends", True), ("lasts", False)])
async def test_a_connection_ends_with_the_certificate_of_its_client(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str, *, is_ended: bool
) -> None:
    if is_ended:
        await short_lived(bench, monkeypatch, name)
    else:
        await bench.enrol(name)
    monkeypatch.setattr("sep2_server.protocol.time", lambda: time.time() + LIFE_S - 2)
    own = bench.credentials(name)
    context = client_context(own.certificate_path, own.key_path, own.root_path)
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.server.port, ssl=context)
    for _ in range(2):
        writer.write(GET_TIME)
        assert (await reader.readuntil(b"</Time>")).startswith(b"HTTP/1.1 200")
    if is_ended:
        async with asyncio.timeout(10):
            assert await reader.read() == b""
    else:
        await asyncio.sleep(2.5)
        writer.write(GET_TIME)
        assert (await reader.readuntil(b"</Time>")).startswith(b"HTTP/1.1 200")
    writer.close()


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "elsewhere"])
async def test_a_session_does_not_outlive_the_certificate(
    tmp_path: Path, sep2_pki: Pki, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    async with running(tmp_path, sep2_pki) as bench:
        await short_lived(bench, monkeypatch, f"short-{is_known}")
        told = await asyncio.to_thread(asked, bench, f"short-{is_known}", monkeypatch, is_known)
    assert told == [(False, b"200"), (True, b"200"), (True, b"403")]


def asked(
    bench: Bench, name: str, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> list[tuple[bool | None, bytes]]:
    """Whether the session was resumed, and the status: at first, soon after, and after the end."""
    own = bench.credentials(name)
    context = client_context(own.certificate_path, own.key_path, own.root_path)
    told, session = [], None
    for later_s in (0, 0, LIFE_S + 1):
        now = time.time() + later_s
        monkeypatch.setattr("certs.peer.time", lambda now=now: now)
        if later_s and not is_known:
            bench.server.place.tls.issuers._admitted.clear()
        raw = socket.create_connection(("127.0.0.1", bench.server.port), 5)
        with context.wrap_socket(raw, session=session) as line:
            session = line.session
            line.sendall(GET_TIME)
            told.append((line.session_reused, line.recv(99)[9:12]))
    return told
