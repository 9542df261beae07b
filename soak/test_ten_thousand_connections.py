"""Ten thousand idle TLS connections to two workers: memory for each, and one more client is served."""

import resource
import sys
from pathlib import Path

from certs import Pki
from tests.integration.process.site_process import site_process
from tests.integration.process.test_idle_connections import MOST_OCTETS_EACH, SETTINGS, cost_of

COUNT = 10_000


def test_ten_thousand_idle_connections_are_held(tmp_path: Path) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    pki = Pki.create(tmp_path / "pki", depth=3)
    pki.issue_server("server", hosts=["127.0.0.1"])
    with site_process(tmp_path, pki, "--workers=2", settings=SETTINGS) as site:
        cost = cost_of(site, COUNT)
    sys.stdout.write(f"{COUNT} idle connections: {cost / 1024:.1f} kB each\n")
    assert cost <= MOST_OCTETS_EACH
