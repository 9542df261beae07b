"""SunSpec Modbus: the driver for 700-series inverters and batteries, and an outside look.

The simulated devices are in `der_client.sunspec.simulator`, which no client of real devices loads.
"""

from der_client.sunspec.driver import SunSpecDevice
from der_client.sunspec.dump import dump
from der_client.sunspec.mapping import MappingSettings
from der_client.sunspec.meter import SunSpecMeter
from der_client.sunspec.model import DeviceMap, Model
from der_client.sunspec.observer import ObserverError, RawAndValue, read_points
from der_client.sunspec.proxy import ProxySettings
from der_client.sunspec.scan import ScanSettings
from der_client.sunspec.serial_port import Parity, SerialSettings
from der_client.sunspec.settings import MeterSettings, SunSpecSettings
from der_client.sunspec.transport import TlsSettings, TransportSettings

__all__ = [
    "DeviceMap",
    "MappingSettings",
    "MeterSettings",
    "Model",
    "ObserverError",
    "Parity",
    "ProxySettings",
    "RawAndValue",
    "ScanSettings",
    "SerialSettings",
    "SunSpecDevice",
    "SunSpecMeter",
    "SunSpecSettings",
    "TlsSettings",
    "TransportSettings",
    "dump",
    "read_points",
]
