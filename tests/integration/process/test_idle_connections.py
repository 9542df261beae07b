"""Many idle TLS connections: bounded memory for each, and others are served meanwhile."""

import resource
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from certs import Pki
from tests.integration.process.site_process import SiteProcess, context_of, site_process

MOST_OCTETS_EACH = 60 * 1024
PAGE = resource.getpagesize()
REQUEST = b"GET /tm HTTP/1.1\r\nHost: a\r\n\r\n"
SETTINGS = """\
keep_alive_s = 3000
connections = 100000
connections_per_address = 100000
connections_per_client = 100000
"""


def resident(site: SiteProcess) -> int:
    """Memory of all processes that serve, octets."""
    pids = site.workers or [site.process.pid]
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE for pid in pids)


@contextmanager
def idle(site: SiteProcess, context: ssl.SSLContext, count: int) -> Iterator[list[ssl.SSLSocket]]:
    """So many connections, each after one request."""
    held: list[ssl.SSLSocket] = []
    try:
        for _ in range(count):
            raw = socket.create_connection(("127.0.0.1", site.port), timeout=20)
            held.append(context.wrap_socket(raw))
            held[-1].sendall(REQUEST)
            assert held[-1].recv(4096).startswith(b"HTTP/1.1 200")
        yield held
    finally:
        for one in held:
            one.close()


def cost_of(site: SiteProcess, count: int) -> float:
    """Resident memory for each of many idle connections, octets; one more client is served meanwhile."""
    credentials = site.enrol("idle-1")
    context = context_of(credentials)
    with idle(site, context, 50):
        before = resident(site)
        with idle(site, context, count):
            cost = (resident(site) - before) / count
            wire = site.connect(credentials, context)
            assert wire.ask("GET", "/tm")[0] == 200
            wire.close()
    return cost


def test_an_idle_connection_costs_at_most_60_kb(tmp_path: Path, process_pki: Pki) -> None:
    with site_process(tmp_path, process_pki, settings=SETTINGS) as site:
        assert cost_of(site, 400) <= MOST_OCTETS_EACH
