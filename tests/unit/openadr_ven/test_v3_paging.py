"""A list is walked page by page, and is complete only if nothing can have been missed."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from openadr_ven.v3.errors import UnreadableError
from openadr_ven.v3.paging import MOST_OBJECTS, TRIES, Walked, walk

Pages = Callable[[int, list[dict[str, Any]]], object]


def objects(count: int) -> list[dict[str, Any]]:
    return [{"id": f"{number}"} for number in range(count)]


def walked(pages: Pages, count: int) -> tuple[Walked, list[int]]:
    asked: list[int] = []

    async def fetch(skip: int) -> object:
        asked.append(skip)
        return pages(skip, objects(count))

    return asyncio.run(walk(fetch)), asked


def paged(skip: int, found: list[dict[str, Any]]) -> object:
    return found[skip : skip + 50]


@pytest.mark.parametrize(
    ("count", "asked"),
    [(0, [0]), (1, [0, 0]), (50, [0, 49]), (51, [0, 49, 50]), (120, [0, 49, 98, 119])],
)
def test_pages_overlap_by_one_and_the_last_brings_nothing_new(count: int, asked: list[int]) -> None:
    found, skips = walked(paged, count)

    assert found == Walked(tuple(objects(count)), is_complete=True)
    assert skips == asked


def test_vtn_with_shorter_pages_is_walked_to_its_end() -> None:
    found, _ = walked(lambda skip, found: found[skip : skip + 7], 30)

    assert found == Walked(tuple(objects(30)), is_complete=True)


@pytest.mark.parametrize("count", [30, 60, 300])
def test_vtn_that_does_not_page_has_said_all_at_once(count: int) -> None:
    found, _ = walked(lambda _, found: found, count)

    assert found == Walked(tuple(objects(count)), is_complete=True)


FAULTS: dict[str, Pages] = {
    "lost": lambda skip, found: [] if skip == 49 else paged(skip, found),
    "twice": lambda _, found: found[:50],
    "moved up": lambda skip, found: found[skip + 1 : skip + 51] if skip else found[:50],
    "moved down": lambda skip, found: [{"id": "new"}, *found][skip : skip + 50] if skip else found[:50],
    "loop": lambda skip, found: [found[skip], *found[:9]] if skip else found[:50],
}


@pytest.mark.parametrize("name", FAULTS)
def test_list_of_which_something_may_be_missed_is_walked_anew_and_then_not_complete(name: str) -> None:
    found, asked = walked(FAULTS[name], 120)

    assert not found.is_complete
    assert asked.count(0) == TRIES


def test_list_that_moves_once_is_complete_in_the_end() -> None:
    calls: list[int] = []

    def once(skip: int, found: list[dict[str, Any]]) -> object:
        calls.append(skip)
        return [] if len(calls) == 2 else paged(skip, found)

    assert walked(once, 120)[0] == Walked(tuple(objects(120)), is_complete=True)


def test_endless_list_is_bounded() -> None:
    def endless(skip: int, _: list[dict[str, Any]]) -> object:
        return [{"id": f"{number}"} for number in range(skip, skip + 50)]

    found, asked = walked(endless, 0)

    assert MOST_OBJECTS <= len(found.items) < MOST_OBJECTS + 50
    assert not found.is_complete
    assert asked.count(0) == 1


def test_objects_without_an_id_are_told_by_all_they_have() -> None:
    found, _ = walked(lambda skip, _: [7, {"a": 1}, {"a": 2}][skip:], 0)

    assert found.is_complete


@pytest.mark.parametrize("page", [None, {}, "text", 7])
def test_page_that_is_no_list_is_unreadable(page: object) -> None:
    with pytest.raises(UnreadableError):
        walked(lambda *_: page, 0)
