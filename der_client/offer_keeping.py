"""What of reservations and load controls must survive a restart beside their records, by mRID."""

from collections.abc import Callable
from typing import Final

from der_client.flow import used_text
from der_client.load_control import DrawnBefore
from der_client.offers import Offers
from der_client.spool import Spool

USED, DRAWN = "reserved energy", "drawn before load controls"
KEPT_SHARE: Final = 0.01
"""Part of a reservation's energy that may flow before it is put to disk."""


class OfferKeeping:
    """Keeps what was used of reservations, and what was drawn before load controls; one task owns it."""

    def __init__(self, offers: Offers, spool: Spool) -> None:
        self._offers = offers
        self._spool = spool
        self._used_kept: dict[str, float] = {}
        self._drawn_kept = offers.before.text()

    def restore(self, used_wh: dict[str, float], before: DrawnBefore) -> None:
        """Take up what the last run kept."""
        self._used_kept = used_wh
        self._offers.used.used_wh = dict(used_wh)
        self._offers.before, self._drawn_kept = before, before.text()

    async def count(self, given_wh: Callable[[], float | None]) -> bool:
        """Count what has flown towards the reservation that runs, Wh; True once all has."""
        used = self._offers.used
        grant = used.running
        is_spent = used.after(None if grant is None else given_wh())
        if grant is None:
            return is_spent
        flown_wh = used.used_wh.get(grant.mrid, 0.0) - self._used_kept.get(grant.mrid, 0.0)
        if is_spent or flown_wh >= KEPT_SHARE * abs(grant.energy_wh):
            self._used_kept = dict(used.used_wh)
            await self._spool.remembered(USED, used_text(self._used_kept))
        return is_spent

    async def keep_drawn(self) -> None:
        """Keep what was drawn before the load controls that run."""
        text = self._offers.before.text()
        if text != self._drawn_kept:
            self._drawn_kept = text
            await self._spool.remembered(DRAWN, text)
