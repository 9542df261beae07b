"""Settings and ratings as both series of models have them: the setting in force, its rating where none is.

SunSpec models 120, 121, 124 and 702.
"""

from der_client.sunspec.model import DeviceMap, Model

INVERTERS = (101, 102, 103, 111, 112, 113)
"""The models of the older series that measure an inverter."""


def setting(model: Model | None, *names: str) -> float:
    """The first of these points that is implemented; 0 where none is.

    A setting of model 702 that is not implemented equals its rating.
    """
    values = (model.number(name) for name in names) if model else iter(())
    return float(next((value for value in values if value is not None), 0.0))


def in_force(capacity: Model, name: str, rating: str) -> float:
    """A setting of model 702, never above its rating. IEEE 2030.5-2018, 10.10 (DERSettings)."""
    most = capacity.number(rating)
    value = setting(capacity, name, rating)
    return value if most is None else min(value, float(most))


def set_max_w(device_map: DeviceMap, rating_w: float | None) -> float:
    """The most power by the settings, never above the rating, W: setMaxW, to which percentages refer.

    `rating_w` stands in for a device of the older series that does not say its own; 0 where nobody says one.
    """
    capacity = device_map.first(702)
    if capacity is not None:
        return in_force(capacity, "WMax", "WMaxRtg")
    most, basic = setting(device_map.first(120), "WRtg") or rating_w, device_map.first(121)
    value = setting(basic, "WMax")
    return min(value, most) if value and most else value or most or 0.0


def legacy_var(device_map: DeviceMap, quadrant: str) -> float:
    """Most reactive power of a quadrant (`Q1` given, `Q4` taken up) as a magnitude, var.

    The setting of model 121, else the rating of 120; one quadrant stands for the other where it is alone.
    """
    basic, ratings = device_map.first(121), device_map.first(120)
    other = "Q1" if quadrant == "Q4" else "Q4"
    for name in (quadrant, other):
        value = setting(basic, f"VArMax{name}") or setting(ratings, f"VArRtg{name}")
        if value:
            return abs(value)
    return 0.0


def storage_w(device_map: DeviceMap) -> float:
    """Most power that a battery behind model 124 takes in, W; 0 where only the model is there."""
    return setting(device_map.first(124), "WChaMax")


def inverter_of(device_map: DeviceMap) -> Model | None:
    """The model that measures the inverter at its AC side, 701 before the older ones."""
    return next((found for number in (701, *INVERTERS) if (found := device_map.first(number))), None)
