"""Fixtures that every test folder shares."""

from pathlib import Path

import pytest

VECTORS = Path(__file__).resolve().parents[2] / "shared" / "standard" / "vectors"


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of reference data beside the project; tests that need it skip where it is absent."""
    if not VECTORS.is_dir():
        pytest.skip("reference data (../shared/standard/vectors) is not on this machine")
    return VECTORS
