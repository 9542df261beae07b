"""Ten thousand idle TLS connections to two workers: memory for each, and others are served meanwhile."""

import os
import sys
import time
from pathlib import Path
from typing import Final

from certs import Pki
from soak.files import make_room
from soak.memory import watched
from soak.neighbour import neighbour
from tests.integration.process.site_process import context_of, site_process
from tests.integration.process.test_idle_connections import (
    MOST_OCTETS_EACH,
    REQUEST,
    SETTINGS,
    idle,
    resident,
)

COUNT: Final = int(os.environ.get("SOAK_CONNECTIONS", "10000"))
HELD_S: Final = float(os.environ.get("SOAK_HELD_S", "120"))
FIRST: Final = 50
"""Connections before the count begins: what the process needs once is then there."""


def test_ten_thousand_idle_connections_are_held(tmp_path: Path) -> None:
    make_room(COUNT)
    pki = Pki.create(tmp_path / "pki", depth=3)
    pki.issue_server("server", hosts=["127.0.0.1"])
    with site_process(tmp_path, pki, "--workers=2", settings=SETTINGS) as site:
        crowd, other = context_of(site.enrol("crowd")), site.enrol("neighbour")
        with idle(site, crowd, FIRST), watched(site) as growth:
            began = time.monotonic()
            with idle(site, crowd, COUNT) as held:
                took, cost = time.monotonic() - began, (resident(site) - growth.start) / COUNT
                with neighbour(site, other) as staying:
                    time.sleep(HELD_S)
                for one in held:
                    one.sendall(REQUEST)
                    assert one.recv(4096).startswith(b"HTTP/1.1 200")
            with neighbour(site, other) as coming, idle(site, crowd, COUNT // 2):
                pass
        sys.stdout.write(
            f"\n{COUNT} connections within {took:.0f} s, held {HELD_S:.0f} s: {cost / 1000:.1f} kB each; "
            f"with everything else {growth.peak / 1e6:.1f} MB at most, {growth.kept / 1e6:.1f} MB kept\n"
        )
        staying.check("while they are idle")
        coming.check(f"while {COUNT // 2} come and go")
        assert cost <= MOST_OCTETS_EACH
