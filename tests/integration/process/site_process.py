"""A server in processes of its own, as `lineside server run` starts it, and clients by the octet."""

import contextlib
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from certs import Credentials, Pki, client_context
from sep2_server.operator import OperatorClient

ROOT = Path(__file__).resolve().parents[3]
WITHIN_S = 20.0
ENDS_S = 5.0
"""How long a server has to end by itself before it is killed; what was covered is written then."""


def until(claim: Callable[[], object], within_s: float = WITHIN_S) -> None:
    """Wait until something is true."""
    ends = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < ends, "did not come true"
        time.sleep(0.01)


@dataclass
class SiteProcess:
    """A running server: its parent process, and where it listens."""

    folder: Path
    pki: Pki
    process: "subprocess.Popen[str]"
    port: int
    told: list[str] = field(default_factory=list)

    @property
    def workers(self) -> list[int]:
        """Processes below the parent."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    @property
    def api(self) -> OperatorClient:
        """The operator API with the first token."""
        operator = self.folder / "operator"
        secret = (operator / "operator.token").read_text().strip()
        return OperatorClient(url=(operator / "operator.url").read_text().strip(), secret=secret)

    def enrol(self, name: str) -> Credentials:
        """A device with a certificate that the server knows; its href is `/edev/...` of the answer."""
        credentials = self.pki.issue_device(name, force=True)
        pem = credentials.certificate_path.read_text()
        self.api.call("POST", ("devices",), {"name": name, "certificate": pem, "DER": 1})
        return credentials

    def connect(self, credentials: Credentials, context: ssl.SSLContext | None = None) -> "Wire":
        """A TLS connection with a full handshake."""
        return Wire(self.port, context or context_of(credentials))

    def owner_of(self, wire: "Wire") -> int:
        """The worker that has the server's end of a connection."""
        inode = inode_of(self.port, wire.local_port)
        return next(pid for pid in self.workers if inode in inodes_of(pid))

    def kill(self, number: signal.Signals) -> None:
        """Send a signal to the parent."""
        self.process.send_signal(number)


def context_of(credentials: Credentials) -> ssl.SSLContext:
    """A client's context."""
    return client_context(credentials.certificate_path, credentials.key_path, credentials.root_path)


def inode_of(server_port: int, client_port: int) -> str:
    """The server's end of a connection on loopback."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[1].endswith(f":{server_port:04X}") and words[2].endswith(f":{client_port:04X}"):
            return words[9]
    return ""


def inodes_of(pid: int) -> set[str]:
    """The sockets that a process has open."""
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(str(entry.readlink()).removeprefix("socket:[").removesuffix("]"))
        except OSError:
            continue
    return found


class Wire:
    """One connection of a client; `is_resumed` says whether its session was one of before."""

    def __init__(self, port: int, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> None:
        raw = socket.create_connection(("127.0.0.1", port), timeout=WITHIN_S)
        self.local_port = int(raw.getsockname()[1])
        try:
            self.tls = context.wrap_socket(raw, session=session)
        except OSError:
            raw.close()
            raise
        self.is_resumed = bool(self.tls.session_reused)
        self.session = self.tls.session
        self._buffer = b""

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of an answer."""
        length = f"Content-Type: application/sep+xml\r\nContent-Length: {len(body)}\r\n" if body else ""
        self.tls.sendall(f"{method} {path} HTTP/1.1\r\nHost: a\r\n{length}\r\n".encode() + body)
        head = self._until(b"\r\n\r\n").decode()
        lines = [line.partition(": ") for line in head.splitlines()[1:]]
        headers = {name.lower(): value for name, _, value in lines}
        return int(head.split()[1]), self._take(int(headers.get("content-length", "0"))), headers

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._read()
        head, _, self._buffer = self._buffer.partition(mark)
        return head

    def _take(self, octets: int) -> bytes:
        while len(self._buffer) < octets:
            self._read()
        body, self._buffer = self._buffer[:octets], self._buffer[octets:]
        return body

    def _read(self) -> None:
        part = self.tls.recv(65_536)
        if not part:
            raise ConnectionResetError("the server closed")
        self._buffer += part

    def close(self) -> None:
        """Close."""
        self.tls.close()


def write_settings(folder: Path, pki: Pki, settings: str = "") -> None:
    """Put the settings of a server on ports that the system chooses into a folder."""
    server = pki.credentials("server")
    (folder / "server.toml").write_text(
        f'port = 0\ncertificate = "{server.certificate_path}"\nkey = "{server.key_path}"\n'
        f'roots = "{server.root_path}"\npen = 40732\n{settings}\n[operator]\nport = 0\nplain_http = true\n'
    )


@contextlib.contextmanager
def site_process(
    folder: Path, pki: Pki, *options: str, settings: str = "", module: str = "lineside"
) -> Iterator[SiteProcess]:
    """A server on ports that the system chose; it is killed at the end if it still lives.

    `module` is what is run: one of a test may do to a server what befalls it in the field.
    """
    write_settings(folder, pki, settings)
    command = [sys.executable, "-m", module, "server", "run", "--config", str(folder), *options]
    with (
        (folder / "stderr").open("w") as errors,
        subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        try:
            assert process.stdout is not None
            told = [process.stdout.readline().rstrip() for _ in range(2)]
            assert told[0].startswith("devices"), (folder / "stderr").read_text()
            port = int(told[0].rpartition(":")[2].partition("/")[0])
            yield SiteProcess(folder, pki, process, port, told)
        finally:
            pids = children_of(process.pid)
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(ENDS_S)
            process.kill()
            process.wait()
            until(lambda: not any(is_alive(pid) for pid in pids))


def children_of(pid: int) -> list[int]:
    """Processes below a process, none where it is gone."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False
