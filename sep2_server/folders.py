"""Folders: names that survive a loss of power, and files that root makes in the folder of another user."""

import os
from pathlib import Path
from typing import Final

PRIVATE: Final = 0o600


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def is_folder(path: Path) -> bool:
    """Whether a folder is there, as far as this user may look."""
    try:
        return path.is_dir()
    except OSError:
        return False


def open_private(path: Path, flags: int) -> int:
    """Open a file that its owner alone may read, made if absent; one that is made is given to its owner."""
    try:
        number = os.open(path, flags | os.O_CREAT | os.O_EXCL, PRIVATE)
    except FileExistsError:
        return os.open(path, flags | os.O_CREAT, PRIVATE)
    give_to_owner_of(path.parent, number)
    return number


def give_to_owner_of(kept: Path, number: int) -> None:
    """Give a file that was just made to the owner of another file or of a folder.

    Root alone can do so, and has to: the server of another user could not open what root made for it.
    """
    if os.geteuid() == 0:
        owner = kept.stat()
        os.fchown(number, owner.st_uid, owner.st_gid)
