"""Ranges of files. RFC 9110, 13 and 14."""

import pytest

from sep2_server.errors import NotSatisfiable
from sep2_server.files.ranges import Piece, is_unchanged, piece_of

TAG = '"abc"'
WHOLE = Piece(0, 100, is_part=False)


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=90-", 90, 100),
        ("bytes=-10", 90, 100),
        ("bytes=-1000", 0, 100),
        ("bytes=99-99", 99, 100),
        ("bytes=50-1000", 50, 100),
        (" Bytes = 5-6 ", 5, 7),
    ],
)
def test_a_single_range_is_a_piece(asked: str, start: int, stop: int) -> None:
    assert piece_of(100, TAG, asked, None) == Piece(start, stop, is_part=True)


@pytest.mark.parametrize(
    "asked", [None, "", "bytes=-", "bytes=0-1,5-6", "lines=0-9", "bytes=9-5", "bytes=a-b", "bytes=1-2x"]
)
def test_what_is_no_single_range_is_the_whole_file(asked: str | None) -> None:
    assert piece_of(100, TAG, asked, None) == WHOLE


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_behind_the_end_is_not_satisfiable(asked: str) -> None:
    with pytest.raises(NotSatisfiable) as caught:
        piece_of(100, TAG, asked, None)
    assert (caught.value.status, caught.value.size) == (416, 100)


@pytest.mark.parametrize(
    ("if_range", "is_part"),
    [(TAG, True), (f"W/{TAG}", False), ('"other"', False), ("Wed, 21 Oct 2015 07:28:00 GMT", False)],
)
def test_a_range_of_another_version_is_the_whole_file(if_range: str, is_part: bool) -> None:
    assert piece_of(100, TAG, "bytes=0-9", if_range).is_part is is_part


def test_an_empty_file_has_no_range() -> None:
    assert piece_of(0, TAG, None, None) == Piece(0, 0, is_part=False)
    with pytest.raises(NotSatisfiable):
        piece_of(0, TAG, "bytes=0-", None)


def test_a_piece_tells_where_it_is() -> None:
    assert Piece(5, 10, is_part=True).content_range(100) == "bytes 5-9/100"


@pytest.mark.parametrize(
    ("asked", "unchanged"),
    [(None, False), ('"x"', False), (TAG, True), (f'W/{TAG}, "y"', True), ("*", True)],
)
def test_a_version_that_the_client_has_is_unchanged(asked: str | None, unchanged: bool) -> None:
    assert is_unchanged(TAG, asked) is unchanged
