"""The models of physics by name: what each is, and the settings that it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from der_client.physics.ev import EvSettings
from der_client.physics.household import Household
from der_client.physics.orders import Orders
from der_client.physics.pack import PackSettings
from der_client.physics.weather import Weather, WeatherPv


@dataclass(frozen=True, slots=True, kw_only=True)
class PhysicalModel:
    """One model: what it is, in a line, and the dataclass of what can be chosen for it."""

    what: str
    settings: type


MODELS: Mapping[str, PhysicalModel] = MappingProxyType(
    {
        "power-stage": PhysicalModel(
            what="inverter by IEEE 1547-2018: power functions, ride-through, trip, enter service",
            settings=Orders,
        ),
        "weather": PhysicalModel(
            what="clear sky by latitude and day, seeded clouds, air temperature", settings=Weather
        ),
        "pv": PhysicalModel(what="PV field with warm modules under the weather", settings=WeatherPv),
        "pack": PhysicalModel(
            what="lithium iron phosphate pack: charge, health, resistance, heat, cells, contactor",
            settings=PackSettings,
        ),
        "ev": PhysicalModel(what="car that comes and goes, at a charging point", settings=EvSettings),
        "household": PhysicalModel(
            what="household by hour, day and season with a flexible part", settings=Household
        ),
    }
)
