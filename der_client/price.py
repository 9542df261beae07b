"""What tariffs ask of storage by a rule of the settings: charge where energy is cheap, give where it is dear.

Pure. IEEE 2030.5-2018 (pricing).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from der_client.quantity import scaled
from owner import SettingsError
from schemas import ConsumptionTariffInterval, ReadingType, TimeTariffInterval

WATT_HOUR: Final = 72
"""ReadingType.uom of energy."""
TO_GRID: Final = 19
"""ReadingType.flowDirection of what the customer delivers."""
WH_PER_KWH_EXPONENT: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSettings:
    """When storage charges and discharges by price, in the currency of the tariff per kWh; off by default.

    Below `charge_below` it charges at `charge_pct` of setMaxChargeRateW, above `discharge_above` it gives at
    `discharge_pct` of its rating; between them it rests. Any control or default of a DERProgram that sets a
    power goes before.
    """

    charge_below: float | None = None
    discharge_above: float | None = None
    charge_pct: float = 100.0
    discharge_pct: float = 100.0

    def __post_init__(self) -> None:
        if not (0 <= self.charge_pct <= 100 and 0 <= self.discharge_pct <= 100):
            raise SettingsError("price.charge_pct, price.discharge_pct: 0 to 100 is wanted")
        low, high = self.charge_below, self.discharge_above
        if low is not None and high is not None and low > high:
            raise SettingsError("price.charge_below: is above price.discharge_above")

    @property
    def is_on(self) -> bool:
        """True if the client follows tariffs at all."""
        return self.charge_below is not None or self.discharge_above is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One RateComponent of a tariff with its intervals. `multiplier` is pricePowerOfTenMultiplier.

    `prices` are the ConsumptionTariffIntervals of each TimeTariffInterval by its mRID.
    """

    href: str
    mrid: str
    primacy: int
    multiplier: int = 0
    reading_type: ReadingType | None = None
    intervals: Sequence[TimeTariffInterval] = ()
    prices: Mapping[str, Sequence[ConsumptionTariffInterval]] = field(default_factory=dict)

    @property
    def is_of_energy_taken(self) -> bool:
        """True if it prices the energy that is delivered to the customer."""
        kind = self.reading_type
        return kind is not None and kind.uom == WATT_HOUR and kind.flowDirection != TO_GRID

    def price_per_kwh(self, mrid: str) -> float | None:
        """Price in an interval, currency per kWh: that of the first block; None where it is not known."""
        blocks = sorted(self.prices.get(mrid, ()), key=lambda block: block.startValue)
        price = blocks[0].price if blocks else None
        if price is None or self.reading_type is None:
            return None
        unit = self.reading_type.powerOfTenMultiplier or 0
        return scaled(price, self.multiplier + WH_PER_KWH_EXPONENT - unit)


def power_w_of(
    price_per_kwh: float, settings: PriceSettings, *, charge_w: float, discharge_w: float
) -> float | None:
    """The power that a price asks of storage of these ratings, W, negative to charge; None for rest."""
    if settings.charge_below is not None and price_per_kwh < settings.charge_below:
        return -settings.charge_pct / 100.0 * charge_w
    if settings.discharge_above is not None and price_per_kwh > settings.discharge_above:
        return settings.discharge_pct / 100.0 * discharge_w
    return None
