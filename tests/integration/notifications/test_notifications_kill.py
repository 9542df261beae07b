"""A server that is killed between the commit of a change and the answer of the listener loses nothing."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

from certs import Pki
from schemas import FunctionSetAssignmentsList
from tests.integration.notifications.listening import listening, settled, subscribe
from tests.integration.sep2_harness import DATABASES, running

STORED = pytest.mark.usefixtures("each_database")
"""Of tests that lean on the store: on SQLite and on PostgreSQL."""
AFTER_THE_CLAIM_S = 200
ROOT = Path(__file__).parents[3]


@STORED
async def test_a_notification_survives_sigkill_during_its_delivery(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, notification_gap_ms=3000) as bench:
        row, client = await bench.device("killed")
        await bench.store.do(lambda tx: tx.ledger.allow(row.id, "127.0.0.1"))
        async with listening(bench.credentials("killed")) as first:
            port = first.port
            await subscribe(client, row, f"{row.href}/fsa", first.uri)
        await bench.group("feeder", "killed")
        await settled(bench)
    async with listening(sep2_pki.credentials("killed"), port=port) as listener:
        listener.hold = asyncio.Event()
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.integration.sep2_child",
            str(tmp_path),
            str(sep2_pki.folder),
            DATABASES.of(tmp_path),
            cwd=ROOT,
            stdout=asyncio.subprocess.DEVNULL,
        )
        await listener.next()
        child.kill()
        await child.wait()
        listener.hold.set()
        later = int(time.time()) + AFTER_THE_CLAIM_S
        async with running(tmp_path, sep2_pki, now=later) as bench:
            note = await listener.next()
            await settled(bench)
            assert bench.store.reader.ledger.count_owed() == 0
    assert isinstance(note.Resource_, FunctionSetAssignmentsList)
    assert [posted.path for posted in listener.posted] == ["/ntfy", "/ntfy"]
