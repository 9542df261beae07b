"""How many files a simulation opens, and whether the system lets it."""

import resource
from typing import Final

SPARE: Final = 64
"""What a process has open besides: standard streams, the event loop, libraries."""
PER_PORT: Final = 2
"""The port, and the connection of a client to it."""


class TooManyPortsError(ValueError):
    """More ports than the system lets this process open; the text says what to do."""


def make_room(ports: int) -> None:
    """Raise the soft limit of open files as far as `ports` with a client each need, up to the hard limit.

    TooManyPortsError where the hard limit is lower.
    """
    needed = SPARE + PER_PORT * ports
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or needed <= soft:
        return
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise TooManyPortsError(
            f"{ports} ports need {needed} open files and the system allows {hard}: "
            f"use --one-port, fewer devices, or a higher limit (ulimit -Hn {needed})"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed if hard == resource.RLIM_INFINITY else hard, hard))
