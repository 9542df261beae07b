"""Whoever started a server does not read what it says: it serves all the same."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from certs import Pki
from tests.integration.process.site_process import ROOT, children_of, until, write_settings
from tests.integration.process.test_metrics import fetch


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_whose_output_nobody_reads_serves_and_ends(
    tmp_path: Path, process_pki: Pki, workers: int
) -> None:
    write_settings(tmp_path, process_pki)
    command = [sys.executable, "-m", "lineside", "server", "run", "--config", str(tmp_path)]
    read, write = os.pipe()
    os.close(read)
    with (
        (tmp_path / "stderr").open("w") as errors,
        subprocess.Popen(
            [*command, f"--workers={workers}"], cwd=ROOT, stdout=write, stderr=errors
        ) as process,
    ):
        try:
            os.close(write)
            until(lambda: "was not told" in (tmp_path / "stderr").read_text())
            for pid in children_of(process.pid):
                os.kill(pid, signal.SIGKILL)
            url = (tmp_path / "operator" / "operator.url").read_text().strip()
            until(lambda: fetch(url, "/livez")[0] == 200)
        finally:
            process.terminate()
            code = process.wait(20)
    assert code == 0, (tmp_path / "stderr").read_text()
