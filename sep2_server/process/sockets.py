"""How many files a process may have open: each connection is one."""

import logging
import resource
from typing import Final

MOST_RESERVED: Final = 512
"""Files at most that clients leave to the database, operators, listeners and the log."""
NEARLY: Final = 0.9
"""This part of the connections that are wanted is as good as all."""

log = logging.getLogger(__name__)


def raise_file_limit() -> int:
    """Let this process have as many open files as the system allows it; how many that are."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def places(wanted: int) -> int:
    """How many of the connections that are wanted may be, so that files are left for the rest."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY or files - (reserved := min(files // 4, MOST_RESERVED)) >= wanted:
        return wanted
    log.log(
        logging.WARNING if files - reserved < NEARLY * wanted else logging.INFO,
        "At most %s connections, not %s: of %s files that this process may have open, %s are for the rest",
        files - reserved,
        wanted,
        files,
        reserved,
    )
    return files - reserved
