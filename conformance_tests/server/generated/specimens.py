"""Valid resources that a device may post, and how they are taken away again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conformance_tests.errors import Skipped
from schemas import (
    DemandResponseProgramLink,
    LoadShedAvailability,
    LogEvent,
    MirrorMeterReading,
    MirrorUsagePoint,
    PriceResponseCfg,
    RateComponentLink,
    ReadingType,
    Subscription,
    SupportedLocale,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance_tests.server.bench import ServerBench, Viewer
    from conformance_tests.server.generated.survey import Survey

PEN: Final = 40732
DONE: Final = frozenset({200, 201, 204})
CREATED: Final = 201
REMOVED: Final = frozenset({200, 204})
DISCARD: Final = ("127.0.0.1", 9)
"""Where notifications of a subscription go that lives for a moment, when the runner has no listener."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a specimen refers to: who posts it, server time (s), what is subscribed to, where to notify."""

    lfdi: str
    now: int
    mark: str
    subscribable: str
    notify: str
    rate_component: str


def _subscription(known: Known) -> Subscription:
    return Subscription(
        subscribedResource=known.subscribable,
        encoding=0,
        level="+S1",
        limit=1,
        notificationURI=known.notify,
    )


def _log_event(known: Known) -> LogEvent:
    """An event of the general function set that nothing acts on."""
    return LogEvent(
        createdDateTime=known.now,
        details="conformance",
        functionSet=0,
        logEventCode=1,
        logEventID=int(known.mark[:4], 16),
        logEventPEN=PEN,
        profileID=2,
    )


def _mirror(known: Known) -> MirrorUsagePoint:
    real_power = ReadingType(commodity=1, kind=37, uom=38, powerOfTenMultiplier=0, flowDirection=19)
    reading = MirrorMeterReading(mRID=f"{known.mark}01{PEN:08X}", ReadingType_=real_power)
    return MirrorUsagePoint(
        mRID=f"{known.mark}00{PEN:08X}",
        description="conformance",
        roleFlags="49",
        serviceCategoryKind=0,
        status=0,
        deviceLFDI=known.lfdi,
        MirrorMeterReading_=[reading],
    )


def _price_answer(known: Known) -> PriceResponseCfg:
    link = RateComponentLink(href=known.rate_component)
    return PriceResponseCfg(consumeThreshold=0, maxReductionThreshold=1, RateComponentLink_=link)


def _load_shed(known: Known) -> LoadShedAvailability:
    link = DemandResponseProgramLink(href=f"https://loads.example/dr/{known.mark}")
    return LoadShedAvailability(DemandResponseProgramLink_=link, sheddablePercent=100)


SPECIMENS: Final[Mapping[str, Callable[[Known], object]]] = {
    "LoadShedAvailabilityList": _load_shed,
    "LogEventList": _log_event,
    "MirrorUsagePointList": _mirror,
    "PriceResponseCfgList": _price_answer,
    "SubscriptionList": _subscription,
    "SupportedLocaleList": lambda _: SupportedLocale(locale="mi-NZ"),
}
"""By the id of the list: items that a device must be able to post and to delete again. Annex A."""


def notify_uri(bench: ServerBench, mark: str) -> str:
    """Where a subscription of a moment is told to notify."""
    try:
        host, port = bench.listen
    except Skipped:
        host, port = DISCARD
    name = f"[{host}]" if ":" in host else host
    return f"https://{name}:{port}/conformance/{mark}"


async def known_of(bench: ServerBench, viewer: Viewer, survey: Survey) -> Known:
    """What specimens of a case refer to; what they are marked with hangs on the case and the device alone."""
    mark = hashlib.sha256(f"{bench.trial.case.id} {viewer.lfdi}".encode()).hexdigest()[:22].upper()
    places = survey.places
    listed = next((places[name][0] for name in ("DERControlList", "DERProgramList") if places.get(name)), "")
    return Known(
        lfdi=viewer.lfdi,
        now=await bench.now(),
        mark=mark,
        subscribable=listed,
        notify=notify_uri(bench, mark),
        rate_component=f"https://tariffs.example/tp/1/rc/{mark}",
    )
