"""A CSV file of devices: each costs the same, however many there are already, and progress is shown."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from certs import Pki
from tests.integration.process.site_process import ROOT, SiteProcess, site_process

MOST_RATIO = 1.6
"""Cost of a device in a fleet two to five times as large: 1 where it is linear, 3 where it is square."""
PART = 200
PARTS = 6
"""The cheapest of at most so many is taken, in turn: what else runs on the machine only ever adds."""
MORE = 1000
AGGREGATOR = "F" * 40


def cpu_s(site: SiteProcess) -> float:
    """CPU that the server has used, s."""
    words = Path(f"/proc/{site.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def enrol(site: SiteProcess, first: int, count: int, aggregator: str) -> float:
    """Enrol so many devices of a file, all in one group; CPU of the server, s."""
    path = site.folder / f"{first}.csv"
    lines = (f"d{n},{n:040X},g,{aggregator}" for n in range(first, first + count))
    path.write_text("\n".join(["name,lfdi,groups,aggregator", *lines]))
    before = cpu_s(site)
    command = [sys.executable, "-m", "lineside", "op", "enrol", "--csv", str(path)]
    done = subprocess.run(
        [*command, "--config", str(site.folder)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert f"{count} devices: {count} enrolled, 0 were there, 0 refused" in done.stdout
    told = [f"{n} of {count} enrolled" for n in range(100, count + 1, 100)]
    assert [line for line in told if line not in done.stderr] == []
    return cpu_s(site) - before


def founded(site: SiteProcess, devices: int, aggregator: str) -> SiteProcess:
    """A site with a group, an aggregator and so many devices."""
    site.api.call("POST", ("groups",), {"name": "g", "primacy": 1})
    site.api.call("POST", ("devices",), {"name": "agg", "lFDI": AGGREGATOR, "role": "aggregator"})
    enrol(site, 0, devices, aggregator)
    return site


@pytest.mark.parametrize("aggregator", ["", "agg"], ids=["direct", "managed"])
def test_a_device_of_a_file_costs_the_same_in_a_larger_fleet(
    tmp_path: Path, process_pki: Pki, aggregator: str
) -> None:
    few, many = tmp_path / "few", tmp_path / "many"
    few.mkdir()
    many.mkdir()
    with site_process(few, process_pki) as first, site_process(many, process_pki) as second:
        sites = founded(first, PART, aggregator), founded(second, MORE, aggregator)
        costs = []
        for n in range(PARTS):
            costs.append([enrol(site, 9000 + n * PART, PART, aggregator) for site in sites])
            early, late = map(min, zip(*costs, strict=True))
            if late / early <= MOST_RATIO:
                break
        assert late / early <= MOST_RATIO, costs
