"""From what a user asks for to a rig of devices. No IO: the battery's bus is brought along."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from der_client.can import BmsSettings, Pack, PackSettings, SimulatedBms, load_profile
from der_client.physics.chance import share_of
from der_client.physics.ev import ElectricVehicle, EvSettings
from der_client.physics.household import Household
from der_client.physics.weather import Weather, WeatherPv
from der_client.sunspec.simulator import Inverter, InverterSettings, ReplayStore
from der_client.sunspec.simulator.image import PORT_EV
from der_client.sunspec.simulator.meter import Meter, MeterSettings
from der_client.sunspec.simulator.site import Site
from lineside.sim.rig import Device, GridPoint, Rig

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VA_OVER_W, VAR_OVER_W = 1.1, 0.44


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Everything that can be chosen for a simulation; powers in W, `start` in s since 1970 UTC.

    `irradiance` is a constant share of full sun; without it the weather decides. `image` are captured
    registers by address.
    """

    kind: str
    start: float
    count: int = 1
    unit: int = 1
    series: int = 700
    max_w: float = 5_000.0
    serial: str = "SIM-0001"
    seed: int = 1
    nominal_hz: float = 60.0
    v_nom_v: float = 240.0
    ac_type: int = 0
    irradiance: float | None = None
    latitude_deg: float = 45.0
    utc_offset_h: float = 0.0
    cloudiness: float = 0.6
    has_lab_hooks: bool = False
    has_battery_model: bool = False
    cells: int = 16
    trips_when_it_may: bool = False
    capacity_wh: float = 10_000.0
    soc_pct: float = 60.0
    soh_pct: float = 100.0
    profile: str = "pylontech_lv"
    discharge_w: float = 0.0
    habits: bool = True
    daily_wh: float = 9_000.0
    flexible_w: float = 2_000.0
    self_consumption: bool = False
    is_float_meter: bool = False
    export_positive: bool = False
    grid: tuple[GridPoint, ...] = ()
    image: Mapping[int, int] = field(default_factory=dict)

    def weather(self, number: int = 0) -> Weather:
        """The weather of a device: all see the same sky, a few minutes apart."""
        return Weather(
            seed=self.seed,
            latitude_deg=self.latitude_deg,
            utc_offset_h=self.utc_offset_h + number / 3600.0,
            cloudiness=self.cloudiness,
        )


def build(wish: Wish) -> Rig:
    """The rig that was asked for. Raises ProfileError for a BMS profile that is not there."""
    makers = {"inverter": _inverters, "battery": _batteries, "ev": _cars, "image": _images}
    return makers.get(wish.kind, _site)(wish)


def _inverters(wish: Wish) -> Rig:
    devices = [_pv(wish, _name(wish, i), wish.unit, i) for i in range(wish.count)]
    return Rig({device.name: device for device in devices}, wish.start, grid=wish.grid)


def _batteries(wish: Wish) -> Rig:
    devices = [_battery(wish, _name(wish, i), wish.unit, i) for i in range(wish.count)]
    return Rig({device.name: device for device in devices}, wish.start, grid=wish.grid)


def _cars(wish: Wish) -> Rig:
    devices = [_car(wish, _name(wish, i), wish.unit, i) for i in range(wish.count)]
    return Rig({device.name: device for device in devices}, wish.start, grid=wish.grid)


def _images(wish: Wish) -> Rig:
    devices = [
        Device(name=_name(wish, i), unit=wish.unit, image=ReplayStore(wish.image)) for i in range(wish.count)
    ]
    return Rig({device.name: device for device in devices}, wish.start)


def _site(wish: Wish) -> Rig:
    devices: list[Device] = []
    if wish.kind == "site":
        devices = [_pv(wish, "pv", 1, 0), _battery(wish, "battery", 2, 1), _car(wish, "ev", 3, 2)]
    meter = Meter(
        MeterSettings(
            serial="METER-0001",
            unit=4 if devices else wish.unit,
            ac_type=wish.ac_type,
            v_nom_v=wish.v_nom_v,
            nominal_hz=wish.nominal_hz,
            most_w=4.0 * max(wish.max_w, wish.daily_wh / 2.0),
            is_float=wish.is_float_meter,
            export_positive=wish.export_positive,
        )
    )
    household = Household(
        seed=wish.seed, daily_wh=wish.daily_wh, flexible_w=wish.flexible_w, weather=wish.weather()
    )
    inverters = {device.name: device.inverter for device in devices if device.inverter is not None}
    site = Site(inverters, household, meter, wish.start, self_consumption=wish.self_consumption)
    devices.append(Device(name="meter", unit=meter.settings.unit, meter=meter))
    return Rig({device.name: device for device in devices}, wish.start, site=site, grid=wish.grid)


