"""Identity and TLS: LFDI, SFDI and PIN, certificate profiles, a PKI for labs and pilots, the TLS contexts."""

from certs.context import (
    ResumingContext,
    TlsContext,
    TlsError,
    client_context,
    modbus_client_context,
    modbus_server_context,
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
    is_valid_pin,
    is_valid_sfdi,
    lfdi_of,
    make_pin,
    parse_lfdi,
    pin_with_check,
    sfdi_dnssd,
    sfdi_of,
)
from certs.learnt import LearntIssuers
from certs.modbus import ModbusRole, modbus_role_of, modbus_role_of_peer
from certs.peer import (
    KnownIssuers,
    PeerIdentity,
    TlsSession,
    admission,
    judged_peer,
    peer_identity,
    refuse_reason,
)
from certs.pki import Credentials, Pki
from certs.profile import check
from certs.server_side import OperatorTls, ServerTls, TlsFiles

__all__ = [
    "Accepting",
    "LFDI",
    "CertsError",
    "Credentials",
    "Door",
    "Finding",
    "Kind",
    "ModbusRole",
    "KnownIssuers",
    "LearntIssuers",
    "OperatorTls",
    "PeerIdentity",
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
    "operator_client_context",
    "operator_context",
    "parse_lfdi",
    "peer_identity",
    "pin_with_check",
    "refuse_reason",
    "resuming_client_context",
    "server_context",
    "sfdi_dnssd",
    "sfdi_of",
]
