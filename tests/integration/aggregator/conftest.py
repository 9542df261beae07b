"""Fixtures: an aggregator of four inverters at a running server with URIs that nobody can guess."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certs import Pki
from der_client import SubscriptionSettings
from tests.integration.aggregator.harness import FAST, Fleet, fleet_of, ticking
from tests.integration.sep2_harness import running

SLOW = dict.fromkeys(FAST, 900)
OPEN: dict[str, Any] = {"notification_gap_ms": 0, "notification_hosts": "127.0.0.1"}


@pytest.fixture
async def told_fleet(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Fleet]:
    """A fleet that subscribes at a server whose poll rates are too slow for any test."""
    changes = {"poll_rate": SLOW, **OPEN}
    async with running(tmp_path, sep2_pki, now=int(time.time()), **changes) as bench, ticking(bench):
        fleet = await fleet_of(bench, tmp_path)
        wish = SubscriptionSettings(host="127.0.0.1", bind="127.0.0.1", port=0, again_s=0.2)
        fleet.settings = replace(fleet.settings, subscription=wish)
        yield fleet


@pytest.fixture
async def fleet(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Fleet]:
    changes = {"poll_rate": FAST, "post_rate_s": 1, **OPEN}
    async with running(tmp_path, sep2_pki, now=int(time.time()), **changes) as bench, ticking(bench):
        yield await fleet_of(bench, tmp_path)
