"""Syncs by the kernel: told through an eventfd once done, and refused where the system has none."""

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sep2_server import kernel_sync
from sep2_server.kernel_sync import KernelSync
from tests.descriptors import open_files

ROOT = Path(__file__).resolve().parents[2]
TELL_S = 10


@pytest.fixture
def kernel() -> Iterator[KernelSync]:
    try:
        made = KernelSync()
    except OSError as flaw:
        pytest.skip(f"the kernel does not sync for this process: {flaw}")
    yield made
    made.close()


def test_the_end_of_a_sync_can_be_waited_for_and_looked_for(kernel: KernelSync, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        for number in range(100):
            file.write(b"x" * number)
            file.flush()
            assert not select.select([kernel], [], [], 0)[0]
            kernel.begin(file.fileno())
            assert (kernel.is_under_way, KernelSync.under_way) == (True, 1)
            if number % 2:
                assert select.select([kernel], [], [], TELL_S)[0]
            assert kernel.end() is None
            assert (kernel.is_under_way, KernelSync.under_way) == (False, 0)


def test_what_cannot_be_synced_is_refused_and_the_next_is_done(kernel: KernelSync, tmp_path: Path) -> None:
    one, other = os.pipe()
    with pytest.raises(OSError, match="Invalid argument"):
        kernel.begin(one)
    os.close(one)
    os.close(other)
    with pytest.raises(OSError, match="Bad file descriptor"):
        kernel.begin(one)
    assert not kernel.is_under_way
    with (tmp_path / "log").open("wb") as file:
        kernel.begin(file.fileno())
        assert kernel.end() is None


def test_what_has_kept_a_file_from_the_disk_is_told(kernel: KernelSync, tmp_path: Path) -> None:
    """What the kernel gives there is that of `fdatasync`, negative."""
    call = kernel._call

    def failing(*arguments: object) -> int:
        done = call(*arguments)
        kernel._event.result = -5
        return int(done)

    with (tmp_path / "log").open("wb") as file:
        kernel.begin(file.fileno())
        kernel._call = failing  # type: ignore[assignment]
        flaw = kernel.end()
        kernel._call = call
    assert flaw is not None
    assert (flaw.errno, str(flaw)) == (5, "[Errno 5] Input/output error")


def test_close_waits_for_what_is_under_way_and_leaves_nothing_open(tmp_path: Path) -> None:
    before = open_files()
    for _ in range(3):
        kernel = KernelSync()
        with (tmp_path / "log").open("wb") as file:
            kernel.begin(file.fileno())
            kernel.close()
    assert (KernelSync.under_way, open_files()) == (0, before)


@pytest.mark.parametrize(
    ("name", "value"), [("machine", "riscv64"), ("platform", "darwin"), ("byteorder", "big")]
)
def test_other_systems_have_none(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    if name == "machine":
        monkeypatch.setattr("platform.machine", lambda: value)
    else:
        monkeypatch.setattr(sys, name, value)
    with pytest.raises(OSError, match="not implemented"):
        KernelSync()


def test_a_process_that_has_no_right_to_it_keeps_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under a filter of system calls, or where all that the system has is in use."""
    before = open_files()
    monkeypatch.setattr("ctypes.byref", lambda _: 0)  # the kernel finds no place for its answer
    with pytest.raises(OSError, match="Bad address"):
        KernelSync()
    assert open_files() == before


def test_a_process_that_ends_meanwhile_ends(tmp_path: Path) -> None:
    code = "\n".join(
        [
            "import os",
            "from sep2_server.kernel_sync import KernelSync",
            f"file = os.open({str(tmp_path / 'log')!r}, os.O_CREAT | os.O_RDWR)",
            "os.write(file, bytes(1_000_000))",
            "KernelSync().begin(file)",
            "os._exit(7)",
        ]
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 7


def test_a_process_of_32_bits_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is the same, the numbers of its calls are others: some of them would do harm."""
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    with pytest.raises(OSError, match="not implemented"):
        KernelSync()


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("refused", [0, 2, 3], ids=["io_setup", "io_getevents", "io_submit"])
def test_a_process_that_may_not_do_all_of_it_does_none_of_it(refused: int) -> None:
    """A filter of system calls refuses one; nothing stays behind."""
    code = "\n".join(
        [
            "import ctypes, os, sys",
            "from pathlib import Path",
            "from sep2_server import kernel_sync",
            "from tests.integration.refused_call import refuse",
            "numbers = kernel_sync._NUMBERS[os.uname().machine]",
            f"refuse(numbers[{refused}])",
            "before = len(os.listdir('/proc/self/fd'))",
            "try:",
            "    kernel_sync.KernelSync()",
            "except PermissionError:",
            "    maps = Path('/proc/self/maps').read_text()",
            "    print(len(os.listdir('/proc/self/fd')) - before, '[aio]' in maps)",
        ]
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "0 False\n"), done.stderr


def test_a_signal_ends_no_wait_for_a_sync(kernel: KernelSync, tmp_path: Path) -> None:
    """Python's handlers interrupt calls. What is under way could not be closed."""
    caught: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: caught.append(number))
    with (tmp_path / "log").open("wb") as file:
        may_begin = threading.Event()

        def begin() -> None:
            may_begin.wait(TELL_S)
            kernel._request.file = file.fileno()
            kernel._call(*kernel._submission)

        hand = threading.Thread(target=begin)
        hand.start()
        kernel.is_under_way = True
        KernelSync.under_way += 1
        alarm = threading.Timer(0.1, lambda: signal.pthread_kill(threading.main_thread().ident or 0, 14))
        release = threading.Timer(0.3, may_begin.set)
        alarm.start()
        release.start()
        try:
            assert kernel.end() is None
        finally:
            may_begin.set()
            signal.signal(signal.SIGALRM, before)
            hand.join()
    assert caught == [signal.SIGALRM]
    assert not kernel.is_under_way


def test_a_sync_that_is_under_way_is_not_taken_for_the_next(kernel: KernelSync, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        kernel.begin(file.fileno())
        with pytest.raises(OSError, match="busy"):
            kernel.begin(file.fileno())
        assert (kernel.is_under_way, KernelSync.under_way) == (True, 1)
        assert kernel.end() is None


@pytest.mark.usefixtures("kernel")
def test_many_one_after_the_other_leave_nothing_to_the_system() -> None:
    """All processes together may have 65,536 contexts."""
    before = open_files(), contexts()
    for _ in range(20):
        KernelSync().close()
    assert (open_files(), contexts()) == before


def contexts() -> int:
    """How many contexts this process has in the kernel."""
    return Path("/proc/self/maps").read_text().count("[aio]")


@pytest.mark.parametrize(
    ("machine", "numbers"), [("x86_64", (206, 207, 208, 209)), ("aarch64", (0, 1, 4, 2))]
)
def test_each_machine_has_its_numbers_of_calls(
    monkeypatch: pytest.MonkeyPatch, machine: str, numbers: tuple[int, ...]
) -> None:
    """As in <asm/unistd_64.h> and <asm-generic/unistd.h>: io_setup, io_destroy, io_getevents, io_submit."""
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert kernel_sync._numbers() == numbers
