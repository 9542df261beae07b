"""SIGTERM while requests arrive: what has begun is answered and stored; what never ends is cut off."""

import signal
import socket
import time
from pathlib import Path

import pytest

from certs import Pki
from tests.integration.process.site_process import SiteProcess, Wire, site_process, until
from tests.integration.process.test_workers import href_of

SHUTDOWN_S = 4
SETTINGS = f"shutdown_s = {SHUTDOWN_S}\n"
EVENT = (
    b'<LogEvent xmlns="urn:ieee:std:2030.5:ns"><createdDateTime>1700000000</createdDateTime>'
    b"<functionSet>11</functionSet><logEventCode>0</logEventCode><logEventID>1</logEventID>"
    b"<logEventPEN>40732</logEventPEN><profileID>2</profileID></LogEvent>"
)
HALF = len(EVENT) // 2
WORKERS = pytest.mark.parametrize(
    "options",
    [pytest.param((), id="one", marks=pytest.mark.whole), pytest.param(("--workers=2",), id="two")],
)


def begun(site: SiteProcess, name: str) -> tuple[Wire, str]:
    """A connection on which half of a log event was sent, and where that goes."""
    wire = site.connect(site.enrol(name))
    href = href_of(site, name)
    assert wire.ask("GET", "/tm")[0] == 200
    head = f"POST {href}/lel HTTP/1.1\r\nHost: a\r\nContent-Type: application/sep+xml\r\n"
    head += f"Expect: 100-continue\r\nContent-Length: {len(EVENT)}\r\n\r\n"
    wire.tls.sendall(head.encode())
    assert wire.tls.recv(99) == b"HTTP/1.1 100 Continue\r\n\r\n", "the server waits for the body"
    wire.tls.sendall(EVENT[:HALF])
    return wire, href


def ending(site: SiteProcess, idle: Wire) -> None:
    """Tell the server to end; it has begun to when an idle connection is closed, and no other is accepted."""
    site.kill(signal.SIGTERM)
    assert idle.tls.recv(9) == b""
    until(lambda: is_refused(site.port))


def answer_of(line: socket.socket) -> bytes:
    """All that comes until the server closes."""
    found = b""
    while part := line.recv(65_536):
        found += part
    return found


@WORKERS
def test_a_body_that_is_arriving_is_received_answered_and_stored(
    tmp_path: Path, process_pki: Pki, options: tuple[str, ...]
) -> None:
    with site_process(tmp_path, process_pki, *options, settings=SETTINGS) as site:
        idle = site.connect(site.enrol("ending-idle"))
        assert idle.ask("GET", "/tm")[0] == 200
        wire, href = begun(site, "ending-1")
        ending(site, idle)
        assert site.process.poll() is None
        wire.tls.sendall(EVENT[HALF:])
        found = answer_of(wire.tls)
        assert found.startswith(b"HTTP/1.1 201")
        assert b"connection: close" in found.lower()
        assert site.process.wait(10) == 0
        for one in (wire, idle):
            one.close()
    with site_process(tmp_path, process_pki, *options, settings=SETTINGS) as site:
        again = site.connect(process_pki.credentials("ending-1"))
        status, body, _ = again.ask("GET", f"{href}/lel?l=9")
        assert (status, body.count(b"<logEventID>1<")) == (200, 1)
        again.close()


@WORKERS
def test_a_body_that_never_ends_holds_up_the_end_for_the_time_of_grace_alone(
    tmp_path: Path, process_pki: Pki, options: tuple[str, ...]
) -> None:
    with site_process(tmp_path, process_pki, *options, settings=SETTINGS) as site:
        idle = site.connect(site.enrol("ending-idle"))
        assert idle.ask("GET", "/tm")[0] == 200
        wire, _ = begun(site, "ending-2")
        ending(site, idle)
        began = time.monotonic()
        assert site.process.wait(SHUTDOWN_S + 8) == 0
        assert time.monotonic() - began >= SHUTDOWN_S - 1
        assert "1 requests had not ended" in (tmp_path / "stderr").read_text()
        for one in (wire, idle):
            one.close()


def test_an_operators_body_that_is_arriving_is_answered(tmp_path: Path, process_pki: Pki) -> None:
    with site_process(tmp_path, process_pki, settings=SETTINGS) as site:
        idle = site.connect(site.enrol("ending-idle"))
        assert idle.ask("GET", "/tm")[0] == 200
        operator = tmp_path / "operator"
        port = int((operator / "operator.url").read_text().strip().rpartition(":")[2])
        secret = (operator / "operator.token").read_text().strip()
        body = b'{"name": "ending-3", "primacy": 5}'
        head = f"POST /groups HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {secret}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port), 10) as line:
            line.sendall(head.encode() + body[:5])
            time.sleep(0.2)
            site.kill(signal.SIGTERM)
            assert idle.tls.recv(9) == b""
            until(lambda: is_refused(port))
            line.sendall(body[5:])
            assert answer_of(line).startswith(b"HTTP/1.1 200")
        assert site.process.wait(10) == 0
        idle.close()


def is_refused(port: int) -> bool:
    """Whether nobody listens; a connection that meets the closing of the listener is reset."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False
    return False
