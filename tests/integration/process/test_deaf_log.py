"""Whoever reads the log has stopped: nobody who logs waits for it, and the server goes on."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from certs import Pki
from tests.integration.process.site_process import ROOT, children_of, until


@contextlib.contextmanager
def full_pipe() -> Iterator[int]:
    """The writing end of a pipe that takes nothing more; a write to it waits."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    for part in (b"x" * 4096, b"x"):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(write, part)
    os.set_blocking(write, True)
    yield write
    os.close(read)
    os.close(write)


def test_a_parent_whose_log_is_not_read_replaces_workers_and_ends(tmp_path: Path, process_pki: Pki) -> None:
    own = process_pki.credentials("server")
    (tmp_path / "server.toml").write_text(
        f'port = 0\ncertificate = "{own.certificate_path}"\nkey = "{own.key_path}"\n'
        f'roots = "{own.root_path}"\npen = 40732\n[operator]\nport = 0\nplain_http = true\n'
    )
    command = [sys.executable, "-m", "lineside", "server", "run", "--config", str(tmp_path), "--workers=2"]
    with (
        full_pipe() as deaf,
        subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=deaf) as process,
    ):
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("devices")
            before = children_of(process.pid)
            for pid in before:
                os.kill(pid, signal.SIGKILL)
            until(
                lambda: len(children_of(process.pid)) == 2 and not set(before) & set(children_of(process.pid))
            )
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            code = process.poll()
            process.kill()
    assert code == 0
