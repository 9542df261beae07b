"""A server that comes back with other profiles, or at other paths, tells who subscribed to what was there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from operator import methodcaller
from pathlib import Path
from typing import Any

import pytest

from certs import Pki
from schemas import BASE
from sep2_server.notifications.definitions import NOTED
from tests.integration.notifications.listening import Listener, listening, settled, wish
from tests.integration.sep2_harness import Bench, Client, running

STORED = pytest.mark.usefixtures("each_database")
"""Of tests that lean on the store: on SQLite and on PostgreSQL."""
OLD: dict[str, Any] = {"mounts": {"/aus12": "csip_aus_v1.2", "/aus13": "csip_aus_v1.3"}}


@asynccontextmanager
async def server(folder: Path, pki: Pki, changes: dict[str, Any]) -> AsyncIterator[Bench]:
    async with running(
        folder, pki, notification_gap_ms=0, notification_hosts="127.0.0.1", **changes
    ) as bench:
        yield bench


async def subscribed_at(bench: Bench, listener: Listener, prefixes: list[str]) -> str:
    """Subscribe to the client's EndDevice at each path; its URI at the root."""
    row, client = await bench.device("one")
    for prefix in prefixes:
        at = Client(client._session, BASE)
        asked = wish(prefix + row.href, f"{listener.uri}{prefix}")
        assert (await at.post(f"{prefix}{row.href}/sub", asked)).status == 201
    return row.href


async def told_after(
    tmp_path: Path, pki: Pki, changes: dict[str, Any], prefixes: list[str]
) -> tuple[str, int, dict[str, tuple[int, str | None]]]:
    """What is told at each path once the server came back changed; the others are told the next change.

    URI of the device, port of the first server, and by path the status and newResourceURI.
    """
    if not (pki.folder / "one").is_dir():
        pki.issue_device("one")
    async with listening(pki.credentials("one")) as listener:
        async with server(tmp_path, pki, OLD) as bench:
            href, port = await subscribed_at(bench, listener, prefixes), bench.server.port
        async with server(tmp_path, pki, changes) as bench:
            bench.server.notifications.wake()
            await settled(bench)
            found = {
                posted.path.removeprefix("/ntfy"): (note.status, note.newResourceURI)
                for posted in listener.posted
                for note in [posted.decoded()]
            }
            assert len(found) == len(listener.posted)
            left = bench.store.reader.ledger.subscriptions()
            assert {one.mount for one in left} == set(prefixes) - found.keys()
            row = bench.store.reader.by_href(href)
            assert row is not None
            await bench.store.do(lambda tx: tx.replace(row, row))
            await settled(bench)
            after = [posted.path.removeprefix("/ntfy") for posted in listener.posted[len(found) :]]
            assert sorted(after) == sorted(one.mount for one in left)
    return href, port, found


@STORED
async def test_a_profile_that_is_at_another_path_has_moved(tmp_path: Path, sep2_pki: Pki) -> None:
    changes = {"mounts": {"/aus12": "csip_aus_v1.2", "/new13": "csip_aus_v1.3"}}
    href, port, found = await told_after(tmp_path, sep2_pki, changes, ["", "/aus12", "/aus13"])
    assert found == {"/aus13": (2, f"https://127.0.0.1:{port}/new13{href}")}


@STORED
async def test_a_path_that_serves_another_version_has_another_definition(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    changes = {"mounts": {"/aus12": "csip_aus_v1.3", "/aus13": "csip_aus_v1.3"}}
    _, _, found = await told_after(tmp_path, sep2_pki, changes, ["", "/aus12", "/aus13"])
    assert found == {"/aus12": (3, None)}


@STORED
async def test_a_profile_that_is_served_no_more_has_no_definition(tmp_path: Path, sep2_pki: Pki) -> None:
    changes = {"mounts": {"/aus12": "csip_aus_v1.2"}}
    _, _, found = await told_after(tmp_path, sep2_pki, changes, ["", "/aus12", "/aus13"])
    assert found == {"/aus13": (3, None)}


async def test_a_path_that_was_never_noted_and_is_gone_is_told_too(tmp_path: Path, sep2_pki: Pki) -> None:
    if not (sep2_pki.folder / "one").is_dir():
        sep2_pki.issue_device("one")
    async with listening(sep2_pki.credentials("one")) as listener:
        async with server(tmp_path, sep2_pki, OLD) as bench:
            await subscribed_at(bench, listener, ["", "/aus13"])
            for prefix in ("", "/aus12", "/aus13"):
                await bench.store.do(methodcaller("delete_option", NOTED + prefix))
        async with server(tmp_path, sep2_pki, {"mounts": {"/aus12": "csip_aus_v1.2"}}):
            note = await listener.next()
    assert (note.status, len(listener.posted), listener.posted[0].path) == (3, 1, "/ntfy/aus13")


async def test_the_same_paths_and_versions_tell_nothing(tmp_path: Path, sep2_pki: Pki) -> None:
    _, _, found = await told_after(tmp_path, sep2_pki, OLD, ["", "/aus12", "/aus13"])
    assert found == {}


async def test_rules_that_leave_the_schema_alone_tell_nothing(tmp_path: Path, sep2_pki: Pki) -> None:
    _, _, found = await told_after(tmp_path, sep2_pki, {**OLD, "profile": "base"}, ["", "/aus13"])
    assert found == {}
