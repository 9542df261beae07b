"""What systemd is told."""

import socket
from pathlib import Path

from sep2_server.process.service import ServiceManager


def test_systemd_hears_of_ready_reload_and_stop(tmp_path: Path) -> None:
    place = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(place))
        manager = ServiceManager(str(place))
        manager.ready()
        manager.reloading()
        manager.stopping()
        told = [heard.recv(200).decode().splitlines() for _ in range(3)]
    assert [lines[0] for lines in told] == ["READY=1", "RELOADING=1", "STOPPING=1"]
    assert told[0][1].startswith("MAINPID=")
    assert told[1][1].startswith("MONOTONIC_USEC=")


def test_nobody_is_told_where_nobody_asked_or_listens(tmp_path: Path) -> None:
    ServiceManager(None).ready()
    ServiceManager(str(tmp_path / "absent")).ready()
