"""What stands behind the resources that a VTN names, as a translation needs to know it.

Powers are W, output positive: what flows into the grid has no sign, what is drawn from it has a minus.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from schemas.codes import DeviceCategoryType as Category


class Kind(StrEnum):
    """What a device is, as far as signals are answered by it in different ways."""

    STORAGE = "storage"
    GENERATION = "generation"
    COMBINED = "generation with storage"
    ELECTRIC_VEHICLE = "electric vehicle"
    EVSE = "EVSE"
    THERMOSTAT = "thermostat"
    LOAD = "load"
    SITE = "site"


class Envelope(StrEnum):
    """Which limits a device understands: those of the standard, or also those of CSIP-AUS."""

    CSIP = "csip"
    CSIP_AUS = "csip-aus"


class Motion(StrEnum):
    """What a battery does now, or is scheduled to do next."""

    CHARGING = "charging"
    DISCHARGING = "discharging"
    HOLDING = "holding"
    UNKNOWN = "unknown"


STORES: Final = frozenset({Kind.STORAGE, Kind.COMBINED})
VEHICLES: Final = frozenset({Kind.ELECTRIC_VEHICLE, Kind.EVSE})
GENERATES: Final = frozenset({Kind.GENERATION, Kind.COMBINED})
LOADS: Final = frozenset({Kind.THERMOSTAT, Kind.LOAD, Kind.SITE}) | VEHICLES
"""Kinds that a load control is for; a vehicle is both load and DER."""
DERS: Final = STORES | GENERATES | VEHICLES
"""Kinds that can hold an active power set point."""

CATEGORY_OF_KIND: Final[Mapping[Kind, Category]] = {
    Kind.STORAGE: Category.OTHER_STORAGE_SYSTEM,
    Kind.GENERATION: Category.PHOTOVOLTAIC_SYSTEM,
    Kind.COMBINED: Category.COMBINED_PV_AND_STORAGE,
    Kind.ELECTRIC_VEHICLE: Category.ELECTRIC_VEHICLE,
    Kind.EVSE: Category.EVSE,
    Kind.THERMOSTAT: Category.PROGRAMMABLE_COMMUNICATING_THERMOSTAT,
    Kind.LOAD: Category.SIMPLE_RESIDENTIAL_LOADS,
    Kind.SITE: Category.ENERGY_MANAGEMENT_SYSTEM,
}
"""The bit of deviceCategory of a device that does not say its own."""

CATEGORY_OF_CLASS: Final[Mapping[str, tuple[Category, ...]]] = {
    "Thermostat": (Category.PROGRAMMABLE_COMMUNICATING_THERMOSTAT,),
    "Strip_Heater": (Category.STRIP_HEATERS,),
    "Baseboard_Heater": (Category.BASEBOARD_HEATERS,),
    "Water_Heater": (Category.WATER_HEATER,),
    "Pool_Pump": (Category.POOL_PUMP,),
    "Sauna": (Category.SAUNA,),
    "Hot_tub": (Category.HOT_TUB,),
    "Smart_Appliance": (Category.SMART_APPLIANCE,),
    "Irrigation_Pump": (Category.IRRIGATION_PUMP,),
    "Managed_Commercial_and_Industrial_Loads": (Category.MANAGED_COMMERCIAL_AND_INDUSTRIAL_LOADS,),
    "Simple_Residential_On_Off_Loads": (Category.SIMPLE_RESIDENTIAL_LOADS,),
    "Exterior_Lighting": (Category.EXTERIOR_LIGHTING,),
    "Interior_Lighting": (Category.INTERIOR_LIGHTING,),
    "Load_Control_Switch": (Category.LOAD_CONTROL_SWITCH,),
    "Energy_Management_System": (Category.ENERGY_MANAGEMENT_SYSTEM,),
    "Smart_Energy_Module": (Category.SMART_ENERGY_MODULE,),
    "Electric_Vehicle": (Category.ELECTRIC_VEHICLE,),
    "EVSE": (Category.EVSE,),
    "Smart_Inverter": (
        Category.VIRTUAL_OR_MIXED_DER,
        Category.PHOTOVOLTAIC_SYSTEM,
        Category.COMBINED_PV_AND_STORAGE,
    ),
    "Generation_Systems": (Category.OTHER_GENERATION_SYSTEM, Category.PHOTOVOLTAIC_SYSTEM),
    "RESU": (Category.OTHER_STORAGE_SYSTEM,),
    "Storage": (Category.OTHER_STORAGE_SYSTEM,),
}
"""Device classes of OpenADR (endDeviceAsset) by the bits of deviceCategory that they pick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One EndDevice, or a group of equal ones whose ratings are given as a sum.

    `resource` is the VTN's name for it; several devices may share one. `group` is the group on the server
    that reaches it and nothing else. `lFDI` is empty for a group of devices. `site` names the connection
    point that it shares with others, "" for one of its own. `share` weighs it where a set point is split;
    None takes its rating. `power_w` is the measured mean that deltas start from, `soc` the state of charge,
    0 to 1, and `drawn_w` the magnitude with which a battery charges (None takes `power_w`): all as they were
    for the event (`Basis`), so that a plan does not change with its own effect.
    """

    resource: str
    name: str
    group: str
    kind: Kind
    lFDI: str = ""
    site: str = ""
    envelope: Envelope = Envelope.CSIP
    deviceCategory: int = 0
    share: Decimal | None = None
    setMaxW: int | None = None
    setMaxChargeRateW: int | None = None
    setMaxDischargeRateW: int | None = None
    setMaxWh: int | None = None
    soc: Decimal | None = None
    power_w: Decimal | None = None
    motion: Motion = Motion.UNKNOWN
    drawn_w: Decimal | None = None

    @property
    def category(self) -> int:
        """Bits of deviceCategory."""
        return self.deviceCategory or 1 << CATEGORY_OF_KIND[self.kind]

    @property
    def most_out_w(self) -> int | None:
        """The most that it can feed in; None where nobody knows."""
        if self.kind in LOADS:
            return self.setMaxDischargeRateW or 0
        if self.kind is Kind.STORAGE and self.setMaxDischargeRateW is not None:
            return self.setMaxDischargeRateW
        return self.setMaxW

    @property
    def most_in_w(self) -> int | None:
        """The most that it can draw, as a magnitude; None where nobody knows."""
        if self.kind is Kind.GENERATION:
            return 0
        if self.kind is Kind.COMBINED:
            return self.setMaxChargeRateW or 0
        return self.setMaxChargeRateW if self.setMaxChargeRateW is not None else self.setMaxW


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What a device told lately: None is what it did not tell. Power is W, output positive, `soc` 0 to 1.

    Ratings are for those that are not configured.
    """

    soc: Decimal | None = None
    power_w: Decimal | None = None
    motion: Motion = Motion.UNKNOWN
    drawn_w: Decimal | None = None
    setMaxW: int | None = None
    setMaxChargeRateW: int | None = None
    setMaxDischargeRateW: int | None = None
    setMaxWh: int | None = None


