"""Signals while nobody can act on them: the system keeps them until somebody can."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

ENDS: Final = frozenset({signal.SIGTERM, signal.SIGINT})
"""What tells a process to end."""


def hold_hangups() -> None:
    """Let SIGHUP wait: of its own it would end this process, and those that are forked from now on."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


def take_hangups() -> None:
    """Hear of SIGHUP from now on, also of one that waits. The handler is there already."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


def take_ends() -> None:
    """Hear of SIGTERM and SIGINT from now on, also of one that waits. The handler is there already."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)


@contextmanager
def signals_held() -> Iterator[None]:
    """Let SIGHUP and what ends a process wait meanwhile, and longer in a process that is forked inside.

    The new process begins with the handlers of the old one: a signal that came then would be lost.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, *ENDS})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
