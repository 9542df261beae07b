"""Lists in which one call changes many events: they are brought up to date together, at its end."""

from sep2_server.environment import Environment
from sep2_server.event_times import refresh_between
from sep2_server.rows import Row
from sep2_server.transaction import Transaction


class Gathered:
    """In which times of which lists events were written whose effect on others was not looked at yet.

    To look after each of them costs the square of their number.
    """

    def __init__(self) -> None:
        self._open: dict[int, tuple[int, int]] = {}
        self._looked_at: dict[int, tuple[int, int]] = {}
        """Those of the item that is being acted on."""
        self.touched: set[int] = set()
        """Lists in which an event was written."""

    def begin(self) -> None:
        """Go on to the next item; what came of the last one stays."""
        self._looked_at.clear()

    def note(self, row: Row) -> None:
        """Note that an event is new or has changed."""
        if row.list_id is not None and row.starts is not None and row.ends is not None:
            self._note(row.list_id, row.starts, row.ends)

    def settle(self, tx: Transaction, environment: Environment, now: int) -> None:
        """Bring all events up to date that those may overlap with, and themselves."""
        for list_id, (starts, ends) in self._open.items():
            refresh_between(tx, environment, list_id, starts, ends, now)
        self._looked_at.update(self._open)
        self._open.clear()

    def reopen(self) -> None:
        """Look again at the end: what was written for this item is undone."""
        for list_id, (starts, ends) in self._looked_at.items():
            self._note(list_id, starts, ends)
        self._looked_at.clear()

    def _note(self, list_id: int, starts: int, ends: int) -> None:
        self.touched.add(list_id)
        first, last = self._open.get(list_id, (starts, ends))
        self._open[list_id] = min(first, starts), max(last, ends)
