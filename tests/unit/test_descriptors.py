"""The count by which tests judge that nothing is left open."""

import gc
import os
from pathlib import Path

from tests.descriptors import open_files


class Held:
    """A descriptor that is closed with its holder, and a ring that only the collector takes apart."""

    def __init__(self) -> None:
        self.number = os.open(os.devnull, os.O_RDONLY)
        self.ring = self

    def __del__(self) -> None:
        """Close it."""
        os.close(self.number)


def test_what_nobody_holds_any_more_is_not_counted() -> None:
    """It is closed whenever the collector comes: in the midst of another test."""
    before = open_files()
    gc.disable()
    try:
        Held()
        assert open_files() == before
    finally:
        gc.enable()


def test_what_is_held_is_counted(tmp_path: Path) -> None:
    before = open_files()
    with (tmp_path / "file").open("wb"):
        assert open_files() == before + 1
    assert open_files() == before
