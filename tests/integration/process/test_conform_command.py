"""`lineside conform server` against a server that runs: reports, exit codes, Ctrl-C, going on, comparison."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from certs import Credentials, Pki
from conformance_tests import Outcome
from conformance_tests.reports.record import read_report
from tests.integration.process.site_process import ROOT, SiteProcess, site_process

WITHIN_S = 120
QUICK = ("csip/COMM-002/server", "tls/basic/server", "tls/version-1.1/server", "tls/chain-two/server")


@pytest.fixture
def site(tmp_path: Path, process_pki: Pki) -> Iterator[SiteProcess]:
    folder = tmp_path / "site"
    folder.mkdir()
    with site_process(folder, process_pki) as running:
        yield running


def command(site: SiteProcess, device: Credentials, *options: str) -> list[str]:
    files = ("--cert", str(device.certificate_path), "--key", str(device.key_path))
    url = f"https://127.0.0.1:{site.port}/dcap"
    roots = ("--roots", str(device.root_path))
    return [sys.executable, "-m", "lineside", "conform", "server", url, *files, *roots, *options]


def run(words: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(words, cwd=ROOT, text=True, capture_output=True, timeout=WITHIN_S, check=False)


def only(*names: str) -> list[str]:
    return [word for name in names for word in ("--only", name)]


def test_a_run_has_its_reports_and_says_what_was_not_played(site: SiteProcess, tmp_path: Path) -> None:
    device, out = site.enrol("conform-1"), tmp_path / "out"
    done = run(command(site, device, *only(*QUICK), "--out", str(out)))
    assert done.returncode == 0, done.stdout + done.stderr
    kept = read_report(out)
    assert kept.complete
    assert {name: one.outcome for name, one in kept.verdicts.items()} == {
        "csip/COMM-002/server": Outcome.PASSED,
        "tls/basic/server": Outcome.PASSED,
        "tls/version-1.1/server": Outcome.PASSED,
        "tls/chain-two/server": Outcome.SKIPPED,
    }
    assert "skip  tls/chain-two/server needs a root that the target trusts" in done.stdout
    assert etree.parse(out / "junit.xml").getroot().get("tests") == "4"
    assert "tls/basic/server" in (out / "report.html").read_text()
    same = run([sys.executable, "-m", "lineside", "conform", "compare", str(out), str(out)])
    assert (same.returncode, same.stdout) == (0, "0 worse, 0 better, 0 otherwise changed\n")


def test_after_ctrl_c_the_report_is_valid_and_the_run_goes_on_where_it_ended(
    site: SiteProcess, tmp_path: Path
) -> None:
    device, out = site.enrol("conform-1"), tmp_path / "out"
    words = command(site, device, *only("tls", "methods"), "--out", str(out), "--every")
    heeds = ["env", "--default-signal=INT", *words]  # what a shell starts in the background ignores it
    with subprocess.Popen(heeds, cwd=ROOT, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        os.kill(process.pid, signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(WITHIN_S) == 2
    word, name, *_ = first.split()
    assert word == "pass"
    assert f"--resume {out}" in rest
    broken_off = read_report(out)
    assert not broken_off.complete
    assert name in broken_off.verdicts
    done = run(command(site, device, *only("tls", "methods"), "--resume", str(out), "--every"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f" {name} " not in done.stdout
    whole = read_report(out)
    assert whole.complete
    assert whole.verdicts[name] == broken_off.verdicts[name]
    assert len(whole.verdicts) == len(json.loads((out / "report.json").read_text())["cases"])


def test_a_server_that_is_not_there_fails_each_case_and_the_run_ends(
    process_pki: Pki, tmp_path: Path
) -> None:
    device, out = process_pki.issue_device("conform-2", force=True), tmp_path / "out"
    gone = SiteProcess(tmp_path, process_pki, subprocess.Popen(["true"], text=True), 1)
    gone.process.wait()
    done = run(command(gone, device, *only(*QUICK), "--out", str(out)))
    assert done.returncode == 1
    assert "FAIL  csip/COMM-002/server" in done.stdout
    assert "no connection" in done.stdout


def test_a_folder_of_another_run_is_not_taken_up(site: SiteProcess, tmp_path: Path) -> None:
    device, out = site.enrol("conform-1"), tmp_path / "out"
    run(command(site, device, *only("tls/basic/server"), "--out", str(out)))
    done = run(command(site, device, "--profile", "csip_aus", *only("tls"), "--resume", str(out)))
    assert done.returncode == 2
    assert "holds a run of a server, profile csip; this is a server, profile csip_aus" in done.stderr
    again = run(command(site, device, *only("tls/basic/server"), "--out", str(out)))
    assert again.returncode == 2
    assert "is not empty: name another folder, or --resume" in again.stderr
