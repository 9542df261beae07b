"""A PKI whose server certificate is there before a server is."""

import pytest

from certs import Pki


@pytest.fixture(scope="session")
def process_pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """A PKI with a chain of depth 3 and the certificate of a server."""
    pki = Pki.create(tmp_path_factory.mktemp("process") / "pki", depth=3)
    pki.issue_server("server", hosts=["127.0.0.1", "localhost"])
    return pki
