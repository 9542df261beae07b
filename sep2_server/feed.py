"""The change feed as it arrives: what was committed, by this process or another, in the order of commits.

The writer of the process tells its own commits at once. What others commit is read behind the last known
place: by a thread that PostgreSQL notifies, or that looks whether the SQLite file has changed; and by
`Store.refresh` before an answer is given from memory, where several processes write a file.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from sep2_server.errors import StoreError
from sep2_server.reader import Reader
from sep2_server.rows import ACCESS, DELETED, EVERYBODY, KIND_OF, Change

Listener = Callable[[Sequence[Change]], None]

EVERYTHING: Final = Change(0, 0, "everything", None, EVERYBODY, None, DELETED)
"""Told where the feed was shortened before it was read: anything may have changed."""
RIGHTS: Final = frozenset({ACCESS, EVERYTHING.kind})
"""Kinds of changes of what somebody may see."""
LONGEST_WAIT_S: Final = 1.0
PAUSE_S: Final = 0.25
MOST_LATE_S: Final = 6.0
"""How long nothing may be heard of the commits of others: after that nobody knows who may see what."""
BATCH: Final = 1000

log = logging.getLogger(__name__)


class Watched(Protocol):
    """A connection that can wait for the commits of others."""

    def wait_for_commit(self, timeout_s: float) -> None:
        """Return once somebody has committed, or the time is over, or `wake` was called."""
        ...

    def wake(self) -> None:
        """End the waiting of another thread."""
        ...


class Feed:
    """Tells listeners every change, in order; `position` is the last place that was told.

    `rights` is the place of the last change of rights that was told.
    """

    def __init__(self) -> None:
        self.position = 0
        self.rights = 0
        self._listeners: list[Listener] = []
        self._lock = threading.RLock()
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._watched: Watched | None = None
        self._current_at = 0.0
        """When all was told that had been committed, as `time.monotonic` has it."""

    def start_at(self, position: int) -> None:
        """Tell what is committed behind a place."""
        self.position = position

    def listen(self, listener: Listener) -> None:
        """Tell `listener` the changes of each commit from now on. In the thread that learns of them."""
        with self._lock:
            self._listeners.append(listener)

    def unlisten(self, listener: Listener) -> None:
        """No longer tell `listener`, if it is told at all."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def committed(self, changes: Sequence[Change], reader: Reader) -> None:
        """Tell what this process has committed, after what others had; `reader` is the writer's."""
        with self._lock:
            if changes[-1].seq <= self.position:
                return
            if changes[0].seq == self.position + 1:
                self._go_on_to(changes)
                return
        self._catch_up_or(changes, reader)

    def catch_up(self, reader: Reader) -> None:
        """Tell what was committed, as this is called, behind the last known place.

        Several threads may do so at once: nobody waits for the database of another one. It ends however fast
        others commit: a look that is not full has told all that was there as it began.
        """
        self._mind_gap(reader)
        is_full = True
        while is_full:
            began, position = time.monotonic(), self._told()
            found = reader.changes(position, BATCH)
            is_full = len(found) >= BATCH
            with self._lock:
                self._go_on_to([change for change in found if change.seq > self.position])
        self._current_at = max(self._current_at, began)

    def require_current(self) -> None:
        """Raise StoreError where it is watched what others commit, and that was not heard for too long."""
        late_s = time.monotonic() - self._current_at
        if self._watched is not None and late_s > MOST_LATE_S:
            raise StoreError(f"what other processes have written was not heard for {late_s:.0f} s")

    def _told(self) -> int:
        """The last place, once all up to there has been told."""
        with self._lock:
            return self.position

    def _go_on_to(self, changes: Sequence[Change]) -> None:
        """Tell the changes that come next, if any."""
        if changes:
            self.position = changes[-1].seq
            self._tell(changes)

    def watch(self, watched: Watched, reader: Reader) -> None:
        """Catch up in a thread of its own whenever somebody has committed; `reader` is for that thread."""
        self._current_at = time.monotonic()
        self._watched = watched
        self._thread = threading.Thread(
            target=self._watch, args=(watched, reader), name="sep2-feed", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the thread of `watch`."""
        self._stopped = True
        if self._thread is not None and self._watched is not None:
            self._watched.wake()
            self._thread.join()

    def _catch_up_or(self, changes: Sequence[Change], reader: Reader) -> None:
        """Catch up; where that cannot be, tell at least these, which are then told again."""
        try:
            self.catch_up(reader)
        except StoreError as flaw:
            log.warning("The change feed cannot be read: %s", flaw)
            self._tell_early(changes)
        except Exception:
            log.exception("The change feed cannot be read")
            self._tell_early(changes)

    def _tell_early(self, changes: Sequence[Change]) -> None:
        with self._lock:
            self._tell(changes)

    def _mind_gap(self, reader: Reader) -> None:
        """Tell that anything may have changed where something is missing: who tells meanwhile sees it too."""
        position = self._told()
        first, last = reader.first_change(), reader.last_change()
        with self._lock:
            if position == self.position and (first > position + 1 or last < position):
                self.position = last
                self._tell([EVERYTHING._replace(seq=last)])

    def _watch(self, watched: Watched, reader: Reader) -> None:
        while not self._stopped:
            try:
                watched.wait_for_commit(LONGEST_WAIT_S)
                if not self._stopped:
                    self.catch_up(reader)
            except StoreError as flaw:
                log.warning("The change feed cannot be read: %s", flaw)
                threading.Event().wait(PAUSE_S)
            except Exception:
                log.exception("The change feed cannot be read")
                threading.Event().wait(PAUSE_S)

    def _tell(self, changes: Sequence[Change]) -> None:
        """Tell the listeners; one that fails takes neither the feed nor the others with it."""
        self.rights = last_of_rights(changes, self.rights)
        for listener in tuple(self._listeners):
            try:
                listener(changes)
            except Exception:
                log.exception("A listener failed")


def last_of_rights(changes: Sequence[Change], before: int) -> int:
    """Place of the last change of rights, where the one before is known."""
    if RIGHTS.isdisjoint(map(KIND_OF, changes)):
        return before
    return max(change.seq for change in changes if change.kind in RIGHTS)
