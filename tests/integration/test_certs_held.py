"""Files of a certificate that are held in memory: as many as there are, and none when nobody holds them."""

import gc
from pathlib import Path

from certs import HeldTls, Pki, TlsFiles
from tests.descriptors import open_files


def files_of(pki: Pki) -> TlsFiles:
    own = pki.credentials("server")
    return TlsFiles(certificate=own.certificate_path, key=own.key_path, roots=own.root_path)


def test_what_is_held_is_let_go_of_when_nobody_uses_it(tmp_path: Path) -> None:
    """A process that makes servers again and again, as a test run or a tool does, has 1,024 files at most."""
    pki = Pki.create(tmp_path / "pki")
    pki.issue_server("server", hosts=["127.0.0.1"])
    gc.collect()
    before = open_files()
    held = HeldTls(files_of(pki))
    with_one = open_files()
    for _ in range(3):
        held.renew(files_of(pki))
    assert open_files() == with_one > before
    del held
    gc.collect()
    assert open_files() == before
