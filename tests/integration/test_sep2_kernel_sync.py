"""Syncs by the kernel: told through an eventfd once done, and refused where the system has none."""

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sep2_server.kernel_sync import KernelSync
from tests.descriptors import open_files

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
