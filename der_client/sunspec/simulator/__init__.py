"""A simulated SunSpec inverter with the registers of a real one, and captured images as devices."""

from der_client.sunspec.simulator.faults import FaultSwitches
from der_client.sunspec.simulator.inverter import Inverter
from der_client.sunspec.simulator.replay import ReplayStore, parse_image
from der_client.sunspec.simulator.rtu_server import RtuServer
from der_client.sunspec.simulator.serve import InverterHandle, serve_inverter
from der_client.sunspec.simulator.server import ModbusServer
from der_client.sunspec.simulator.settings import InverterSettings
from der_client.sunspec.simulator.sources import DcLimits, DcSource, IdealBattery, PvField, PvSource

__all__ = [
    "DcLimits",
    "DcSource",
    "FaultSwitches",
    "IdealBattery",
    "Inverter",
    "InverterHandle",
    "InverterSettings",
    "ModbusServer",
    "PvField",
    "PvSource",
    "ReplayStore",
    "RtuServer",
    "parse_image",
    "serve_inverter",
]
