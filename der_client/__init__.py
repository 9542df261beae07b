"""The DER client: discovery, schedule, safety, devices, reports. IEEE 2030.5-2018 and CSIP."""

from der_client.battery_system import BatterySystem, Bms
from der_client.client import AggregatorClient, DERClient
from der_client.client_event import ClientEvent, What
from der_client.device import Applied, BatteryState, Device, Fault, FaultKind, Nameplate, Reversion, Setpoint
from der_client.device_factory import device_of
from der_client.errors import ClientError, ExchangeError
from der_client.interlocks import SafetyRules
from der_client.plants import Plant, plants_of
from der_client.protocol_settings import RegistrationSettings, SubscriptionSettings
from der_client.settings import (
    ClientSettings,
    ControlSettings,
    DeviceSettings,
    ReportSettings,
    ServerSettings,
    load_settings,
)
from owner import SettingsError

__all__ = [
    "AggregatorClient",
    "Applied",
    "BatteryState",
    "BatterySystem",
    "Bms",
    "ClientError",
    "ClientEvent",
    "ClientSettings",
    "ControlSettings",
    "DERClient",
    "Device",
    "DeviceSettings",
    "ExchangeError",
    "Fault",
    "FaultKind",
    "Nameplate",
    "Plant",
    "RegistrationSettings",
    "ReportSettings",
    "Reversion",
    "SafetyRules",
    "ServerSettings",
    "Setpoint",
    "SettingsError",
    "SubscriptionSettings",
    "What",
    "device_of",
    "plants_of",
    "load_settings",
]
