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


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "elsewhere"])
async def test_a_session_does_not_outlive_the_certificate(
    tmp_path: Path, sep2_pki: Pki, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    plain = issue.device_template
    ends = datetime.now(UTC) + timedelta(seconds=LIFE_S)
    with monkeypatch.context() as patched:
        patched.setattr(issue, "device_template", lambda *a: dataclasses.replace(plain(*a), not_after=ends))
        sep2_pki.issue_device(f"short-{is_known}")
    async with running(tmp_path, sep2_pki) as bench:
        await bench.enrol(f"short-{is_known}")
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
