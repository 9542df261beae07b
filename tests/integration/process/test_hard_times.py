"""Signals and files at the wrong moment: while a server starts, and after its files have changed."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from certs import Pki, operator_client_context
from tests.integration.process.site_process import (
    ROOT,
    SiteProcess,
    Wire,
    context_of,
    is_alive,
    site_process,
    until,
    write_settings,
)

FILES = 256
HTTPS = ("--set", "operator.plain_http=false")


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


def half(path: Path) -> None:
    """Leave half of a file, as one that is being written looks."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


SPOILT: dict[str, Callable[[Path, Path, Path], object]] = {
    "half-a-certificate": lambda certificate, *_: half(certificate),
    "no-key": lambda _, key, __: key.unlink(),
    "the-key-of-another": lambda _, key, other: shutil.copy(other, key),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_a_worker_is_replaced_while_the_files_of_the_certificate_are_bad(
    tmp_path: Path, process_pki: Pki, spoil: Callable[[Path, Path, Path], object]
) -> None:
    """The new ones present what the others present, to devices and operators, until good files are there."""
    certificate, key = own_files(tmp_path, process_pki)
    device = process_pki.issue_device("hard-4", force=True)
    chosen = [*HTTPS, "--set", f"certificate={certificate}", "--set", f"key={key}"]
    settings = 'log_level = "info"'
    with site_process(tmp_path, process_pki, "--workers=2", *chosen, settings=settings) as site:
        until(lambda: started(site) == 2)
        before = presented(site, "hard-4")
        spoil(certificate, key, device.key_path)
        restart(site)
        until(lambda: started(site) == 4)
        assert presented(site, "hard-4") == before
        site.kill(signal.SIGHUP)
        until(lambda: "Nothing was reloaded" in (tmp_path / "stderr").read_text())
        assert presented(site, "hard-4") == before
        process_pki.issue_server("hard-4-next", hosts=["127.0.0.1"], force=True)
        fresh = process_pki.credentials("hard-4-next")
        shutil.copy(fresh.certificate_path, certificate)
        shutil.copy(fresh.key_path, key)
        site.kill(signal.SIGHUP)
        until(lambda: not presented(site, "hard-4") & before)
        assert len(presented(site, "hard-4")) == 1


def started(site: SiteProcess) -> int:
    """How many workers have begun to serve."""
    return (site.folder / "stderr").read_text().count("IEEE 2030.5 on ")


def presented(site: SiteProcess, device: str) -> set[object]:
    """Serial numbers of the certificates that devices are shown by the workers, and operators."""
    wires = [Wire(site.port, context_of(site.pki.credentials(device))) for _ in range(8)]
    serials = {(wire.tls.getpeercert() or {})["serialNumber"] for wire in wires}
    for wire in wires:
        wire.close()
    port = int((site.folder / "operator" / "operator.url").read_text().strip().rpartition(":")[2])
    context = operator_client_context(site.pki.root_path)
    with (
        socket.create_connection(("127.0.0.1", port)) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1") as tls,
    ):
        return serials | {(tls.getpeercert() or {})["serialNumber"]}


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
def test_a_second_server_is_kept_from_a_sqlite_file_and_let_in_once_the_first_is_gone(
    tmp_path: Path, process_pki: Pki, workers: int
) -> None:
    """Neither would hear what the other's operator does. A link to the file leads to the same one."""
    first, other = tmp_path / "first", tmp_path / "other"
    for folder in (first, other):
        folder.mkdir()
    (other / "same.db").symlink_to(first / "lineside.db")
    write_settings(other, process_pki, 'database = "same.db"')
    command = [sys.executable, "-m", "lineside", "server", "run", "--config", str(other)]
    with site_process(first, process_pki, f"--workers={workers}") as site:
        done = subprocess.run(command, check=False, cwd=ROOT, text=True, capture_output=True, timeout=15)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"{first / 'lineside.db'}: another server uses this database: stop that one" in done.stderr
        assert is_served(site)
        backup = [*command[:4], "backup", *command[5:], str(tmp_path / "site.backup")]
        subprocess.run(backup, check=True, cwd=ROOT, timeout=15)
        pids = site.workers
        site.kill(signal.SIGKILL)
        site.process.wait()
        with site_process(other, process_pki, settings='database = "same.db"') as second:
            assert is_served(second)
            assert not any(is_alive(pid) for pid in pids)


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
