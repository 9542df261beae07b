"""Descriptors of this process."""

from pathlib import Path


def open_files() -> int:
    """How many files this process has open."""
    return len([*Path("/proc/self/fd").iterdir()])
