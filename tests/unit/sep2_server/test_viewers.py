"""The rights that are kept of clients: bounded, and never those from before a change that was heard of."""

import threading
from collections.abc import Iterator
from typing import cast

import pytest

from sep2_server.access import Viewers
from sep2_server.feed import EVERYTHING
from sep2_server.reader import Reader
from sep2_server.rows import ACCESS, EVERYBODY, Change, Client, Role

WAIT_S = 10


class Rights:
    """A reader of what clients may see; `held_up` is waited for before the last question is answered."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.began = threading.Event()
        self.held_up: threading.Event | None = None

    def client(self, lfdi: str) -> Client | None:
        self.asked.append(lfdi)
        return Client(lfdi, 1, lfdi, Role.DEVICE, int(lfdi), None, None, 0)

    def programs_of_viewer(self, _: int) -> dict[str, frozenset[int]]:
        return {}

    def lists_of_viewer(self, _: int) -> frozenset[int]:
        return frozenset()

    def is_disabled(self, _: int) -> bool:
        self.began.set()
        if self.held_up is not None:
            assert self.held_up.wait(WAIT_S)
        return False


@pytest.fixture
def rights() -> Rights:
    return Rights()


def as_reader(rights: Rights) -> Reader:
    return cast("Reader", rights)


def changed(end_device_id: int, seq: int = 1) -> Change:
    return Change(seq, end_device_id, ACCESS, None, EVERYBODY, None, 0)


class Held(list[Change]):
    """Changes of a commit; who looks at them for the second time lets others go on meanwhile."""

    def __init__(self, changes: list[Change], let_go: threading.Event, others: threading.Thread) -> None:
        super().__init__(changes)
        self.looks = 0
        self._let_go = let_go
        self._others = others

    def __iter__(self) -> Iterator[Change]:
        self.looks += 1
        if self.looks == 2:
            self._let_go.set()
            self._others.join(0.3)
        return super().__iter__()


def test_rights_that_were_read_before_a_change_are_not_kept_after_it(rights: Rights) -> None:
    viewers = Viewers(10)
    rights.held_up = threading.Event()
    reading = threading.Thread(target=viewers.of, args=(as_reader(rights), "7"))
    reading.start()
    assert rights.began.wait(WAIT_S)
    viewers.forget(Held([changed(7)], rights.held_up, reading))
    reading.join(WAIT_S)
    assert viewers.known("7") is None
    assert viewers.of(as_reader(rights), "7").scope == 7
    assert viewers.known("7") is not None


def test_no_more_rights_are_kept_than_said_and_the_oldest_go_first(rights: Rights) -> None:
    viewers = Viewers(3)
    for lfdi in ("1", "2", "3", "4"):
        viewers.of(as_reader(rights), lfdi)
    assert [viewers.known(lfdi) is None for lfdi in ("1", "2", "3", "4")] == [True, False, False, False]
    viewers.of(as_reader(rights), "4")
    assert rights.asked == ["1", "2", "3", "4"]
    assert len(viewers._lfdis) == 3


@pytest.mark.parametrize("told", [changed(EVERYBODY), EVERYTHING._replace(seq=1)], ids=["all", "gap"])
def test_a_change_for_all_and_a_gap_in_the_feed_are_for_every_client(rights: Rights, told: Change) -> None:
    viewers = Viewers(3)
    for lfdi in ("1", "2"):
        viewers.of(as_reader(rights), lfdi)
    viewers.forget([told])
    assert (viewers.known("1"), viewers.known("2"), viewers.as_of) == (None, None, 1)
