"""The operator's side of the server: an API on its own port, its credentials and its audit log.

Names are loaded when they are asked for: the command line needs the client alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sep2_server.operator.client import ApiError, OperatorClient
    from sep2_server.operator.operator_settings import OperatorSettings
    from sep2_server.operator.side import OperatorSide
    from sep2_server.operator.site import Site, read_site

__all__ = ["ApiError", "OperatorClient", "OperatorSettings", "OperatorSide", "Site", "read_site"]
_HOMES = {
    "ApiError": "client",
    "OperatorClient": "client",
    "OperatorSettings": "operator_settings",
    "OperatorSide": "side",
    "Site": "site",
    "read_site": "site",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
