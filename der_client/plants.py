"""Which devices stand for which EndDevice: one of the client itself, or many behind an aggregator. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from certs import LFDI, sfdi_of
from der_client.der_choice import DerChoice
from der_client.device import Device
from der_client.discovery import Identity
from der_client.settings import DeviceSettings
from der_client.shelf import Party
from der_client.site_desk import Meter
from owner import SettingsError
from schemas import Resource

LFDI_DIGITS: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """The devices of one EndDevice, in the order of its DERList.

    `end_device` is its LFDI, or its SFDI in decimal; None for the EndDevice of the client's own certificate.
    `pin` is compared with its Registration, `connection_point` put to its ConnectionPoint (CSIP-AUS). `meter`
    is at the connection point that the devices share. `ders` name the DERs that the devices are, in their
    order; None, or nothing, for the order of the DERList.
    """

    devices: tuple[Device, ...]
    end_device: str | None = None
    pin: int | None = None
    meter: Meter | None = None
    connection_point: str | None = None
    ders: tuple[DerChoice | None, ...] = ()

    @property
    def owner(self) -> str:
        """The name of the plant in the spool; empty for the client itself."""
        return (self.end_device or "").upper()

    def identity(self, own: Identity) -> Identity:
        """Who the EndDevice is; `own` is the client. The LFDI is empty where only the SFDI is given."""
        if self.end_device is None:
            return own
        if len(self.end_device) != LFDI_DIGITS:
            return Identity(lfdi="", sfdi=int(self.end_device))
        lfdi = self.end_device.upper()
        return Identity(lfdi=lfdi, sfdi=sfdi_of(LFDI(lfdi)))


def require_timely_meters(plants: Sequence[Plant], period_s: float, stale_s: float) -> None:
    """SettingsError where each reading of a meter, once every `period_s`, is old before the next one, s."""
    if any(plant.meter for plant in plants) and period_s >= stale_s:
        raise SettingsError(
            f"control.period_s: with a meter less than safety.site.meter_stale_s, {stale_s:g} s, is wanted, "
            "or each of its readings is old before the next one: set one or the other"
        )


def plants_of(
    settings: Sequence[DeviceSettings],
    made: Callable[[DeviceSettings], Device],
    meters: Mapping[str | None, Meter] | None = None,
) -> tuple[Plant, ...]:
    """The plants that the settings describe; devices of one EndDevice in the order of the settings.

    `meters` are by the LFDI or SFDI of the EndDevice at whose connection point they are; None: the client's
    own, or the only one. SettingsError for a meter of an EndDevice that no device stands for.
    """
    found: dict[str | None, list[Device]] = {}
    pins: dict[str | None, int | None] = {}
    points: dict[str | None, str | None] = {}
    ders: dict[str | None, list[DerChoice | None]] = {}
    for one in settings:
        owner = one.end_device.upper() if one.end_device else None
        found.setdefault(owner, []).append(made(one))
        ders.setdefault(owner, []).append(one.der)
        pins[owner] = pins.get(owner) or one.pin
        points[owner] = points.get(owner) or one.connection_point
    placed = _placed(meters or {}, tuple(found))
    return tuple(
        Plant(
            devices=tuple(devices),
            end_device=owner,
            pin=pins[owner],
            connection_point=points[owner],
            ders=tuple(ders[owner]),
            meter=placed.get(owner),
        )
        for owner, devices in found.items()
    )


def _placed(meters: Mapping[str | None, Meter], owners: Sequence[str | None]) -> dict[str | None, Meter]:
    """The meter of each EndDevice, as the devices name it."""
    placed: dict[str | None, Meter] = {}
    for end_device, meter in meters.items():
        if end_device is None:
            owner = None if None in owners or len(owners) != 1 else owners[0]
            is_known = owner in owners
        else:
            known = [one for one in owners if one is not None and _sfdi(one) == _sfdi(end_device)]
            owner, is_known = (known[0], True) if known else (None, False)
        if not is_known:
            place = f"end_device {end_device}" if end_device else "end_device: not set"
            msg = f"meter {meter.name!r}: {place}, and no device stands for that EndDevice"
            raise SettingsError(f"{msg}; name that of its devices")
        if owner in placed:
            msg = f"meter {meter.name!r}: {placed[owner].name!r} is at the same connection point"
            raise SettingsError(f"{msg}; give each EndDevice one meter")
        placed[owner] = meter
    return placed


def _sfdi(end_device: str) -> int:
    """The SFDI of an EndDevice that is named by its LFDI or its SFDI."""
    return sfdi_of(LFDI(end_device.upper())) if len(end_device) == LFDI_DIGITS else int(end_device)


def parties_of(
    plants: Sequence[Plant],
    own: Identity,
    pin: int | None,
    also: frozenset[type[Resource]] = frozenset(),
) -> tuple[Party, ...]:
    """What the poller follows: each plant in order, and behind them the aggregator's own EndDevice.

    `pin` belongs to the certificate of the client; `also` are lists that plants follow on request alone.
    SettingsError where two plants are one EndDevice: only one of them would ever be found.
    """
    principal = Party(identity=own, pin=pin, registration_alone=True)
    parties: list[Party] = []
    known: set[str | int] = set()
    alone: set[str | int] = set()
    for plant in plants:
        one = plant.identity(own)
        is_own = plant.end_device is None or _is_same(one, own)
        one = own if is_own else one
        if (one.lfdi or one.sfdi) in known or one.sfdi in alone:
            msg = f"devices: {plant.end_device or 'the client itself'} is the EndDevice of other devices too"
            raise SettingsError(f"{msg}; give all of them the same end_device")
        known |= {one.lfdi, one.sfdi}
        alone |= set() if one.lfdi else {one.sfdi}
        own_pin = plant.pin or pin if is_own else plant.pin
        parties.append(Party(identity=one, pin=own_pin, is_principal=is_own, also=also))
    return (*parties,) if any(party.is_principal for party in parties) else (*parties, principal)


def _is_same(one: Identity, other: Identity) -> bool:
    """True if both are one EndDevice, as far as the settings tell."""
    return one.lfdi == other.lfdi if one.lfdi else one.sfdi == other.sfdi
