"""What a programme of a utility is on the 2030.5 side, and what its signals mean there: configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from openadr_ven.events import Unit
from openadr_ven.to_sep2.fleet import Kind
from schemas.codes import DERCurveType

DAY_S: Final = 86_400


class TargetMode(StrEnum):
    """The mode that carries a set point of active power."""

    TARGET_W = "opModTargetW"
    FIXED_W = "opModFixedW"


class Thermal(StrEnum):
    """Which set point of a thermostat is meant."""

    COOLING = "cooling"
    HEATING = "heating"
    BOTH = "both"


class PFSide(StrEnum):
    """What a power factor of a curve does with vars: no point of OpenADR says it."""

    ABSORBING = "absorbing"
    INJECTING = "injecting"


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelAction:
    """What a level asks for, by the side on which a device stands; None asks nothing of that side.

    Of loads: `duty_pct` (share of time that a load may run), `reduction_w` (TargetReduction), or
    `offset_tenths` (of a degree, thermostats). Of storage: `charge_share`, the part of its charge rate that
    it may use at most. Of every DER: `dispatch`, -1 (full discharge) to 1 (full charge) of its rating, load
    positive as on OpenADR's side.
    """

    duty_pct: int | None = None
    reduction_w: int | None = None
    offset_tenths: int | None = None
    charge_share: Decimal | None = None
    dispatch: Decimal | None = None


LevelTable = Mapping[int, LevelAction]
SIMPLE_LEVELS: Final[LevelTable] = {
    1: LevelAction(duty_pct=75, charge_share=Decimal(0)),
    2: LevelAction(duty_pct=50, charge_share=Decimal(0)),
    3: LevelAction(duty_pct=0, charge_share=Decimal(0)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """One programme: a market context of 2.0b, or a programID of 3.x.

    `vtn` identifies the VTN (vtnID or URL) and is part of every mRID. `primacy` is that of the DERProgram,
    DemandResponseProgram, TariffProfile and MessagingProgram that carry it. `simple_levels` is what the
    levels of SIMPLE mean, `simple_by_kind` where a kind of device differs, `simple_by_resource` where a
    resource does, `tables` what levels of other signals mean, by the name of their row. `alert_levels` are
    levels of SIMPLE that an alert brings with it. `is_split` false gives every resource the whole set point
    or limit. `base_price` is what relative prices start from, per kWh, `base_demand_charge` what relative
    demand charges do, per kW. `curve_type` is what a CURVE is, `pf_side` the side of its power factors.
    `fallback_export_w` and `fallback_import_w` are the defaults where no subscription says any.
    `responseRequired` is what prices and messages ask of devices; controls ask for what a user says, too.
    """

    vtn: str
    marketContext: str
    name: str
    pen: int
    primacy: int
    currency: int | None = None
    target_mode: TargetMode = TargetMode.TARGET_W
    simple_levels: LevelTable = field(default_factory=lambda: SIMPLE_LEVELS)
    simple_by_kind: Mapping[Kind, LevelTable] = field(default_factory=dict)
    simple_by_resource: Mapping[str, LevelTable] = field(default_factory=dict)
    tables: Mapping[str, LevelTable] = field(default_factory=dict)
    alert_levels: Mapping[str, int] = field(default_factory=dict)
    is_split: bool = True
    tenths_per_level: int = 10
    thermal: Thermal = Thermal.BOTH
    temperature_unit: Unit = Unit.CELSIUS
    base_price: Decimal | None = None
    base_demand_charge: Decimal | None = None
    curve_type: DERCurveType | None = None
    pf_side: PFSide | None = None
    horizon_s: int = DAY_S
    fallback_export_w: int | None = None
    fallback_import_w: int | None = None
    locale: str = "en"
    responseRequired: str = "03"
