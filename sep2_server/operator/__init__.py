"""The operator's side of the server: an API on its own port, its credentials and its audit log."""

from sep2_server.operator.client import ApiError, OperatorClient
from sep2_server.operator.side import OperatorSide
from sep2_server.operator.site import OperatorSettings, Site, read_site

__all__ = ["ApiError", "OperatorClient", "OperatorSettings", "OperatorSide", "Site", "read_site"]
