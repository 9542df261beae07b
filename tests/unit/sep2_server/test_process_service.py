"""What systemd is told."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sep2_server.process.life import Life
from sep2_server.process.service import ServiceManager
from sep2_server.process.serving import signs_of


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


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[socket.socket]:
    """The socket of a systemd that does not wait for messages."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "notify"))
        made.setblocking(False)
        yield made


def told(heard: socket.socket) -> list[bytes]:
    """What has come since."""
    found = []
    with suppress(BlockingIOError):
        while True:
            found.append(heard.recv(200))
    return found


def test_systemd_hears_now_and_then_of_what_is_often_told(heard: socket.socket, tmp_path: Path) -> None:
    manager = ServiceManager(str(tmp_path / "notify"))
    for _ in range(100):
        manager.alive()
    assert told(heard) == [b"WATCHDOG=1"]


async def test_a_loop_that_hangs_gives_no_sign_of_life(
    heard: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sep2_server.process.pulse.BEAT_S", 0.01)
    monkeypatch.setattr("sep2_server.process.service.PING_S", 0.0)
    loop = asyncio.get_running_loop()
    with signs_of(Life(ServiceManager(str(tmp_path / "notify")))):
        assert [await loop.sock_recv(heard, 200) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        told(heard)
        time.sleep(0.3)  # noqa: ASYNC251 - this is what hangs
        assert told(heard) == []
        assert await loop.sock_recv(heard, 200) == b"WATCHDOG=1"
    told(heard)
    await asyncio.sleep(0.05)
    assert told(heard) == []


def test_a_systemd_that_reads_nothing_holds_nobody_up(
    heard: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sep2_server.process.service.PING_S", 0.0)
    manager = ServiceManager(str(tmp_path / "notify"))
    most = int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text())
    for _ in range(most + 50):
        manager.alive()
    assert 0 < len(told(heard)) <= most + 1


@pytest.mark.parametrize(
    ("usec", "pid", "most_s"),
    [
        (None, None, 5.0),
        ("120000000", None, 5.0),
        ("20000000", "{pid}", 5.0),
        ("4000000", "{pid}", 1.0),
        ("400000", None, 0.1),
        ("4000000", "1", 5.0),
        ("0", None, 5.0),
        ("soon", None, 5.0),
        ("4000000", "me", 5.0),
    ],
)
def test_signs_of_life_are_as_frequent_as_systemd_wants_them(
    monkeypatch: pytest.MonkeyPatch, usec: str | None, pid: str | None, most_s: float
) -> None:
    """Four within its time, so that two come where each is late; `sd_watchdog_enabled(3)`."""
    found = {"WATCHDOG_USEC": usec, "WATCHDOG_PID": pid and pid.format(pid=os.getpid())}
    manager = ServiceManager.of({name: value for name, value in found.items() if value is not None})
    assert manager.beat_s == most_s


async def test_a_systemd_that_waits_for_a_second_hears_more_than_once_in_each(
    heard: socket.socket, tmp_path: Path
) -> None:
    found = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
    loop = asyncio.get_running_loop()
    with signs_of(Life(ServiceManager.of(found))):
        told_s = []
        for _ in range(4):
            assert await loop.sock_recv(heard, 200) == b"WATCHDOG=1"
            told_s.append(loop.time())
    assert told_s[3] - told_s[1] < 1.0
