"""Registers as last read, each with its time."""

import pytest

from der_client.sunspec.register_cache import RegisterCache


def filled() -> RegisterCache:
    cache = RegisterCache(2.0)
    cache.keep(100, (1, 2, 3), 0.0)
    cache.keep(103, (4,), 1.5)
    return cache


@pytest.mark.parametrize(
    ("address", "count", "now_s", "words"),
    [
        (100, 3, 2.0, (1, 2, 3)),
        (101, 3, 1.5, (2, 3, 4)),
        (100, 4, 2.1, None),
        (103, 1, 3.5, (4,)),
        (103, 2, 1.5, None),
        (99, 1, 0.0, None),
    ],
)
def test_registers_are_there_if_all_are_young_enough(
    address: int, count: int, now_s: float, words: tuple[int, ...] | None
) -> None:
    assert filled().words(address, count, now_s) == words


def test_registers_that_were_written_are_forgotten() -> None:
    cache = filled()
    cache.drop(101, 2)
    assert [cache.words(at, 1, 1.5) for at in range(100, 104)] == [(1,), None, None, (4,)]
