"""What root makes in the folder of another user belongs to that user, whose server has to open it."""

import os
from pathlib import Path

import pytest

from sep2_server.operator.audit import AuditLog
from sep2_server.operator.auth import Role
from sep2_server.operator.console import audited
from sep2_server.operator.token_files import add_token, note_use, open_tokens, remove_token

Given = dict[str, tuple[int, int]]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    """To whom root gave each file, by its name."""
    names: Given = {}

    def noted(number: int, uid: int, gid: int) -> None:
        names[Path(f"/proc/self/fd/{number}").readlink().name] = uid, gid

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", noted)
    return names


def bits(count: int) -> int:
    return (1 << count) - 2


def owner_of(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid


def test_what_root_makes_belongs_to_the_owner_of_the_folder(tmp_path: Path, given: Given) -> None:
    open_tokens(tmp_path, bits)
    with audited(tmp_path, "add token", "control-room"):
        note_use(tmp_path, "operator", 1_700_000_000)
    names = [".operator_tokens.json.new", ".operator.token.new", ".operator_token_uses.json.new"]
    names += [".operator_tokens.lock", "audit.jsonl", "audit.head"]
    assert given == dict.fromkeys(names, owner_of(tmp_path))


def test_what_root_replaces_keeps_its_owner(
    tmp_path: Path, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_token(tmp_path, "operator", Role.ADMIN, bits)
    given.clear()
    stat = Path.stat

    def of_another(path: Path, **how: bool) -> os.stat_result:
        found = stat(path, **how)
        if path.name != "operator_tokens.json":
            return found
        return os.stat_result((*found[:4], 4711, 4712, *found[6:10]))

    monkeypatch.setattr(Path, "stat", of_another)
    remove_token(tmp_path, "operator")
    assert given == {".operator_tokens.json.new": (4711, 4712)}


def test_what_is_there_is_not_given_to_anybody(tmp_path: Path, given: Given) -> None:
    (tmp_path / "elsewhere").touch()
    (tmp_path / "audit.jsonl").symlink_to(tmp_path / "elsewhere")
    AuditLog.open(tmp_path / "audit.jsonl").close()
    assert given == {"audit.head": owner_of(tmp_path)}
