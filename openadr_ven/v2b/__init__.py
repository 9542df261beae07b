"""The 2.0b wire of the VEN: messages, signatures, transport, and the client that polls a VTN."""

from openadr_ven.memory import FileMemory, InMemory, Memory
from openadr_ven.v2b.client import Settings, Ven
from openadr_ven.v2b.desk import Desk
from openadr_ven.v2b.errors import WireError
from openadr_ven.v2b.exchange import Exchange
from openadr_ven.v2b.http import HttpTransport
from openadr_ven.v2b.kept import Kept
from openadr_ven.v2b.ports import Source, SystemClock, Transport
from openadr_ven.v2b.replay import ReplayGuard
from openadr_ven.v2b.report_messages import (
    ENERGY,
    POWER,
    DataPoint,
    Datum,
    LoadControl,
    Measure,
    ReportOffer,
    ResourceStatus,
    Sampling,
)
from openadr_ven.v2b.signature import Signer, Verifier

__all__ = [
    "ENERGY",
    "POWER",
    "DataPoint",
    "Datum",
    "Desk",
    "Exchange",
    "FileMemory",
    "HttpTransport",
    "InMemory",
    "Kept",
    "LoadControl",
    "Measure",
    "Memory",
    "ReplayGuard",
    "ReportOffer",
    "ResourceStatus",
    "Sampling",
    "Settings",
    "Signer",
    "Source",
    "SystemClock",
    "Transport",
    "Ven",
    "Verifier",
    "WireError",
]
