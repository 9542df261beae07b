"""Idempotency-Keys: how they look, and those that a command gives to its requests. Standard library only."""

import re
import secrets
from itertools import count
from typing import Final

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
"""Header of an answer that was given before."""
UNDECIDED: Final = "store-undecided"
"""Word of the refusal of what may have been done: it is to be asked for again with its key."""
MOST_CHARACTERS: Final = 64
MOST_GIVEN: Final = 54
"""Most characters of a key that a command is given: a number may follow."""
PATTERN: Final = f"^[!-~]{{1,{MOST_CHARACTERS}}}$"
_KEY: Final = re.compile(f"[!-~]{{1,{MOST_CHARACTERS}}}")


def is_key(text: str) -> bool:
    """Whether a text is 1 to 64 visible characters of ASCII, without spaces."""
    return _KEY.fullmatch(text) is not None


class Keys:
    """Keys of the requests of one command: `first` itself, then `first` with a number.

    So a command that is repeated with the key of the first time gives its requests the keys of that time.
    """

    def __init__(self, first: str | None = None) -> None:
        self.first = first or secrets.token_hex(16)
        self._numbers = count(1)

    def next(self) -> str:
        """The key of the next request."""
        number = next(self._numbers)
        return self.first if number == 1 else f"{self.first}.{number}"
