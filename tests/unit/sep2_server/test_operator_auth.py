"""Tokens and the audit log."""

import json
import os
import stat
from pathlib import Path

import pytest

from sep2_server.operator.audit import AuditLog, Entry
from sep2_server.operator.auth import Role, Token, caller, make_secret, require, token_of
from sep2_server.operator.errors import AuditFailed, Conflict, Forbidden, NotFound, Unauthorized
from sep2_server.operator.token_files import add_token, open_tokens, read_tokens, remove_token

SECRET = "ab" * 32
TOKENS = (token_of("first", Role.OPERATOR, "cd" * 32), token_of("second", Role.VIEWER, SECRET))
ENTRY = Entry(time=1_700_000_000, who="operator", action="enrol", target="north", outcome="done")
LINE = {
    "time": "2023-11-14T22:13:20Z",
    "who": "operator",
    "action": "enrol",
    "target": "north",
    "outcome": "done",
}


def bits(count: int) -> int:
    return (1 << count) - 2


def test_a_secret_is_256_bits_in_hex() -> None:
    assert make_secret(lambda count: count) == f"{256:064x}"


def test_a_bearer_token_names_its_caller() -> None:
    assert caller(TOKENS, f"Bearer {SECRET}").name == "second"


@pytest.mark.parametrize("header", [None, "", "Basic x", f"Bearer {SECRET[1:]}", f"Bearer {SECRET} x"])
def test_a_request_without_a_token_is_refused(header: str | None) -> None:
    with pytest.raises(Unauthorized, match="the request carries no bearer token"):
        caller(TOKENS, header)


def test_an_unknown_token_is_refused() -> None:
    with pytest.raises(Unauthorized, match="this server does not know the token"):
        caller(TOKENS, f"Bearer {'00' * 32}")


def test_a_viewer_may_not_act() -> None:
    with pytest.raises(Forbidden, match="the token 'second' may only read"):
        require(TOKENS[1], Role.OPERATOR)


@pytest.mark.parametrize("token", TOKENS)
def test_every_token_may_read(token: Token) -> None:
    require(token, Role.VIEWER)


def test_the_first_start_makes_a_token_and_leaves_its_secret_to_the_owner_alone(tmp_path: Path) -> None:
    tokens = open_tokens(tmp_path, bits)
    secret = (tmp_path / "operator.token").read_text().strip()
    assert caller(tokens, f"Bearer {secret}").role is Role.OPERATOR
    assert secret not in (tmp_path / "operator_tokens.json").read_text()
    modes = {stat.S_IMODE((tmp_path / n).stat().st_mode) for n in ("operator.token", "operator_tokens.json")}
    assert modes == {0o600}


def test_a_later_start_keeps_the_tokens(tmp_path: Path) -> None:
    first = open_tokens(tmp_path, bits)
    assert open_tokens(tmp_path, lambda count: 5) == first


def test_a_further_token_may_be_added_and_removed(tmp_path: Path) -> None:
    secret = add_token(tmp_path, "control room", Role.VIEWER, bits)
    assert caller(read_tokens(tmp_path), f"Bearer {secret}").name == "control room"
    remove_token(tmp_path, "control room")
    assert read_tokens(tmp_path) == ()


def test_a_name_is_given_once(tmp_path: Path) -> None:
    add_token(tmp_path, "a", Role.VIEWER, bits)
    with pytest.raises(Conflict, match="a token named 'a' exists"):
        add_token(tmp_path, "a", Role.OPERATOR, bits)


def test_an_unknown_token_cannot_be_removed(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no token is named 'b'"):
        remove_token(tmp_path, "b")


def test_a_damaged_token_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "operator_tokens.json").write_text("{}")
    with pytest.raises(ValueError, match="not a file of tokens"):
        read_tokens(tmp_path)


def test_an_audit_entry_is_one_line_that_is_appended(tmp_path: Path) -> None:
    for _ in range(2):
        log = AuditLog.open(tmp_path / "audit.jsonl")
        log.append(ENTRY)
        log.close()
    lines = (tmp_path / "audit.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [LINE, LINE]
    assert stat.S_IMODE((tmp_path / "audit.jsonl").stat().st_mode) == 0o600


def test_a_line_that_was_cut_short_does_not_spoil_the_next(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").write_text('{"time": "20')
    log = AuditLog.open(tmp_path / "audit.jsonl")
    log.append(ENTRY)
    log.close()
    lines = (tmp_path / "audit.jsonl").read_text().splitlines()
    assert (lines[0], json.loads(lines[1])) == ('{"time": "20', LINE)


def test_a_log_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(AuditFailed, match="Is a directory") as caught:
        AuditLog.open(tmp_path)
    assert caught.value.hint.startswith("nothing was done")


def test_a_log_on_a_full_disk_refuses() -> None:
    log = AuditLog.open(Path("/dev/full"))
    with pytest.raises(AuditFailed, match="No space left on device"):
        log.append(ENTRY)
    log.close()


def test_a_closed_log_refuses(tmp_path: Path) -> None:
    log = AuditLog.open(tmp_path / "audit.jsonl")
    log.close()
    with pytest.raises(AuditFailed, match="Bad file descriptor"):
        log.append(ENTRY)


def test_a_line_that_is_written_in_part_refuses_and_does_not_spoil_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AuditLog.open(tmp_path / "audit.jsonl")
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, data: write(file, data[:9]))
        with pytest.raises(AuditFailed, match="only a part of the line was written"):
            log.append(ENTRY)
    log.append(ENTRY)
    log.close()
    lines = (tmp_path / "audit.jsonl").read_text().splitlines()
    assert (lines[0], json.loads(lines[1])) == ('{"time": ', LINE)
