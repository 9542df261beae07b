"""How many files a process may have open: each connection is one."""

import resource


def raise_file_limit() -> int:
    """Let this process have as many open files as the system allows it; how many that are."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
