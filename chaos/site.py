"""A server of several workers in a folder of its own, with enrolled devices, to be killed in parts."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from certs import Credentials, Pki
from lineside.demo.ports import free_port
from sep2_server.operator import ApiError, OperatorClient

if TYPE_CHECKING:
    from collections.abc import Mapping

READY_S: Final = 30.0
ROOT: Final = Path(__file__).resolve().parents[1]
SETTINGS: Final = """\
host = "127.0.0.1"
port = {port}
database = "{database}"
certificate = "{certificate}"
key = "{key}"
roots = "{root}"
pen = 32473
log_events_kept = 1000000
{more}

[poll_rate]
DERProgramList = 5

[operator]
host = "127.0.0.1"
port = {operator_port}
plain_http = true
folder = "operator"
"""


@dataclass
class Site:
    """The folder, the process of the supervisor, and the certificates of the devices."""

    folder: Path
    port: int
    workers: int
    pki: Pki
    devices: dict[str, Credentials]
    hrefs: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def make(cls, folder: Path, database: str, *, devices: int, workers: int, more: str = "") -> Site:
        """A new folder with certificates and settings; nothing runs yet."""
        pki = Pki.create(folder / "pki", depth=3)
        server = pki.issue_server("server", hosts=["127.0.0.1"])
        named = {f"chaos-{n}": pki.issue_device(f"chaos-{n}") for n in range(devices)}
        port = free_port()
        settings = SETTINGS.format(
            port=port,
            operator_port=free_port(),
            database=database,
            certificate=server.certificate_path,
            key=server.key_path,
            root=server.root_path,
            more=more,
        )
        (folder / "server.toml").write_text(settings)
        return cls(folder, port, workers, pki, named)

    def start(self) -> None:
        """Run the server and wait until operators are answered."""
        command = [sys.executable, "-m", "lineside", "server", "run", "--config", str(self.folder)]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--workers", str(self.workers)], cwd=ROOT, stdout=log, stderr=log
            )
        until = time.monotonic() + READY_S
        while True:
            try:
                self.operate("GET", "status")
            except (ApiError, OSError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
            else:
                return

    def stop(self) -> int:
        """End the server as an operator would; its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(READY_S)

    def operate(self, method: str, *path: str, body: Mapping[str, object] | None = None) -> dict[str, object]:
        """What the operator API answers."""
        folder = self.folder / "operator"
        url = (folder / "operator.url").read_text().strip()
        client = OperatorClient(url=url, secret=(folder / "operator.token").read_text().strip())
        return {**client.call(method, path, body)}

    def furnish(self) -> None:
        """Enrol the devices and put all in one group."""
        self.operate("POST", "groups", body={"name": "chaos", "primacy": 5})
        for name, identity in self.devices.items():
            pem = identity.certificate_path.read_text()
            told = self.operate("POST", "devices", body={"name": name, "certificate": pem, "DER": 1})
            self.hrefs[name] = str(told["href"])
            self.operate("PUT", "groups", "chaos", "devices", name)

    def worker_pids(self) -> list[int]:
        """The processes that serve devices now."""
        if self.process is None:
            return []
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def said(self) -> str:
        """What the server has logged."""
        return (self.folder / "server.log").read_text(errors="replace")
