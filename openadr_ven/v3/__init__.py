"""The wire of OpenADR 3.0.1 and 3.1.0: JSON read leniently and written strictly, and the client of a VEN."""

from openadr_ven.v3.client import VenClient
from openadr_ven.v3.errors import AuthError, FlawError, RefusedError, UnavailableError, V3Error, WriteError
from openadr_ven.v3.ports import Ask, Measured, Meter, Settings, Surroundings, Webhook
from openadr_ven.v3.report import DataQuality, OperatingState, ReadingType
from openadr_ven.v3.tokens import Credentials
from openadr_ven.v3.version import Version

__all__ = [
    "Ask",
    "AuthError",
    "Credentials",
    "DataQuality",
    "FlawError",
    "Measured",
    "Meter",
    "OperatingState",
    "ReadingType",
    "RefusedError",
    "Settings",
    "Surroundings",
    "UnavailableError",
    "V3Error",
    "VenClient",
    "Version",
    "Webhook",
    "WriteError",
]