def with_live(device: Device, live: Live | None) -> Device:
    """A device with what it told lately in place of what is not configured."""
    if live is None:
        return device
    told = {f.name: getattr(live, f.name) for f in fields(live) if getattr(live, f.name) is not None}
    held = {name: getattr(device, name) for name in told}
    news = {name: value for name, value in told.items() if held[name] in {None, Motion.UNKNOWN}}
    return replace(device, **news)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """All devices that a VEN speaks for; `groups` are groups of the server with the names of all members.

    What is the same for all members of such a group is published to it once. ValueError for two devices of
    one name, or of one group: what is for the one would reach the other.
    """

    devices: tuple[Device, ...]
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for what in ("name", "group"):
            counts = Counter(str(getattr(device, what)) for device in self.devices)
            twice = [text for text, count in counts.items() if count > 1]
            if twice:
                raise ValueError(f"fleet: two devices have the {what} {twice[0]!r}")

    def with_live(self, live: Mapping[str, Live]) -> "Fleet":
        """The same devices with what they told lately, by their names."""
        return replace(self, devices=tuple(with_live(one, live.get(one.name)) for one in self.devices))

    def by_resource(self) -> dict[str, list[Device]]:
        """The devices behind each name of the VTN."""
        found: dict[str, list[Device]] = {}
        for device in self.devices:
            found.setdefault(device.resource, []).append(device)
        return found


def class_bits(classes: tuple[str, ...]) -> int:
    """Bits of deviceCategory that any of these device classes picks; unknown classes pick none."""
    bits = 0
    for name in classes:
        for category in CATEGORY_OF_CLASS.get(name, ()):
            bits |= 1 << category
    return bits
