"""The programs that a fleet will need as soon as a programme calls it: to be there before that. Pure."""

from collections.abc import Iterable, Mapping

from openadr_ven.to_sep2.fleet import DERS, LOADS, Device, Envelope, Fleet
from openadr_ven.to_sep2.programme import Programme
from openadr_ven.to_sep2.publication import Home, HomeKind, home_of


def usual_homes(fleet: Fleet, programmes: Iterable[Programme]) -> tuple[Home, ...]:
    """A DERProgram for each group of DERs, a DemandResponseProgram for each of loads, in each programme.

    Prices and texts are rare, and get their programs with the first.
    """
    kinds: dict[tuple[str, HomeKind], None] = {}
    for group, devices in _groups(fleet).items():
        for kind in sorted({kind for device in devices for kind in _kinds(device)}):
            kinds[group, kind] = None
    return tuple(home_of(programme, kind, group) for programme in programmes for group, kind in kinds)


def _groups(fleet: Fleet) -> Mapping[str, list[Device]]:
    by_name = {device.name: device for device in fleet.devices}
    found = {device.group: [device] for device in fleet.devices}
    return found | {
        group: [by_name[name] for name in sorted(names) if name in by_name]
        for group, names in fleet.groups.items()
    }


def _kinds(device: Device) -> Iterable[HomeKind]:
    if device.kind in DERS or device.envelope is Envelope.CSIP_AUS:
        yield HomeKind.DER
    if device.kind in LOADS:
        yield HomeKind.DRLC
