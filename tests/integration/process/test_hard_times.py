"""Signals and files at the wrong moment: while a server starts, and after its files have changed."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from certs import Pki
from tests.integration.process.site_process import ROOT, SiteProcess, site_process, until, write_settings

FILES = 256


def restart(site: SiteProcess) -> None:
    """Kill every worker, and wait until as many others live."""
    before = site.workers
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(site.workers) == len(before) and not set(before) & set(site.workers))


def own_files(folder: Path, pki: Pki) -> tuple[Path, Path]:
    """Copies of the server's certificate and key, which a test may change."""
    own = pki.credentials("server")
    paths = folder / "cert.pem", folder / "key.pem"
    shutil.copy(own.certificate_path, paths[0])
    shutil.copy(own.key_path, paths[1])
    return paths


def test_a_replaced_worker_has_the_files_and_settings_of_the_last_reload(
    tmp_path: Path, process_pki: Pki
) -> None:
    own = process_pki.credentials("server")
    certificate, key = own_files(tmp_path, process_pki)
    with site_process(tmp_path, process_pki, "--workers=2", settings='log_level = "info"') as site:
        credentials = site.enrol("hard-1")
        toml = tmp_path / "server.toml"
        text = toml.read_text().replace(str(own.certificate_path), str(certificate))
        toml.write_text("access_log = true\n" + text.replace(str(own.key_path), str(key)))
        site.kill(signal.SIGHUP)
        until(lambda: (tmp_path / "stderr").read_text().count("were reloaded") == 2)
        restart(site)
        until(lambda: is_served(site))
        wire = site.connect(credentials)
        assert wire.ask("GET", "/tm?hard=1")[0] == 200
        wire.close()
        until(lambda: "/tm?hard=1" in (tmp_path / "stderr").read_text())


def test_files_are_left_for_operators_and_the_database_where_clients_take_all(
    tmp_path: Path, process_pki: Pki
) -> None:
    with site_process(tmp_path, process_pki, settings='log_level = "info"') as site:
        credentials = site.enrol("hard-3")
        wire = site.connect(credentials)
        resource.prlimit(site.process.pid, resource.RLIMIT_NOFILE, (FILES, FILES))
        site.kill(signal.SIGHUP)
        until(lambda: "were reloaded" in (tmp_path / "stderr").read_text())
        with ExitStack() as held:
            for _ in range(FILES + 50):
                held.enter_context(socket.create_connection(("127.0.0.1", site.port)))
            until(lambda: "too many" in (tmp_path / "stderr").read_text())
            assert is_served(site)
            assert wire.ask("GET", "/tm")[0] == 200
        wire.close()
        told = (tmp_path / "stderr").read_text()
        assert "can be accepted" not in told
        assert f"of {FILES} files that this process may have open" in told


def is_served(site: SiteProcess) -> bool:
    with suppress(OSError):
        return bool(site.api.call("GET", ("devices",)))
    return False


def test_a_port_that_another_server_shares_among_its_workers_is_taken(
    tmp_path: Path, process_pki: Pki
) -> None:
    """Each would get half of the devices' connections."""
    with site_process(tmp_path, process_pki, "--workers=2") as site:
        other = tmp_path / "other"
        other.mkdir()
        (other / "server.toml").write_text((tmp_path / "server.toml").read_text())
        command = [sys.executable, "-m", "lineside", "server", "run", "--config", str(other), "--workers=2"]
        with subprocess.Popen(
            [*command, "--set", f"port={site.port}"], cwd=ROOT, text=True, stderr=subprocess.PIPE
        ) as process:
            try:
                _, told = process.communicate(timeout=15)
            finally:
                process.kill()
        assert (process.returncode, "in use" in told) == (1, True)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_reload_while_a_server_starts_does_not_end_it(
    tmp_path: Path, process_pki: Pki, workers: int
) -> None:
    write_settings(tmp_path, process_pki)
    command = [sys.executable, "-m", "lineside", "-v", "server", "run", "--config", str(tmp_path)]
    with (
        (tmp_path / "stderr").open("w") as errors,
        subprocess.Popen(
            [*command, f"--workers={workers}"], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=errors
        ) as process,
    ):
        try:
            pid_file = tmp_path / "operator" / "server.pid"
            until(lambda: pid_file.exists() and pid_file.read_text())
            process.send_signal(signal.SIGHUP)
            assert process.stdout is not None
            assert process.stdout.readline().startswith("devices"), (tmp_path / "stderr").read_text()
            until(lambda: "were reloaded" in (tmp_path / "stderr").read_text())
            assert "ended: " not in (tmp_path / "stderr").read_text()
        finally:
            process.terminate()
            assert process.wait(20) == 0
