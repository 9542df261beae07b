"""Files of the tokens, all mode 0600: the hashes that the server knows, their last use, the first secret."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sep2_server.folders import PRIVATE, give_to_owner_of, open_private
from sep2_server.operator.auth import Role, Token, make_secret, token_of
from sep2_server.operator.errors import Conflict, NotFound

TOKENS_FILE: Final = "operator_tokens.json"
USES_FILE: Final = "operator_token_uses.json"
LOCK_FILE: Final = ".operator_tokens.lock"
FIRST_FILE: Final = "operator.token"
FIRST_NAME: Final = "operator"
_NAMES: Final = ("name", "sha256", "created", "expires")


class TokensUnreadable(OSError, ValueError):
    """The file of the tokens is not as it was written."""


def open_tokens(folder: Path, random_bits: Callable[[int], int]) -> tuple[Token, ...]:
    """The tokens of a data folder; at the first start one is made and its secret left in `operator.token`."""
    if not (folder / TOKENS_FILE).exists():
        secret = add_token(folder, FIRST_NAME, Role.ADMIN, random_bits)
        write_secret(folder / FIRST_FILE, secret + "\n")
    return read_tokens(folder)


def read_tokens(folder: Path) -> tuple[Token, ...]:
    """The tokens that the server knows. TokensUnreadable where the file is not as it was written."""
    path = folder / TOKENS_FILE
    if not path.exists():
        return ()
    try:
        rows = json.loads(path.read_text())["tokens"]
        return tuple(_token(row) for row in rows)
    except (ValueError, KeyError, TypeError) as flaw:
        raise TokensUnreadable(
            f"{path}: not a file of tokens ({flaw}); restore it or remove it to begin anew"
        ) from flaw


def add_token(
    folder: Path,
    name: str,
    role: Role,
    random_bits: Callable[[int], int],
    *,
    created: int | None = None,
    expires: int | None = None,
) -> str:
    """A new secret under this name, to be shown once. Conflict where the name is taken."""
    with _locked(folder):
        tokens = read_tokens(folder)
        if any(token.name == name for token in tokens):
            raise Conflict(
                f"a token named {name!r} exists", f"remove it first: lineside server token {name} --remove"
            )
        secret = make_secret(random_bits)
        _write_tokens(folder, (*tokens, token_of(name, role, secret, created=created, expires=expires)))
    return secret


def remove_token(folder: Path, name: str) -> None:
    """Forget a token. NotFound where no token has the name."""
    with _locked(folder):
        tokens = read_tokens(folder)
        rest = tuple(token for token in tokens if token.name != name)
        if len(rest) == len(tokens):
            names = ", ".join(token.name for token in tokens) or "none"
            raise NotFound(f"no token is named {name!r}", f"there are: {names}")
        _write_tokens(folder, rest)


def read_uses(folder: Path) -> dict[str, int]:
    """When each token was last used, s since 1970 UTC; what cannot be read is forgotten."""
    try:
        held = json.loads((folder / USES_FILE).read_text())
    except (OSError, ValueError):
        return {}
    return {name: at for name, at in held.items() if isinstance(at, int)} if isinstance(held, dict) else {}


def note_use(folder: Path, name: str, now: int) -> None:
    """Write that a token was used at `now`, s since 1970 UTC."""
    with _locked(folder):
        write_secret(folder / USES_FILE, json.dumps({**read_uses(folder), name: now}) + "\n")


def write_secret(path: Path, text: str) -> None:
    """Write a file that its owner alone may read, in one step: a reader sees the old or the new one."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(file, "w") as out:
        give_to_owner_of(path if path.exists() else path.parent, file)
        out.write(text)
        out.flush()
        os.fsync(file)
    new.replace(path)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """No other process changes the files meanwhile."""
    lock = open_private(folder / LOCK_FILE, os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _token(row: dict[str, Any]) -> Token:
    return Token(
        name=row["name"],
        role=Role(row["role"]),
        sha256=row["sha256"],
        created=row.get("created"),
        expires=row.get("expires"),
    )


def _write_tokens(folder: Path, tokens: Sequence[Token]) -> None:
    rows = [{"role": t.role.value} | {n: getattr(t, n) for n in _NAMES} for t in tokens]
    write_secret(folder / TOKENS_FILE, json.dumps({"tokens": rows}, indent=1) + "\n")
