"""Rights and the audit log with several processes: what an operator does counts everywhere, in order."""

import subprocess
import sys
import threading
import time
from pathlib import Path

from certs import Pki
from tests.integration.process.site_process import ROOT, SiteProcess, Wire, site_process, until

WORKERS = 2
WITHIN_S = 1.0
CALLERS, EACH = 2, 6


def on_every_worker(site: SiteProcess, name: str) -> list[Wire]:
    """Open connections of a device, some at each worker."""
    credentials = site.enrol(name)
    wires: list[Wire] = []
    while len(wires) < 6 or len({site.owner_of(wire) for wire in wires}) < WORKERS:
        assert len(wires) < 60
        wires.append(site.connect(credentials))
    return wires


def statuses(wires: list[Wire], path: str = "/dcap") -> set[int]:
    return {wire.ask("GET", path)[0] for wire in wires}


def test_a_block_counts_on_every_worker_within_a_second(
    tmp_path: Path, process_pki: Pki, database: str
) -> None:
    with site_process(tmp_path, process_pki, f"--workers={WORKERS}", settings=database) as site:
        wires = on_every_worker(site, "rights-1")
        lfdi = str(site.pki.credentials("rights-1").lfdi)
        for _ in range(2):
            assert statuses(wires) == {200}
            site.api.call("POST", ("blocked",), {"lFDI": lfdi, "reason": "stolen"})
            until(lambda: statuses(wires) == {403}, WITHIN_S)
            fresh = [site.connect(site.pki.credentials("rights-1")) for _ in range(4)]
            assert statuses(fresh) == {403}
            site.api.call("DELETE", ("blocked", lfdi))
            until(lambda: statuses(wires) == {200}, WITHIN_S)
            for wire in fresh:
                wire.close()
        for wire in wires:
            wire.close()


def test_a_disabled_or_removed_device_is_so_on_every_worker_within_a_second(
    tmp_path: Path, process_pki: Pki, database: str
) -> None:
    with site_process(tmp_path, process_pki, f"--workers={WORKERS}", settings=database) as site:
        wires = on_every_worker(site, "rights-2")
        assert statuses(wires, "/derp") == {200}
        site.api.call("PATCH", ("devices", "rights-2"), {"enabled": False})
        until(lambda: statuses(wires, "/derp") == {404}, WITHIN_S)
        site.api.call("PATCH", ("devices", "rights-2"), {"enabled": True})
        until(lambda: statuses(wires, "/derp") == {200}, WITHIN_S)
        site.api.call("DELETE", ("devices", "rights-2"))
        until(lambda: statuses(wires) == {403}, WITHIN_S)
        for wire in wires:
            wire.close()


def lineside(site: SiteProcess, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "lineside", *words, "--config", str(site.folder)]
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False, timeout=120)


def act(site: SiteProcess, caller: int, ended: list[int]) -> None:
    """What one operator does in processes of its own, one after another."""
    for number in range(EACH):
        name = f"group-{caller}-{number}"
        ended.append(lineside(site, "op", "group", "create", name, "--primacy", "5").returncode)


def serve(site: SiteProcess, wires: list[Wire], is_over: threading.Event, seen: set[int]) -> None:
    """Devices ask meanwhile."""
    while not is_over.is_set():
        seen |= statuses(wires)
        time.sleep(0.01)


def test_the_audit_log_stays_one_chain_when_several_processes_act_at_once(
    tmp_path: Path, process_pki: Pki, database: str
) -> None:
    with site_process(tmp_path, process_pki, f"--workers={WORKERS}", settings=database) as site:
        wires = on_every_worker(site, "rights-3")
        ended: list[int] = []
        seen: set[int] = set()
        is_over = threading.Event()
        callers = [threading.Thread(target=act, args=(site, n, ended)) for n in range(CALLERS)]
        devices = threading.Thread(target=serve, args=(site, wires, is_over, seen))
        for thread in (devices, *callers):
            thread.start()
        for number in range(EACH):
            site.api.call("POST", ("groups",), {"name": f"direct-{number}", "primacy": 5})
        for thread in callers:
            thread.join()
        is_over.set()
        devices.join()
        assert (ended, seen) == ([0] * CALLERS * EACH, {200})
        verdict = lineside(site, "server", "audit", "verify")
        assert verdict.returncode == 0, verdict.stderr
        log = (site.folder / "operator" / "audit.jsonl").read_text().splitlines()
        acted = [line for line in log if '"outcome": "done"' in line and "group" in line]
        assert len(acted) == (CALLERS + 1) * EACH
        assert f"{len(log)} lines hold" in verdict.stdout
        for wire in wires:
            wire.close()
