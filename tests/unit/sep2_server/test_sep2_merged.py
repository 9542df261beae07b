"""Several lists that are shown as one: a page behind their end reads no row."""

from typing import Any, cast

from sep2_server.listing import _merged
from sep2_server.rows import Row, Span

SPANS = [Span(list_id=1), Span(list_id=2)]


class Two:
    """Lists of two items each, and how many rows were asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def count(self, span: Span) -> int:
        return 2

    def page(self, span: Span, *, limit: int) -> list[Row]:
        self.asked += limit
        keys = (bytes([number, span.list_id]) for number in range(2))
        return [Row(key[1], f"/{key.hex()}", "x", sort_key=key, body=key) for key in keys][:limit]


def page(reader: Two, skip: int, limit: int) -> list[bytes]:
    return _merged(cast("Any", reader), SPANS, skip, limit)


def test_items_are_in_the_order_of_their_keys() -> None:
    assert page(Two(), 1, 2) == [b"\x00\x02", b"\x01\x01"]


def test_a_page_behind_the_end_reads_no_row() -> None:
    reader = Two()
    assert page(reader, 4, 10) == page(reader, 10**18, 1) == []
    assert reader.asked == 0
    assert page(reader, 3, 10) == [b"\x01\x02"]
