"""Capacity limits of a connection point, for a time or between events. Rounded down, split over sites."""

from collections.abc import Callable
from decimal import Decimal

from openadr_ven.events import Code
from openadr_ven.to_sep2.amounts import FULL, Part, floor, split
from openadr_ven.to_sep2.fleet import DERS, STORES, VEHICLES, Device, Envelope, Kind
from openadr_ven.to_sep2.programme import TargetMode
from openadr_ven.to_sep2.replies import Verdict, each, joined, note, power_of, refusal, refused
from openadr_ven.to_sep2.wishes import Ask, Duty, Limit, LimitKind, Note, Reply, Standing

NO_MODE = "CSIP has no limit of the import: only charging can be bounded"


def export_limit(ask: Ask) -> Reply:
    """The most that each site may export. Without CSIP-AUS generation itself is limited."""
    return _by_site(ask, _export)


def import_limit(ask: Ask) -> Reply:
    """The most that each site may import. Without CSIP-AUS only charging is."""
    return _by_site(ask, _import)


def export_subscription(ask: Ask) -> Reply:
    """The export that a site always has: what holds while no event says otherwise."""
    return _standing(ask, export_limit(ask))


def import_subscription(ask: Ask) -> Reply:
    """The import that a site always has."""
    return _standing(ask, import_limit(ask))


def site_of(device: Device) -> str:
    """The connection point of a device."""
    return device.site or f"device {device.name}"


def export_of(device: Device, most_w: int, rating_w: int) -> Limit | None:
    """The limit of the export as a device understands it; `rating_w` is setMaxW of all DERs of the site."""
    if device.envelope is Envelope.CSIP_AUS:
        return Limit(kind=LimitKind.EXPORT, most=most_w)
    if device.kind not in DERS or rating_w <= 0:
        return None
    return Limit(kind=LimitKind.OUTPUT, most=min(FULL, floor(Decimal(most_w) * FULL / rating_w)))


def _export(ask: Ask, device: Device, most_w: int, beside: tuple[Device, ...]) -> Verdict:
    known = [one.setMaxW for one in beside if one.kind in DERS]
    if device.envelope is Envelope.CSIP and device.kind in DERS and None in known:
        return refusal(ask, "setMaxW is not known", Code.DEPLOYMENT_OTHER)
    rating_w = sum(one or 0 for one in known)
    return export_of(device, most_w, rating_w) or refusal(ask, "it cannot limit the export")


def _import(ask: Ask, device: Device, most_w: int, beside: tuple[Device, ...]) -> Verdict:
    if device.envelope is Envelope.CSIP_AUS:
        return Limit(kind=LimitKind.IMPORT, most=most_w)
    chargers = [one for one in beside if one.kind in STORES | VEHICLES]
    rating_w = sum(one.most_in_w or 0 for one in chargers)
    if device not in chargers or device.kind is Kind.COMBINED:
        return refusal(ask, NO_MODE)
    if not rating_w or device.most_in_w is None:
        return refusal(ask, "its charge rate is not known", Code.DEPLOYMENT_OTHER)
    part_w = floor(Decimal(most_w) * device.most_in_w / rating_w)
    if device.kind in VEHICLES:
        return Duty(normalValue=min(100, floor(Decimal(part_w) * 100 / device.most_in_w)))
    return Limit(kind=LimitKind.CHARGE, most=part_w, mode=TargetMode.FIXED_W)


def _by_site(ask: Ask, verdict: Callable[[Ask, Device, int, tuple[Device, ...]], Verdict]) -> Reply:
    power = power_of(ask)
    if power is None:
        return refused(ask, "without a unit of active power")
    if power < 0:
        return refused(ask, f"{power} W is no limit: it has no sign", Code.INVALID_DATA)
    sites: dict[str, list[Device]] = {}
    for device in ask.devices:
        sites.setdefault(site_of(device), []).append(device)
    most = _shares(ask, floor(power), sites)
    reply = each(
        ask,
        lambda device: verdict(ask, device, most[site_of(device)], tuple(sites[site_of(device)])),
    )
    return joined((reply, Reply(notes=_notes(ask, reply, most, floor(power)))))


def _shares(ask: Ask, most_w: int, sites: dict[str, list[Device]]) -> dict[str, int]:
    """The limit of each site: all of it, or its part by rating where the programme splits."""
    if len(sites) == 1 or not ask.programme.is_split:
        return dict.fromkeys(sites, most_w)
    weights = [sum((_weight(one) for one in devices), Decimal(0)) for devices in sites.values()]
    return dict(zip(sites, split(most_w, [Part(weight=weight) for weight in weights]), strict=True))


def _weight(device: Device) -> Decimal:
    return device.share if device.share is not None else Decimal(device.setMaxW or 1)


def _notes(ask: Ask, reply: Reply, most: dict[str, int], power_w: int) -> tuple[Note, ...]:
    notes = []
    if len(most) > 1 and ask.programme.is_split:
        notes.append(note(ask, "", f"{power_w} W are split over {len(most)} sites"))
    for name, action in reply.actions:
        if isinstance(action, Limit) and action.kind is LimitKind.OUTPUT:
            notes.append(note(ask, name, "generation is limited in the place of the export"))
        elif isinstance(action, Duty) or (isinstance(action, Limit) and action.kind is LimitKind.CHARGE):
            notes.append(note(ask, name, NO_MODE))
    return tuple(notes)


def _standing(ask: Ask, reply: Reply) -> Reply:
    """The same limits as defaults; what no default can say is refused."""
    actions, refusals = [], list(reply.refusals)
    for name, action in reply.actions:
        if isinstance(action, Limit) and action.kind is not LimitKind.CHARGE:
            actions.append((name, Standing(limit=action)))
        else:
            refusals.append((name, refusal(ask, NO_MODE)))
    return Reply(actions=tuple(actions), refusals=tuple(refusals), notes=reply.notes)
