"""Fixtures: an aggregator of four inverters at a running server with URIs that nobody can guess."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from certs import Pki
from tests.integration.aggregator.harness import FAST, Fleet, fleet_of, ticking
from tests.integration.sep2_harness import running


@pytest.fixture
async def fleet(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Fleet]:
    changes = {
        "poll_rate": FAST,
        "uri_salt": "pepper",
        "post_rate_s": 1,
        "notification_gap_ms": 0,
        "notification_hosts": "127.0.0.1",
    }
    async with running(tmp_path, sep2_pki, now=int(time.time()), **changes) as bench, ticking(bench):
        yield await fleet_of(bench, tmp_path)
