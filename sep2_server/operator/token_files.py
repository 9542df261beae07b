"""Files of the tokens, both mode 0600: the hashes that the server knows, the first operator's secret."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from sep2_server.operator.auth import Role, Token, make_secret, token_of
from sep2_server.operator.errors import Conflict, NotFound

TOKENS_FILE: Final = "operator_tokens.json"
FIRST_FILE: Final = "operator.token"
FIRST_NAME: Final = "operator"


def open_tokens(folder: Path, random_bits: Callable[[int], int]) -> tuple[Token, ...]:
    """The tokens of a data folder; at the first start one is made and its secret left in `operator.token`."""
    if not (folder / TOKENS_FILE).exists():
        secret = add_token(folder, FIRST_NAME, Role.OPERATOR, random_bits)
        write_secret(folder / FIRST_FILE, secret + "\n")
    return read_tokens(folder)


def read_tokens(folder: Path) -> tuple[Token, ...]:
    """The tokens that the server knows. ValueError where the file is not as it was written."""
    path = folder / TOKENS_FILE
    if not path.exists():
        return ()
    try:
        rows = json.loads(path.read_text())["tokens"]
        return tuple(Token(name=r["name"], role=Role(r["role"]), sha256=r["sha256"]) for r in rows)
    except (ValueError, KeyError, TypeError) as flaw:
        raise ValueError(
            f"{path}: not a file of tokens ({flaw}); restore it or remove it to begin anew"
        ) from flaw


def add_token(folder: Path, name: str, role: Role, random_bits: Callable[[int], int]) -> str:
    """A new secret under this name, to be shown once. Conflict where the name is taken."""
    tokens = read_tokens(folder)
    if any(token.name == name for token in tokens):
        raise Conflict(
            f"a token named {name!r} exists", f"remove it first: lineside server token {name} --remove"
        )
    secret = make_secret(random_bits)
    _write_tokens(folder, (*tokens, token_of(name, role, secret)))
    return secret


def remove_token(folder: Path, name: str) -> None:
    """Forget a token. NotFound where no token has the name."""
    tokens = read_tokens(folder)
    rest = tuple(token for token in tokens if token.name != name)
    if len(rest) == len(tokens):
        names = ", ".join(token.name for token in tokens) or "none"
        raise NotFound(f"no token is named {name!r}", f"there are: {names}")
    _write_tokens(folder, rest)


def write_secret(path: Path, text: str) -> None:
    """Write a file that its owner alone may read, in one step: a reader sees the old or the new one."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as out:
        out.write(text)
        out.flush()
        os.fsync(file)
    new.replace(path)


def _write_tokens(folder: Path, tokens: Sequence[Token]) -> None:
    rows = [{"name": t.name, "role": t.role.value, "sha256": t.sha256} for t in tokens]
    write_secret(folder / TOKENS_FILE, json.dumps({"tokens": rows}, indent=1) + "\n")
