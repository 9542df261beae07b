"""The file that says which process a server is: of another program, of nobody, half written."""

import os
import signal
from pathlib import Path

import pytest

from sep2_server.process.pid_file import NAME, PidFile, signal_server


@pytest.mark.parametrize("text", [b"", b"garbage\n", b"\0\0\0", b"-1\n", b"1\n"])
def test_a_file_that_nobody_holds_is_nobodys(tmp_path: Path, text: bytes) -> None:
    (tmp_path / NAME).write_bytes(text)
    assert signal_server(tmp_path, signal.SIGHUP) is None
    mark = PidFile.take(tmp_path)
    assert (tmp_path / NAME).read_text() == f"{os.getpid()}\n"
    mark.release()


@pytest.mark.parametrize("text", [b"", b"garbage\n", b"0\n"])
def test_a_file_that_is_held_and_names_nobody_is_nobodys(tmp_path: Path, text: bytes) -> None:
    held = PidFile.take(tmp_path)
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        (tmp_path / NAME).write_bytes(text)
        os.write(told, b"none" if signal_server(tmp_path, signal.Signals.SIGURG) is None else b"some")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(ready, 4) == b"none"
    for end in (ready, told):
        os.close(end)
    held.release()
