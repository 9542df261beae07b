"""The parent of the workers while processes cannot be made, end, or are told to read files again."""

import errno
import itertools
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sep2_server.process.service import ServiceManager
from sep2_server.process.supervisor import Duties, Supervisor, Tell

KEPT = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
Ready = Callable[[], None]


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """The handlers of this process as they were, at the end."""
    before = [(one, signal.getsignal(one)) for one in KEPT]
    yield
    signal.set_wakeup_fd(-1)
    for one, handler in before:
        signal.signal(one, handler)


def supervised(
    work: Callable[[int, Ready], None],
    count: int = 1,
    renew: Callable[[], bool] = lambda: True,
    silence_s: Callable[[int], float] = lambda _: 0.0,
    manager: ServiceManager | None = None,
) -> int:
    """The exit code of a supervisor whose workers do `work`, and end this one themselves."""

    def worked(number: int, _: Tell, ready: Ready) -> int:
        work(number, ready)
        return 0

    duties = Duties(
        work=worked,
        say=lambda _: None,
        renew=renew,
        close=lambda: None,
        shutdown_s=lambda: 0.0,
        silence_s=silence_s,
        manager=manager or ServiceManager(None),
    )
    return Supervisor(count, duties).run()


def end_parent() -> None:
    os.kill(os.getppid(), signal.SIGTERM)
    time.sleep(20)


def test_a_process_that_cannot_be_made_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls = 0
    fork = os.fork

    def scarce() -> int:
        nonlocal calls
        calls += 1
        if 2 <= calls <= 3:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return fork()

    monkeypatch.setattr(os, "fork", scarce)

    def work(number: int, ready: Ready) -> None:
        ready()
        if number:
            end_parent()
        time.sleep(20)

    assert supervised(work, 2) == 0
    assert calls == 4
    assert caplog.text.count("Worker 1 cannot be started: ") == 2


def test_a_worker_that_is_told_to_end_before_it_is_one_ends(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """The handlers of the parent, which the process begins with, would take note of it for nobody."""
    calls = 0
    fork = os.fork

    def told() -> int:
        nonlocal calls
        calls += 1
        pid = fork()
        if pid == 0 and calls == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return pid

    monkeypatch.setattr(os, "fork", told)

    def work(number: int, ready: Ready) -> None:
        (tmp_path / f"process {calls} worked").touch()
        ready()
        if number:
            end_parent()
        time.sleep(20)

    assert supervised(work, 2) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["process 1 worked", "process 3 worked"]
    assert "Worker 1 (process" in caplog.text


def test_the_first_process_that_cannot_be_made_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def scarce() -> int:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", scarce)
    with pytest.raises(BlockingIOError):
        supervised(lambda _, __: None)


def test_a_worker_that_starts_hears_of_new_files_once_it_can(tmp_path: Path) -> None:
    heard = tmp_path / "heard"

    def work(_: int, ready: Ready) -> None:
        os.kill(os.getppid(), signal.SIGHUP)
        with suppress(OSError):
            while signal.SIGHUP not in signal.sigpending():
                time.sleep(0.01)
        signal.signal(signal.SIGHUP, lambda *_: heard.touch())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        ready()
        end_parent()

    assert supervised(work) == 0
    assert heard.exists()


def test_files_that_fail_in_an_unforeseen_way_leave_the_server_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def renew() -> bool:
        raise RuntimeError("nobody thought of it")

    def work(_: int, ready: Ready) -> None:
        ready()
        os.kill(os.getppid(), signal.SIGHUP)
        time.sleep(0.3)
        end_parent()

    assert supervised(work, renew=renew) == 0
    assert "nobody thought of it" in caplog.text


def test_a_worker_that_gives_no_sign_of_life_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sep2_server.process.supervisor.LOOK_S", 0.05)
    mark = tmp_path / "mark"

    def work(_: int, ready: Ready) -> None:
        ready()
        if mark.exists():
            end_parent()
        mark.touch()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(20)

    began = time.monotonic()
    assert supervised(work, silence_s=lambda _: 1000.0) == 0
    assert time.monotonic() - began < 10
    assert "has given no sign of life for 1000 s: it is killed" in caplog.text


@pytest.mark.parametrize(("silence_s", "lives"), [(0.0, True), (1000.0, False)], ids=["alive", "silent"])
def test_systemd_hears_of_life_while_a_worker_gives_signs_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silence_s: float, lives: bool
) -> None:
    monkeypatch.setattr("sep2_server.process.supervisor.LOOK_S", 0.05)
    monkeypatch.setattr("sep2_server.process.service.PING_S", 0.0)
    place = str(tmp_path / "notify")
    mark = tmp_path / "mark"

    def work(_: int, ready: Ready) -> None:
        ready()
        if lives:
            time.sleep(0.5)
        if lives or mark.exists():
            end_parent()
        mark.touch()
        time.sleep(20)

    told: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(place)
        heard.settimeout(20)
        listening = threading.Thread(target=lambda: told.extend(iter(lambda: heard.recv(200), b"STOPPING=1")))
        listening.start()
        assert supervised(work, silence_s=lambda _: silence_s, manager=ServiceManager(place)) == 0
        listening.join()
    assert told[0].startswith(b"READY=1")
    assert (told.count(b"WATCHDOG=1") > 2) == lives
    assert (b"WATCHDOG=1" in told) == lives
    assert mark.exists() != lives


def test_systemd_hears_as_often_as_it_wants_of_a_parent_that_has_nothing_to_do(tmp_path: Path) -> None:
    place = str(tmp_path / "notify")
    told_s: list[float] = []

    def work(_: int, ready: Ready) -> None:
        ready()
        time.sleep(1.5)
        end_parent()

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(place)
        heard.settimeout(20)

        def listen() -> None:
            while (told := heard.recv(200)) != b"STOPPING=1":
                if told == b"WATCHDOG=1":
                    told_s.append(time.monotonic())

        listening = threading.Thread(target=listen)
        listening.start()
        assert supervised(work, manager=ServiceManager(place, watchdog_s=1.0)) == 0
        listening.join()
    assert told_s[-1] - told_s[0] > 0.5
    assert max(later - earlier for earlier, later in itertools.pairwise(told_s)) < 1.0
