"""Fixtures of the conformance tests."""

import pytest

from certs import Pki
from tests.integration.conformance import own_client


@pytest.fixture(scope="session")
def client_pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Certificates of a scripted server, and of our client in each role."""
    return own_client.client_pki(tmp_path_factory.mktemp("clients"))
