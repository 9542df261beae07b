"""The IEEE 2030.5 server: store, dispatch, access, events, and the shell that speaks TLS and HTTP."""

from sep2_server.app import Sep2Server
from sep2_server.body_codecs import BodyCodec, BodyCodecs
from sep2_server.clock import ManualClock, SystemClock
from sep2_server.environment import Environment
from sep2_server.errors import Sep2Error
from sep2_server.settings import Settings, read_settings, settings_of
from sep2_server.store import Store

__all__ = [
    "BodyCodec",
    "BodyCodecs",
    "Environment",
    "ManualClock",
    "Sep2Error",
    "Sep2Server",
    "Settings",
    "Store",
    "SystemClock",
    "read_settings",
    "settings_of",
]
