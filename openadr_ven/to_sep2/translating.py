"""The translation: what events ask for as what is to exist on the 2030.5 side. Pure; time is an argument."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from function_sets import derived_mrid
from openadr_ven.events import Plan
from openadr_ven.to_sep2 import building
from openadr_ven.to_sep2.asking import asked
from openadr_ven.to_sep2.basis import Basis
from openadr_ven.to_sep2.drafting import next_piece, publications
from openadr_ven.to_sep2.fleet import DERS, Device, Envelope, Fleet
from openadr_ven.to_sep2.limits import export_of, site_of
from openadr_ven.to_sep2.programme import Programme, TargetMode
from openadr_ven.to_sep2.publication import Default, HomeKind, Publications, home_of
from openadr_ven.to_sep2.resolving import resolved
from openadr_ven.to_sep2.wishes import Limit, LimitKind, Standing, Wish

NUMBER_OF_DEFAULT = "default"


def translate(
    plans: Sequence[Plan],
    fleet: Fleet,
    programmes: Mapping[str, Programme],
    now: int,
    bases: Mapping[str, Basis] | None = None,
) -> Publications:
    """What is to exist from `now` on; `programmes` are by market context or programID, `bases` by eventID.

    An event of a programme that is not there asks nothing, and is a note. Translate again when a plan, the
    fleet or a programme changes, and at `wake_at`.
    """
    asks = asked(plans, fleet, programmes, bases or {})
    held = resolved(asks.wishes, now)
    events = [one for one in held.wishes if not isinstance(one.action, Standing)]
    standing = [one for one in held.wishes if isinstance(one.action, Standing)]
    return Publications(
        items=publications(events, fleet, now),
        defaults=_defaults(standing, fleet, programmes, now),
        goals=asks.goals,
        notes=(*asks.notes, *held.notes),
        unable=asks.unable,
        wake_at=_wake_at(plans, events, standing, programmes, now),
    )


def _wake_at(
    plans: Sequence[Plan],
    events: Iterable[Wish],
    standing: Iterable[Wish],
    programmes: Mapping[str, Programme],
    now: int,
) -> int | None:
    """The first second after `now` at which the result would be another."""
    edges = [edge for wish in standing for edge in (wish.start, wish.end) if edge is not None and edge > now]
    piece = next_piece(events, now)
    if piece is not None:
        edges.append(max(piece, now + 1))
    for plan in plans:
        programme = programmes.get(plan.event.marketContext)
        if programme is not None and (plan.end is None or plan.end > now + programme.horizon_s):
            edges.append(now + programme.horizon_s // 2)
        if plan.stop_at is not None and plan.stop_at > now:
            edges.append(plan.stop_at)
    return min(edges, default=None)


def _defaults(
    standing: Sequence[Wish], fleet: Fleet, programmes: Mapping[str, Programme], now: int
) -> dict[str, Default]:
    """The defaults of all programs: subscriptions that hold now, else what the programme falls back to."""
    held: dict[tuple[str, str], dict[LimitKind, tuple[Device, Limit]]] = {}
    for device, context, limit in chain(_subscribed(standing, now), _fallbacks(fleet, programmes)):
        limits = held.setdefault((context, device.group), {})
        limits.setdefault(limit.kind, (device, limit))
    found: dict[str, Default] = {}
    for (context, group), limits in held.items():
        programme = programmes[context]
        home = home_of(programme, HomeKind.DER, group)
        device = next(iter(limits.values()))[0]
        base = building.base_of(device)
        for _, limit in limits.values():
            building.put_mode(base, device, limit, TargetMode.TARGET_W)
        mrid = derived_mrid(f"{home.mRID}|{NUMBER_OF_DEFAULT}", programme.pen)
        found[home.mRID] = Default(home=home, mRID=mrid, base=base)
    return found


def _subscribed(standing: Sequence[Wish], now: int) -> Iterable[tuple[Device, str, Limit]]:
    for wish in standing:
        is_now = wish.start <= now and (wish.end is None or now < wish.end)
        if is_now and isinstance(wish.action, Standing):
            yield wish.device, wish.programme.marketContext, wish.action.limit


def _fallbacks(fleet: Fleet, programmes: Mapping[str, Programme]) -> Iterable[tuple[Device, str, Limit]]:
    ratings: dict[str, int] = {}
    for device in fleet.devices:
        if device.kind in DERS:
            ratings[site_of(device)] = ratings.get(site_of(device), 0) + (device.setMaxW or 0)
    for programme in programmes.values():
        for device in fleet.devices:
            export_w, import_w = programme.fallback_export_w, programme.fallback_import_w
            if export_w is not None:
                limit = export_of(device, export_w, ratings.get(site_of(device), 0))
                if limit is not None:
                    yield device, programme.marketContext, limit
            if import_w is not None and device.envelope is Envelope.CSIP_AUS:
                most = Limit(kind=LimitKind.IMPORT, most=import_w)
                yield device, programme.marketContext, most
