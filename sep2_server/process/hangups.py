"""SIGHUP while nobody can act on it: the system keeps it until somebody can."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


def hold_hangups() -> None:
    """Let SIGHUP wait: of its own it would end this process, and those that are forked from now on."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


def take_hangups() -> None:
    """Hear of SIGHUP from now on, also of one that waits. The handler is there already."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


@contextmanager
def hangups_held() -> Iterator[None]:
    """Let SIGHUP wait meanwhile, and longer in a process that is forked inside."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
