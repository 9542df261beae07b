"""The memory of what was made from stored resources."""

from sep2_server.rows import Change
from sep2_server.shelf import Shelf, tokens_of


def test_a_value_is_kept_until_one_of_its_tokens_is_dropped() -> None:
    shelf: Shelf[str, int] = Shelf(10, 100)
    shelf.put("a", 1, {7, (8, 0)})
    shelf.put("b", 2, {7})
    shelf.put("c", 3, {9})
    assert [shelf.get(key) for key in "abcd"] == [1, 2, 3, None]
    shelf.drop([(8, 0), 77])
    assert [shelf.get(key) for key in "abc"] == [None, 2, 3]
    shelf.drop([7, 9])
    assert len(shelf) == 0


def test_the_least_recently_used_goes_first() -> None:
    shelf: Shelf[str, int] = Shelf(2, 100)
    shelf.put("a", 1, {1})
    shelf.put("b", 2, {1})
    assert shelf.get("a") == 1
    shelf.put("c", 3, {1})
    assert [shelf.get(key) for key in "abc"] == [1, None, 3]


def test_a_value_that_is_put_again_has_its_new_tokens_alone() -> None:
    shelf: Shelf[str, int] = Shelf(2, 100)
    shelf.put("a", 1, {1})
    shelf.put("a", 2, {2})
    shelf.drop([1])
    assert shelf.get("a") == 2
    shelf.clear()
    assert shelf.get("a") is None


def test_a_change_touches_its_resource_and_its_list() -> None:
    changes = [Change(0, 5, "LogEvent", 4, 0, 3, 1), Change(0, 6, "EndDevice", None, 0, 6, 0)]
    assert tokens_of(changes) == {5, (4, 0), 6}


def test_the_sizes_of_what_is_kept_are_bounded_together() -> None:
    shelf: Shelf[str, int] = Shelf(10, 100)
    shelf.put("a", 1, {7}, 60)
    shelf.put("b", 2, {7}, 30)
    shelf.put("b", 3, {7}, 40)
    assert [shelf.get(key) for key in "ab"] == [1, 3]
    shelf.put("c", 4, {8}, 50)
    assert [shelf.get(key) for key in "abc"] == [None, 3, 4]
    shelf.put("d", 5, {8}, 101)
    assert (len(shelf), shelf.octets) == (0, 0)
    shelf.put("e", 6, {8}, 100)
    shelf.drop([8])
    assert shelf.octets == 0
