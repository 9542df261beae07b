"""A client that lives with the server for days: it polls, answers controls and mirrors readings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance_tests.aus.server_deeds import (
    Discover,
    Found,
    Location,
    Mirror,
    PostReadings,
    Reading,
    Refresh,
    Respond,
)

if TYPE_CHECKING:
    from conformance_tests.aus.server_deeds import Live
    from conformance_tests.aus.server_doing import Doing

MIRROR: Final = Mirror(tag="living", location=Location.SITE, types=(Reading.ACTIVE,))
FIND_EVERY: Final = 60
"""Everything is found anew after so many rounds; in between only controls are read."""


async def live(doing: Doing, deed: Live) -> None:
    """As many rounds as the deed wants, each at its time."""
    begun_s = await doing.bench.now()
    await doing.do(MIRROR)
    for number in range(deed.times):
        if number % FIND_EVERY == 0:
            await doing.do(Discover((Found.EDEV, Found.MUP_LIST, Found.DERC)))
        elif doing.client.seen(Found.DERC_LIST):
            await doing.do(Refresh(Found.DERC_LIST))
        await doing.do(Respond())
        await doing.do(PostReadings(tag=MIRROR.tag, values={Reading.ACTIVE: (1000 + number % 100,)}))
        await doing.bench.until(begun_s + (number + 1) * deed.every_s)
