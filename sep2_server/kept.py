"""Answers that are kept to be given again."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from function_sets import Route
from sep2_server.messages import Answer
from sep2_server.rows import Row
from sep2_server.shelf import OCTETS_OF_TOKEN, Token
from sep2_server.shown_items import OCTETS_OF_PART, Parts

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
