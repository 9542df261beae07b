"""EndDevices that are kept for pages, and what tells that a page is still right."""

from sep2_server.shelf import Recall
from sep2_server.shown_items import Parts, ShownItem, ShownItems

SEER = (7, None)
ROOM = 10_000


def item(*tokens: int, body: bytes = b"<EndDevice/>", until: int = 100) -> ShownItem:
    return ShownItem(body, frozenset(tokens), 10, until)


def test_an_item_is_for_who_saw_it_and_as_long_as_time_lets_it() -> None:
    items = ShownItems(ROOM)
    kept = item(1)
    assert items.put(SEER, 1, kept, None)
    assert items.of(SEER, [1, 2], 50) == [kept, None]
    assert items.of(SEER, [1], 9) == items.of(SEER, [1], 100) == [None]
    assert items.of((7, 3), [1], 50) == items.of((8, None), [1], 50) == [None]


def test_what_was_made_from_items_is_right_until_one_of_them_is_forgotten() -> None:
    items = ShownItems(ROOM)
    first, second, other = item(1, 50), item(2, 50), item(3)
    for number, one in enumerate((first, second, other), 1):
        items.put(SEER, number, one, None)
    both, alone = Parts([first, second]), Parts([other])
    assert len(both) == 2
    items.drop([99])
    assert both.are_right(items.forgotten)
    items.drop([2])
    assert not both.are_right(items.forgotten)
    assert alone.are_right(items.forgotten)
    assert Parts([]).are_right(items.forgotten)


def test_an_item_that_makes_room_or_is_made_anew_takes_its_pages_with_it() -> None:
    items = ShownItems(ROOM)
    first = item(1)
    items.put(SEER, 1, first, None)
    page = Parts([first])
    again = item(1)
    items.put(SEER, 1, again, None)
    assert not page.are_right(items.forgotten)
    page = Parts([again])
    assert page.are_right(items.forgotten)
    items.put(SEER, 2, item(2, body=b"x" * (ROOM - 900)), None)
    assert not page.are_right(items.forgotten)
    assert items.octets <= ROOM


def test_an_item_that_is_wrong_by_now_is_not_kept() -> None:
    recall = Recall()
    items = ShownItems(ROOM, recall)
    since = recall.now
    recall.hear([5])
    assert not items.put(SEER, 1, item(5), since)
    assert items.put(SEER, 1, item(6), since)
