"""The IEEE 2030.5 server: store, dispatch, access, events, and the shell that speaks TLS and HTTP.

Names are loaded when they are asked for: the command line of operators needs none of the server.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sep2_server.app import Sep2Server
    from sep2_server.body_codecs import BodyCodec, BodyCodecs
    from sep2_server.clock import ManualClock, SystemClock
    from sep2_server.environment import Environment
    from sep2_server.setting_values import Sep2Error
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
_HOMES = {
    "BodyCodec": "body_codecs",
    "BodyCodecs": "body_codecs",
    "Environment": "environment",
    "ManualClock": "clock",
    "Sep2Error": "setting_values",
    "Sep2Server": "app",
    "Settings": "settings",
    "Store": "store",
    "SystemClock": "clock",
    "read_settings": "settings",
    "settings_of": "settings",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
