"""Who may not be served at this moment: blocked certificates and disabled EndDevices, as deliveries ask.

A file of SQLite tells this process of every commit before anybody hears that it is done, or at the latest
when it is asked (`Store.refresh`): what was found holds until then. PostgreSQL tells later and is asked anew.
"""

import threading
from collections.abc import Sequence
from typing import Final

from sep2_server.feed import RIGHTS
from sep2_server.reader import Reader
from sep2_server.rows import BLOCKED, KIND_OF, Change, Client
from sep2_server.store import Store

MOST: Final = 20_000
"""Clients of whom is known that they are served."""
_Pair = tuple[str, int, str, int]
_RIGHTS: Final = RIGHTS | {BLOCKED}


class Bars:
    """Answers whether a client is barred, by itself or through who speaks for it; from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._served: set[_Pair] = set()
        self._age = 0
        self._lock = threading.Lock()

    def start(self) -> None:
        """Hear of changes."""
        self._store.listen(self._hear)

    def stop(self) -> None:
        """Hear of nothing more."""
        self._store.unlisten(self._hear)

    def why(self, reader: Reader, client: Client, speaker: Client) -> str | None:
        """Why a client is not served at this moment; None where it is."""
        if not self._store.is_inline:
            return reader.barred(client, speaker)
        self._store.refresh()
        age = self._age
        pair = (client.lfdi, client.end_device_id, speaker.lfdi, speaker.end_device_id)
        if pair in self._served:
            return None
        found = reader.barred(client, speaker)
        if found is None:
            self._note(pair, age)
        return found

    def _note(self, pair: _Pair, age: int) -> None:
        """Remember who is served, unless something has changed since it was asked for."""
        with self._lock:
            if age == self._age:
                if len(self._served) >= MOST:
                    self._served.clear()
                self._served.add(pair)

    def _hear(self, changes: Sequence[Change]) -> None:
        if not _RIGHTS.isdisjoint(map(KIND_OF, changes)):
            with self._lock:
                self._age += 1
                self._served.clear()
