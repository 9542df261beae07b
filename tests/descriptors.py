"""Descriptors of this process."""

import gc
from pathlib import Path


def open_files() -> int:
    """How many files this process has open, but for those of what is only waiting to be collected."""
    gc.collect()
    return len([*Path("/proc/self/fd").iterdir()])
