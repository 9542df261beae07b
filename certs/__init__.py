"""Identity and TLS: LFDI, SFDI and PIN, certificate profiles, a PKI for labs and pilots, the TLS contexts.

What reads and makes certificates is loaded when it is first asked for: a client of plain peers does without.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from certs.context import (
    PinningContext,
    ResumingContext,
    TlsContext,
    TlsError,
    client_context,
    modbus_client_context,
    modbus_server_context,
    openadr_client_context,
    openadr_server_context,
    operator_client_context,
    operator_context,
    resuming_client_context,
    server_context,
)
from certs.door import Accepting, Door, listen
from certs.errors import CertsError
from certs.findings import Finding, Kind
from certs.identity import (
    LFDI,
    display_lfdi,
    display_sfdi,
    fingerprint_of,
    is_valid_pin,
    is_valid_sfdi,
    lfdi_of,
    make_pin,
    parse_lfdi,
    pin_with_check,
    sfdi_dnssd,
    sfdi_of,
)
from certs.judge import PeerJudge
from certs.learnt import LearntIssuers
from certs.line import one_line, printable_json
from certs.session import TlsSession

if TYPE_CHECKING:
    from certs.held import HeldTls
    from certs.modbus import ModbusRole, modbus_role_of, modbus_role_of_peer
    from certs.peer import KnownIssuers, PeerIdentity, admission, judged_peer, peer_identity, refuse_reason
    from certs.pki import Credentials, Pki
    from certs.profile import check
    from certs.server_side import OperatorTls, ServerTls, TlsFiles

_WITH_LIBRARY = {
    "HeldTls": "certs.held",
    "ModbusRole": "certs.modbus",
    "modbus_role_of": "certs.modbus",
    "modbus_role_of_peer": "certs.modbus",
    "KnownIssuers": "certs.peer",
    "PeerIdentity": "certs.peer",
    "admission": "certs.peer",
    "judged_peer": "certs.peer",
    "peer_identity": "certs.peer",
    "refuse_reason": "certs.peer",
    "Credentials": "certs.pki",
    "Pki": "certs.pki",
    "check": "certs.profile",
    "OperatorTls": "certs.server_side",
    "ServerTls": "certs.server_side",
    "TlsFiles": "certs.server_side",
}
"""Where that stands which loads the library of certificates."""

__all__ = [
    "Accepting",
    "LFDI",
    "CertsError",
    "Credentials",
    "Door",
    "Finding",
    "HeldTls",
    "Kind",
    "ModbusRole",
    "KnownIssuers",
    "LearntIssuers",
    "OperatorTls",
    "PeerIdentity",
    "PinningContext",
    "PeerJudge",
    "Pki",
    "ResumingContext",
    "ServerTls",
    "TlsContext",
    "TlsError",
    "TlsFiles",
    "admission",
    "TlsSession",
    "check",
    "client_context",
    "display_lfdi",
    "display_sfdi",
    "fingerprint_of",
    "is_valid_pin",
    "is_valid_sfdi",
    "listen",
    "judged_peer",
    "lfdi_of",
    "make_pin",
    "modbus_client_context",
    "modbus_role_of",
    "modbus_role_of_peer",
    "modbus_server_context",
    "one_line",
    "openadr_client_context",
    "openadr_server_context",
    "operator_client_context",
    "operator_context",
    "parse_lfdi",
    "peer_identity",
    "pin_with_check",
    "printable_json",
    "refuse_reason",
    "resuming_client_context",
    "server_context",
    "sfdi_dnssd",
    "sfdi_of",
]


if not TYPE_CHECKING:  # a name that is nowhere is for the type checker to find

    def __getattr__(name: str) -> object:
        """A name whose module is read when it is first asked for."""
        if name not in _WITH_LIBRARY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_WITH_LIBRARY[name]), name)
