import pytest

from der_client.list_pages import ListPages, items_attribute, items_of, page_all, with_query
from schemas import DERControlList, EndDevice, EndDeviceList, Time


def _page(total: int, *hrefs: str) -> EndDeviceList:
    items = [EndDevice(href=href, sFDI=1, changedTime=0) for href in hrefs]
    return EndDeviceList(all=total, results=len(items), EndDevice_=items)


def test_a_list_is_read_in_pages_of_255() -> None:
    pages: ListPages[EndDeviceList] = ListPages()

    assert pages.next_query() == "s=0&l=255"


def test_the_next_page_starts_after_what_the_last_one_held() -> None:
    pages: ListPages[EndDeviceList] = ListPages()
    pages.take(_page(3, "/a", "/b"))

    assert pages.next_query() == "s=2&l=255"


def test_pages_make_the_whole_list_in_order() -> None:
    pages: ListPages[EndDeviceList] = ListPages()
    pages.take(_page(3, "/a", "/b"))
    pages.take(_page(3, "/c"))

    assert pages.next_query() is None
    assert [item.href for item in pages.whole().EndDevice_] == ["/a", "/b", "/c"]


def test_an_item_that_moved_between_two_pages_counts_once() -> None:
    pages: ListPages[EndDeviceList] = ListPages()
    pages.take(_page(4, "/a", "/b"))
    pages.take(_page(4, "/b", "/c"))

    assert [item.href for item in pages.whole().EndDevice_] == ["/a", "/b", "/c"]


@pytest.mark.parametrize(
    ("second", "is_torn"),
    [
        pytest.param(_page(3, "/c"), False, id="the same list"),
        pytest.param(
            _page(2, "/d"), True, id="an item has gone, and another moved into a page that was read"
        ),
        pytest.param(_page(4, "/c", "/d"), True, id="an item has come"),
        pytest.param(_page(3, "/b"), True, id="one has gone and one has come"),
    ],
)
def test_a_list_that_changes_between_two_pages_is_torn(second: EndDeviceList, *, is_torn: bool) -> None:
    pages: ListPages[EndDeviceList] = ListPages()
    pages.take(_page(3, "/a", "/b"))
    pages.take(second)

    assert pages.is_torn is is_torn


def test_a_torn_list_is_filled_from_an_earlier_reading_with_what_it_has_not() -> None:
    former: ListPages[EndDeviceList] = ListPages()
    pages: ListPages[EndDeviceList] = ListPages()
    former.take(_page(3, "/a", "/b"))
    former.take(_page(3, "/b"))
    newer = EndDevice(href="/b", sFDI=2, changedTime=9)
    pages.take(EndDeviceList(all=3, results=2, EndDevice_=[EndDevice(sFDI=3, changedTime=9), newer]))
    pages.fill(former)

    found = [(item.href, item.changedTime) for item in pages.whole().EndDevice_]
    assert found == [(None, 9), ("/b", 9), ("/a", 0)]


def test_an_empty_page_ends_a_list_that_promises_more() -> None:
    pages: ListPages[EndDeviceList] = ListPages()
    pages.take(_page(4, "/a"))
    pages.take(_page(4))

    assert pages.next_query() is None


def test_a_list_of_which_no_page_was_taken_is_no_list() -> None:
    with pytest.raises(LookupError):
        ListPages[EndDeviceList]().whole()


def test_items_are_found_by_the_declaration() -> None:
    assert items_attribute(DERControlList) == "DERControl_"
    assert items_attribute(Time) is None
    assert items_of(None) == []
    assert page_all(EndDevice(sFDI=1, changedTime=0)) == 0


@pytest.mark.parametrize(("href", "asked"), [("/edev", "/edev?s=0"), ("/edev?x=1", "/edev?x=1&s=0")])
def test_a_query_is_added_to_a_link(href: str, asked: str) -> None:
    assert with_query(href, "s=0") == asked
