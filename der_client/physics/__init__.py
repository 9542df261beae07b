"""Physics of simulated devices: no clock, no chance, no bus; time and random numbers are arguments."""

from der_client.physics.active import Grid, Offer
from der_client.physics.curve import Curve, interpolate
from der_client.physics.orders import (
    Droop,
    Element,
    EnterWindow,
    FreqWatt,
    Order,
    Orders,
    PowerFactor,
    Ratings,
    VarOrder,
    VarRef,
    VoltVar,
    VoltWatt,
    WattPf,
    WattVar,
)
from der_client.physics.power_stage import PowerStage, is_inside
from der_client.physics.service import EnterService

__all__ = [
    "Curve",
    "Droop",
    "Element",
    "EnterService",
    "EnterWindow",
    "FreqWatt",
    "Grid",
    "Offer",
    "Order",
    "Orders",
    "PowerFactor",
    "PowerStage",
    "Ratings",
    "VarOrder",
    "VarRef",
    "VoltVar",
    "VoltWatt",
    "WattPf",
    "WattVar",
    "interpolate",
    "is_inside",
]
