"""The settings of a programme: what its levels, prices and curves mean. Mistakes are named by their key."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from openadr_ven.events import Unit
from openadr_ven.events.signals import ALERTS
from openadr_ven.to_sep2 import SIMPLE_LEVELS, Kind, LevelAction, PFSide, Programme, TargetMode, Thermal
from openadr_ven.to_sep2.curves import Y_REFERENCES
from openadr_ven.to_sep2.loads import LEVEL_TABLE
from openadr_ven.to_sep2.programme import LevelTable
from schemas.codes import DERCurveType

MOST_PRIMACY: Final = 255
SIMPLE: Final = "SIMPLE"
TABLES: Final = ("LOAD_DISPATCH level", LEVEL_TABLE, "DISPATCH_INSTRUCTION", "CONTROL_SETPOINT")
"""Signals whose levels only a table explains, by the name that the translation looks for."""
CURVES: Final = tuple(one.name for one in Y_REFERENCES)
TEMPERATURES: Final = (Unit.CELSIUS.value, Unit.FAHRENHEIT.value)
DAY_S: Final = 86_400
BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "duty_pct": (0, 100),
    "reduction_w": (0, 65_535_000),
    "offset_tenths": (0, 255),
    "charge_share": (0, 1),
    "dispatch": (-1, 1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelSettings:
    """What a level of a signal asks for; of SIMPLE also of one kind of device, or of one resource, alone.

    A row replaces what its level meant before. One that sets nothing asks nothing.
    """

    signal: str = SIMPLE
    level: int
    kind: Kind | None = None
    resource: str | None = None
    duty_pct: int | None = None
    reduction_w: int | None = None
    offset_tenths: int | None = None
    charge_share: float | None = None
    dispatch: float | None = None

    def __post_init__(self) -> None:
        if self.signal != SIMPLE and self.signal not in TABLES:
            raise ValueError(f"signal: {self.signal!r} is none of {', '.join((SIMPLE, *TABLES))}")
        if self.signal == SIMPLE and not 1 <= self.level <= 3:
            raise ValueError(f"level: SIMPLE has 1 to 3, and 0 is normal; {self.level} is none of them")
        is_part = self.kind is not None or self.resource is not None
        if self.signal != SIMPLE and is_part:
            raise ValueError(f"signal: {self.signal} has one table for all; leave kind and resource out")
        if self.kind is not None and self.resource is not None:
            raise ValueError("resource: stands beside kind; leave one of them out")
        for name, (least, most) in BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise ValueError(f"{name}: {least} to {most} is wanted, not {value}")

    @property
    def key(self) -> tuple[object, ...]:
        """What no two rows may have alike."""
        return (self.signal, self.level, self.kind, self.resource)

    @property
    def action(self) -> LevelAction:
        """The row as the translation knows it."""
        return LevelAction(
            duty_pct=self.duty_pct,
            reduction_w=self.reduction_w,
            offset_tenths=self.offset_tenths,
            charge_share=_decimal(self.charge_share),
            dispatch=_decimal(self.dispatch),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeSettings:
    """A market context of 2.0b, or a programID of 3.x, and the program that carries it on the server.

    `base_price` is what relative prices start from, per kWh, `base_demand_charge` per kW, in `currency` (the
    number of ISO 4217). `curve` is the mode that a CURVE is meant for, `pf_side` the side of its power
    factors for opModWattPF. `offset_per_level` are tenths of a degree.
    """

    market_context: str
    name: str
    primacy: int = 5
    currency: int | None = None
    target_mode: TargetMode = TargetMode.TARGET_W
    is_split: bool = True
    levels: tuple[LevelSettings, ...] = ()
    alert_levels: dict[str, int] = field(default_factory=dict)
    base_price: float | None = None
    base_demand_charge: float | None = None
    curve: str | None = None
    pf_side: PFSide | None = None
    offset_per_level: int = 10
    thermal: Thermal = Thermal.BOTH
    temperature_unit: str = Unit.CELSIUS.value
    fallback_export_w: int | None = None
    fallback_import_w: int | None = None
    horizon_s: int = DAY_S
    locale: str = "en"

    def __post_init__(self) -> None:
        if not 0 <= self.primacy <= MOST_PRIMACY:
            raise ValueError(f"primacy: 0 to {MOST_PRIMACY} is wanted, not {self.primacy}")
        for name in ("base_price", "base_demand_charge"):
            if getattr(self, name) is not None and self.currency is None:
                raise ValueError(f"{name}: set currency too, the ISO 4217 number of what it is in (EUR: 978)")
        if self.curve is not None and self.curve not in CURVES:
            raise ValueError(f"curve: {self.curve!r} is none of {', '.join(CURVES)}")
        if (self.pf_side is None) is (self.curve == DERCurveType.opModWattPF.name):
            raise ValueError("pf_side: is set where curve is opModWattPF, and nowhere else")
        if self.temperature_unit not in TEMPERATURES:
            raise ValueError(
                f"temperature_unit: {self.temperature_unit!r} is none of {', '.join(TEMPERATURES)}"
            )
        if not 60 <= self.horizon_s <= 30 * DAY_S:
            raise ValueError(f"horizon_s: a minute to 30 days is wanted, not {self.horizon_s}")
        self._require_levels()

    def _require_levels(self) -> None:
        for name, level in self.alert_levels.items():
            if name.removeprefix("ALERT_") not in ALERTS or not name.startswith("ALERT_"):
                raise ValueError(
                    f"alert_levels.{name}: no such alert; there are ALERT_{', ALERT_'.join(ALERTS)}"
                )
            if type(level) is not int or not 0 <= level <= 3:
                raise ValueError(f"alert_levels.{name}: a level of SIMPLE is wanted, 0 to 3")
        keys = [one.key for one in self.levels]
        for at, key in enumerate(keys):
            if keys.index(key) != at:
                raise ValueError(f"levels.{at}: says again what levels.{keys.index(key)} says; leave one out")

    def programme(self, vtn: str, pen: int) -> Programme:
        """The programme as the translation knows it."""
        base = {**SIMPLE_LEVELS, **_rows(self.levels, signal=SIMPLE)}
        kinds = {one.kind for one in self.levels if one.kind is not None}
        resources = {one.resource for one in self.levels if one.resource is not None}
        return Programme(
            vtn=vtn,
            marketContext=self.market_context,
            name=self.name,
            pen=pen,
            primacy=self.primacy,
            currency=self.currency,
            target_mode=self.target_mode,
            is_split=self.is_split,
            simple_levels=base,
            simple_by_kind={kind: {**base, **_rows(self.levels, kind=kind)} for kind in kinds},
            simple_by_resource={name: _rows(self.levels, resource=name) for name in resources},
            tables={name: _rows(self.levels, signal=name) for name in self._tables},
            alert_levels=self.alert_levels,
            base_price=_decimal(self.base_price),
            base_demand_charge=_decimal(self.base_demand_charge),
            curve_type=None if self.curve is None else DERCurveType[self.curve],
            pf_side=self.pf_side,
            tenths_per_level=self.offset_per_level,
            thermal=self.thermal,
            temperature_unit=Unit(self.temperature_unit),
            fallback_export_w=self.fallback_export_w,
            fallback_import_w=self.fallback_import_w,
            horizon_s=self.horizon_s,
            locale=self.locale,
        )

    @property
    def _tables(self) -> tuple[str, ...]:
        """Signals that have a table here, but for SIMPLE."""
        return tuple(dict.fromkeys(one.signal for one in self.levels if one.signal != SIMPLE))

    def said(self) -> str:
        """What of the programme is set beside its defaults, for a person who checks it."""
        tables = {one.signal for one in self.levels}
        found = [f"levels of {name}" for name in (SIMPLE, *TABLES) if name in tables]
        if self.base_price is not None:
            found.append(f"relative prices from {self.base_price} per kWh in currency {self.currency}")
        if self.base_demand_charge is not None:
            found.append(f"relative demand charges from {self.base_demand_charge} per kW")
        if self.curve is not None:
            found.append(f"CURVE is {self.curve}")
        return "; ".join(found) or "defaults"


def _rows(
    levels: Iterable[LevelSettings],
    *,
    signal: str = SIMPLE,
    kind: Kind | None = None,
    resource: str | None = None,
) -> LevelTable:
    """The rows of a table that are of this kind or resource, or of neither."""
    wanted = (signal, kind, resource)
    return {one.level: one.action for one in levels if (one.signal, one.kind, one.resource) == wanted}


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))
