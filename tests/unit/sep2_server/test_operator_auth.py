"""Tokens, roles and failed attempts."""

import contextlib
import stat
from pathlib import Path

import pytest

from sep2_server.operator.attempts import Attempts
from sep2_server.operator.auth import Role, Token, caller, make_secret, require, token_of
from sep2_server.operator.errors import Conflict, Forbidden, NotFound, Unauthorized
from sep2_server.operator.token_files import (
    add_token,
    note_use,
    open_tokens,
    read_tokens,
    read_uses,
    remove_token,
)

SECRET = "ab" * 32
TOKENS = (token_of("first", Role.OPERATOR, "cd" * 32), token_of("second", Role.VIEWER, SECRET))


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
    assert caller(tokens, f"Bearer {secret}").role is Role.ADMIN
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


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("least", list(Role))
def test_a_role_may_do_what_those_below_it_may(role: Role, least: Role) -> None:
    order = [Role.VIEWER, Role.OPERATOR, Role.ADMIN]
    token = token_of("x", role, SECRET)
    refused = order.index(role) < order.index(least)
    with pytest.raises(Forbidden) if refused else contextlib.nullcontext():
        require(token, least)


@pytest.mark.parametrize(("now", "is_known"), [(99, True), (100, False), (101, False)])
def test_a_token_ends_at_the_second_of_its_expiry(now: int, is_known: bool) -> None:
    tokens = (token_of("brief", Role.VIEWER, SECRET, expires=100),)
    with contextlib.nullcontext() if is_known else pytest.raises(Unauthorized, match="'brief' has expired"):
        assert caller(tokens, f"Bearer {SECRET}", now).name == "brief"


def test_the_last_use_is_kept(tmp_path: Path) -> None:
    note_use(tmp_path, "a", 5)
    note_use(tmp_path, "b", 6)
    assert read_uses(tmp_path) == {"a": 5, "b": 6}


@pytest.mark.parametrize("text", ["", "[]", '{"a": "x"}'])
def test_damaged_uses_are_forgotten(tmp_path: Path, text: str) -> None:
    (tmp_path / "operator_token_uses.json").write_text(text)
    assert read_uses(tmp_path) == {}


def test_an_address_waits_after_ten_failures_and_may_then_try_again() -> None:
    attempts = Attempts()
    lines = [attempts.failed("a", 100.0) for _ in range(10)]
    assert lines == [True, *[False] * 8, True]
    assert (attempts.wait_s("a", 130.0), attempts.wait_s("b", 130.0)) == (31, 0)
    assert attempts.wait_s("a", 160.0) == 0


def test_refused_attempts_add_few_lines_to_the_log() -> None:
    attempts = Attempts()
    assert sum(attempts.failed(f"address {n}", 0.0) for n in range(1000)) == 60
    assert attempts.failed("later", 61.0)
