"""A client that does not read what it asked for, at a server as it runs in the field (on uvloop)."""

import contextlib
from pathlib import Path

from certs import Pki
from tests.integration.process.site_process import inode_of, site_process, until

SETTINGS = "write_s = 1\n"
REQUEST = b"GET /dcap HTTP/1.1\r\nHost: a\r\n\r\n"


def test_a_client_that_does_not_read_loses_its_connection(tmp_path: Path, process_pki: Pki) -> None:
    with site_process(tmp_path, process_pki, settings=SETTINGS) as site:
        wire = site.connect(site.enrol("deaf-1"))
        inode = inode_of(site.port, wire.local_port)
        assert inode
        wire.tls.settimeout(0.2)

        def is_dropped() -> bool:
            with contextlib.suppress(OSError):
                wire.tls.sendall(REQUEST * 500)
            return inode_of(site.port, wire.local_port) != inode

        until(is_dropped)
        other = site.connect(site.pki.credentials("deaf-1"))
        assert other.ask("GET", "/tm")[0] == 200
        for one in (wire, other):
            one.close()
