"""The memory of what was made from stored resources."""

from sep2_server.rows import Change
from sep2_server.shelf import MOST_SPARED, Recall, Shelf, tokens_of


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


def test_room_is_made_in_a_few_steps_even_where_everything_is_in_use() -> None:
    shelf: Shelf[int, int] = Shelf(1000, 1000)
    for key in range(1000):
        shelf.put(key, key, ())
        assert shelf.get(key) == key
    assert shelf.put(1000, 1000, ()) == [MOST_SPARED]
    assert len(shelf) == 1000
    assert [shelf.get(key) for key in range(MOST_SPARED + 1)] == [*range(MOST_SPARED), None]


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
    assert (len(shelf), shelf.octets) == (2, 90)
    shelf.put("b", 5, {8}, 101)
    assert [shelf.get(key) for key in "bcd"] == [None, 4, None]
    shelf.put("e", 6, {8}, 100)
    shelf.drop([8])
    assert shelf.octets == 0


def test_what_became_wrong_while_it_was_made_is_not_kept() -> None:
    recall = Recall()
    shelf: Shelf[str, int] = Shelf(10, 100, recall)
    since = recall.now
    recall.hear([7])
    shelf.drop([7])
    shelf.put("a", 1, {7, 8}, since=since)
    shelf.put("b", 2, {8}, since=since)
    shelf.put("c", 3, {7}, since=recall.now)
    assert [shelf.get(key) for key in "abc"] == [None, 2, 3]
    recall.hear_all()
    shelf.put("d", 4, {9}, since=since)
    assert shelf.get("d") is None


def test_what_is_older_than_the_recall_is_not_kept() -> None:
    recall = Recall(most=2)
    for token in (1, 2):
        recall.hear([token])
    assert recall.is_sound(frozenset({9}), 0)
    recall.hear([3])
    assert not recall.is_sound(frozenset({9}), 0)
    assert recall.is_sound(frozenset({9}), 1)
    assert not recall.is_sound(frozenset({9, 2}), 1)


def test_all_values_are_found_by_their_keys_and_count_as_used() -> None:
    shelf: Shelf[str, int] = Shelf(3, 100)
    for number, key in enumerate("abc"):
        shelf.put(key, number, {number})
    assert shelf.get_all("abc") == [0, 1, 2]
    assert shelf.get_all("axc") == [0, None, 2]
    assert shelf.get_all("") == []
    shelf.put("d", 3, {3})
    assert len(shelf) == 3


def test_of_values_that_were_asked_for_together_those_stay_that_were_found() -> None:
    for keys in ("ab", "abx"):
        shelf: Shelf[str, int] = Shelf(3, 100)
        for number, key in enumerate("abc"):
            shelf.put(key, number, {number})
        shelf.get_all(keys)
        shelf.put("d", 3, {3})
        assert shelf.get_all("abcd") == [0, 1, None, 3]