def _name(wish: Wish, number: int) -> str:
    return wish.kind if wish.count == 1 else str(number + 1)


def _serial(wish: Wish, number: int) -> str:
    return wish.serial if number == 0 else f"{wish.serial}-{number + 1}"


def _base(wish: Wish, unit: int, serial: str, model: str) -> InverterSettings:
    """What all inverters of a simulation share."""
    return InverterSettings(
        model=model,
        serial=serial,
        unit=unit,
        series=wish.series,
        max_w=wish.max_w,
        max_va=wish.max_w * VA_OVER_W,
        max_var=wish.max_w * VAR_OVER_W,
        pv_w=wish.max_w,
        ac_type=wish.ac_type,
        v_nom_v=wish.v_nom_v,
        nominal_hz=wish.nominal_hz,
        has_lab_hooks=wish.has_lab_hooks,
        trips_when_it_may=wish.trips_when_it_may,
    )


def _pv(wish: Wish, name: str, unit: int, number: int) -> Device:
    settings = _base(wish, unit, _serial(wish, number), "Simulated PV inverter")
    sun = None
    if wish.irradiance is None:
        sun = WeatherPv(rating_w=settings.pv_w, weather=wish.weather(number), start=wish.start)
    else:
        settings = replace(settings, irradiance=((0.0, wish.irradiance),))
    inverter = Inverter(settings, wish.start, pv=sun, draw=_draw(wish, number))
    return Device(name=name, unit=unit, inverter=inverter)


def _battery(wish: Wish, name: str, unit: int, number: int) -> Device:
    base = _base(wish, unit, _serial(wish, number), "Simulated battery inverter")
    settings = replace(
        base,
        charge_w=wish.max_w,
        discharge_w=wish.max_w,
        capacity_wh=wish.capacity_wh,
        pv_w=0.0,
        has_battery_model=wish.has_battery_model and wish.series != 100,
    )
    pack = Pack(
        PackSettings(
            capacity_wh=wish.capacity_wh,
            cells=wish.cells,
            soc_pct=wish.soc_pct,
            soh_pct=wish.soh_pct,
            seed=wish.seed + number,
        )
    )
    bms = SimulatedBms(pack, load_profile(wish.profile), BmsSettings())
    inverter = Inverter(settings, wish.start, pack, draw=_draw(wish, number))
    return Device(name=name, unit=unit, inverter=inverter, pack=pack, bms=bms)


def _car(wish: Wish, name: str, unit: int, number: int) -> Device:
    car = ElectricVehicle(
        EvSettings(
            seed=wish.seed + number,
            charge_w=wish.max_w,
            discharge_w=wish.discharge_w,
            voltage_v=wish.v_nom_v,
            habits=wish.habits,
            utc_offset_h=wish.utc_offset_h,
            soc_pct=wish.soc_pct,
        ),
        wish.start,
    )
    base = _base(wish, unit, _serial(wish, number), "Simulated charging point")
    settings = replace(
        base,
        charge_w=wish.max_w,
        discharge_w=wish.discharge_w,
        capacity_wh=car.settings.capacity_wh,
        pv_w=0.0,
        port_type=PORT_EV,
        idle_w=-wish.max_w,
        gap_w=car.settings.least_w,
    )
    inverter = Inverter(settings, wish.start, car, draw=_draw(wish, number))
    return Device(name=name, unit=unit, inverter=inverter, car=car)


def _draw(wish: Wish, number: int) -> Callable[[], float]:
    """Numbers for the random delays of one device, in their order."""
    drawn = iter(range(1 << 30))
    return lambda: share_of(wish.seed, number, next(drawn))
