"""A page of objects: what cannot be read stands beside what can."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from openadr_ven.v3.errors import FlawError, UnreadableError

T = TypeVar("T")
MOST_ON_PAGE: Final = 5_000
"""A page has 50; a VTN that does not page sends all at once."""


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """Objects in their order, and why others could not even be told by their id."""

    objects: tuple[T, ...]
    flaws: tuple[str, ...] = ()


def read_list(found: object, read_one: Callable[[object], T], *, most: int = MOST_ON_PAGE) -> Listed[T]:
    """All objects of a page. Raises UnreadableError for what is no list, or too long."""
    if not isinstance(found, list):
        raise UnreadableError("no list of objects")
    if len(found) > most:
        raise UnreadableError(f"{len(found)} objects on one page are too many")
    objects: list[T] = []
    flaws: list[str] = []
    for one in found:
        try:
            objects.append(read_one(one))
        except FlawError as flaw:
            flaws.append(str(flaw))
    return Listed(tuple(objects), tuple(flaws))
