"""`lineside conform server` against a full house: the families without waits, wall time and memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from bench.full_house import AGGREGATOR, DEVICE, OTHER, PROFILE
from bench.measure import Result
from bench.stand import running
from certs import Pki
from conformance_tests import Outcome
from conformance_tests.reports.record import read_report
from tests.integration.fleet_house import CONTROLS, DEVICES, MIRRORS, PROGRAMS, READINGS

if TYPE_CHECKING:
    from pathlib import Path

    from certs import Credentials

FAMILIES: Final = ("methods", "lists", "subscribable", "bodies", "access", "tls")
BAD: Final = frozenset({Outcome.FAILED, Outcome.WARNED, Outcome.INCONCLUSIVE})
MOST_S: Final = 120
MOST_MB: Final = 200


def measure(folder: Path) -> list[Result]:
    """Both promises; RuntimeError where a verdict is a bad one: no good server was judged then."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with running([sys.executable, "-m", "bench.full_house", str(folder)]) as server:
        port = int((server.stdout.readline() if server.stdout else "") or "0")
        if not port:
            raise RuntimeError("the full house did not open")
        begun_s = time.monotonic()
        peak_mb, cpu_s = _run(_command(folder, port))
        took_s = time.monotonic() - begun_s
    held = list(read_report(folder / "out").verdicts.values())
    bad = [one.case for one in held if one.outcome in BAD]
    if bad or not held:
        raise RuntimeError(f"{len(bad)} of {len(held)} verdicts are bad: {', '.join(bad[:5])}")
    house = (
        f"{DEVICES:,} EndDevices, {PROGRAMS} programs, {CONTROLS:,} controls, {MIRRORS * READINGS:,} readings"
    )
    skipped = sum(one.outcome is Outcome.SKIPPED for one in held)
    note = f"{len(held):,} cases, {skipped} of them skipped; {cpu_s:.0f} s of its CPU; {house}"
    return [
        Result(name="conformance run, server families: wall", ours=took_s, bar=MOST_S, unit="s", note=note),
        Result(name="conformance run, server families: memory", ours=peak_mb, bar=MOST_MB, unit="MB"),
    ]


def _command(folder: Path, port: int) -> list[str]:
    pki = Pki.open(folder / "pki")
    words = [sys.executable, "-m", "lineside", "conform", "server", f"https://127.0.0.1:{port}/dcap"]
    device, root = pki.credentials(DEVICE), folder / "pki" / "ca" / "serca"
    words += [*_files("", device), "--roots", str(device.root_path)]
    words += _files("other-", pki.credentials(OTHER)) + _files("aggregator-", pki.credentials(AGGREGATOR))
    words += ["--ca-cert", str(root / "cert.pem"), "--ca-key", str(root / "key.pem"), "--profile", PROFILE]
    words += [word for family in FAMILIES for word in ("--only", family)]
    return [*words, "--out", str(folder / "out")]


def _files(who: str, credentials: Credentials) -> list[str]:
    certificate, key = str(credentials.certificate_path), str(credentials.key_path)
    return [f"--{who}cert", certificate, f"--{who}key", key]


def _run(words: list[str]) -> tuple[float, float]:
    """Most memory that the runner had, MB, and CPU that it used, s."""
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
    return used.ru_maxrss / 1024, used.ru_utime + used.ru_stime
