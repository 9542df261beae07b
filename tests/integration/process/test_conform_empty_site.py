"""`lineside conform server` against a nearly empty site: nothing fails for what the site does not have."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from certs import Credentials, Pki
from conformance_tests import Outcome
from conformance_tests.reports.record import Kept, read_report
from tests.integration.process.site_process import ROOT, SiteProcess, site_process

WITHIN_S = 200
GENERATED = ("methods", "subscribable", "access")
ONE = "subscribable/EndDevice/server"
TOLD = "give --listen HOST:PORT, and have the operator of the server allow notifications to that place"


@dataclass
class EmptySite:
    """A server that knows two devices and an aggregator, and has nothing else."""

    process: SiteProcess
    device: Credentials
    other: Credentials
    aggregator: Credentials

    def run(self, out: Path, only: tuple[str, ...], *options: str) -> Kept:
        """The report of a run."""
        url = f"https://127.0.0.1:{self.process.port}/dcap"
        words = [sys.executable, "-m", "lineside", "conform", "server", url, "--out", str(out), *options]
        words += ["--roots", str(self.device.root_path)]
        known = {"": self.device, "other-": self.other, "aggregator-": self.aggregator}
        for name, one in known.items():
            words += [f"--{name}cert", str(one.certificate_path), f"--{name}key", str(one.key_path)]
        for name in only:
            words += ["--only", name]
        done = subprocess.run(words, cwd=ROOT, text=True, capture_output=True, timeout=WITHIN_S, check=False)
        assert not done.stderr, done.stderr
        return read_report(out)


@pytest.fixture
def site(tmp_path: Path, process_pki: Pki) -> Iterator[EmptySite]:
    folder = tmp_path / "site"
    folder.mkdir()
    aggregator = process_pki.issue_aggregator("empty-g", hosts=["127.0.0.1"], force=True)
    pem = aggregator.certificate_path.read_text()
    with site_process(folder, process_pki) as running:
        running.api.call("POST", ("devices",), {"name": "empty-g", "certificate": pem, "role": "aggregator"})
        yield EmptySite(running, running.enrol("empty-a"), running.enrol("empty-b"), aggregator)


def ended(kept: Kept, *outcomes: Outcome) -> dict[str, str]:
    return {name: one.reason for name, one in kept.verdicts.items() if one.outcome in outcomes}


def test_nothing_fails_and_a_subscription_says_what_it_needs(site: EmptySite, tmp_path: Path) -> None:
    kept = site.run(tmp_path / "out", GENERATED)
    assert ended(kept, Outcome.FAILED, Outcome.WARNED, Outcome.INCONCLUSIVE) == {}
    told = [name for name, reason in ended(kept, Outcome.SKIPPED).items() if reason.endswith(TOLD)]
    assert {ONE, "subscribable/again/server", "methods/SubscriptionList-POST/server"} <= set(told)


def test_a_place_that_listen_says_is_allowed_must_be_taken(site: EmptySite, tmp_path: Path) -> None:
    refused = site.run(tmp_path / "refused", (ONE,), "--listen", "127.0.0.1:9").verdicts[ONE]
    assert refused.outcome is Outcome.FAILED
    assert refused.reason.endswith("is the server allowed to notify https://127.0.0.1:9, as --listen says?")
    site.process.api.call("POST", ("devices", "empty-a", "notifications"), {"host": "127.0.0.1"})
    taken = site.run(tmp_path / "taken", (ONE,), "--listen", "127.0.0.1:9").verdicts[ONE]
    assert (taken.outcome, taken.reason) == (Outcome.PASSED, "")
