"""Fixtures: a server that may notify listeners on this machine at once, and a client with a listener."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from certs import Pki
from sep2_server.rows import Row
from tests.integration.notifications.listening import Listener, listening
from tests.integration.sep2_harness import Bench, Client, running


@dataclass
class Subscriber:
    """An enrolled device, its client and its listener."""

    row: Row
    client: Client
    listener: Listener


@pytest.fixture
async def told(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    """A running server that gathers no changes and may notify this machine."""
    async with running(tmp_path, sep2_pki, notification_gap_ms=0, notification_hosts="127.0.0.1") as bench:
        yield bench


@pytest.fixture
async def subscriber(told: Bench) -> AsyncIterator[Subscriber]:
    """The device `one` with a listener."""
    row, client = await told.device("one")
    async with listening(told.credentials("one")) as listener:
        yield Subscriber(row, client, listener)
