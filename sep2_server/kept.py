"""Answers that are kept to be given again."""

from collections.abc import Collection, Hashable
from dataclasses import dataclass
from typing import Final

from function_sets import Route
from sep2_server.messages import Answer
from sep2_server.rows import Row
from sep2_server.shelf import OCTETS_OF_TOKEN, Token
from sep2_server.shown_items import OCTETS_OF_PART, Parts

LARGE: Final = 16_384
"""An answer with a body of more octets is kept once it is asked for again."""
_OCTETS_BESIDE: Final = 1000
"""About what an answer that is kept costs beside its body, tokens and parts."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer to be given again: to whom, and from when until before when it is right.

    `speaker` is the EndDevice of the aggregator that got it and is not its owner.
    """

    answer: Answer
    route: Route
    owner_id: int | None
    row: Row | None
    speaker: int | None
    made: int
    until: int
    parts: Parts

    def is_right(self, now: int, forgotten: int) -> bool:
        """Whether time and what has been `forgotten` of its items, see ShownItems, have left it right."""
        return self.made <= now < self.until and self.parts.are_right(forgotten)

    def octets(self, tokens: Collection[Token]) -> int:
        """Memory that it takes with the tokens that it was made from, roughly."""
        beside = _OCTETS_BESIDE + OCTETS_OF_TOKEN * len(tokens) + OCTETS_OF_PART * len(self.parts)
        return len(self.answer.body) + beside


class Asked:
    """What was asked for lately: at least `most` keys, at most twice as many.

    Who walks a long list once, page by page, leaves the answers to others where they are.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._late: set[int] = set()
        self._early: set[int] = set()

    def again(self, key: Hashable) -> bool:
        """Whether a key was asked for before; from now on it was."""
        mark = hash(key)
        is_known = mark in self._late or mark in self._early
        self._late.add(mark)
        if len(self._late) > self._most:
            self._early, self._late = self._late, set()
        return is_known
