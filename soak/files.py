"""Open files: each connection is one at both of its ends."""

import resource
from typing import Final

import pytest

SPARE: Final = 500
"""Files that a process has open beside its connections."""


def make_room(connections: int) -> None:
    """Let this process, and those that it starts, have so many connections; the run ends where it may not."""
    needed = connections + SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= needed:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, max(hard, needed)))
    except (OSError, ValueError):
        pytest.fail(
            f"{connections} connections need {needed} open files, and {hard} are allowed: "
            f"`ulimit -Hn {needed}` as root, or LimitNOFILE={needed} of the service, allows them"
        )
