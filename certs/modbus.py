"""Roles in certificates of Modbus/TCP Security: one UTF8String in an extension. Specification v36, 8.4."""

from enum import StrEnum
from typing import Final

from cryptography import x509

from certs import oids
from certs.errors import RequestError, UnreadableError
from certs.reading import certificate_of
from certs.session import TlsSession

_UTF8_STRING: Final = 0x0C
_LONGEST: Final = 0x7F


class ModbusRole(StrEnum):
    """What the owner of a certificate may do with SunSpec registers. All but the first may write some."""

    READ_ONLY = "ReadOnlySunSpec"
    GRID_SERVICE = "GridServiceSunSpec"
    NETWORK_ADMINISTRATOR = "NetworkAdministratorSunSpec"
    SUPER_ADMINISTRATOR = "SuperAdministratorSunSpec"


def role_extension(role: str) -> x509.UnrecognizedExtension:
    """The extension that gives a role; RequestError for a name that is empty or longer than 127 octets."""
    octets = role.encode()
    if not 0 < len(octets) <= _LONGEST:
        raise RequestError(f"role: {role[:60]!r} must have 1 to {_LONGEST} octets")
    return x509.UnrecognizedExtension(oids.MODBUS_ROLE, bytes((_UTF8_STRING, len(octets))) + octets)


def modbus_role_of(certificate: x509.Certificate) -> str | None:
    """The role that a certificate gives, `None` where it gives none or gives it in another form."""
    try:
        value = certificate.extensions.get_extension_for_oid(oids.MODBUS_ROLE).value
    except x509.ExtensionNotFound:
        return None
    octets = value.value if isinstance(value, x509.UnrecognizedExtension) else b""
    head = bytes((_UTF8_STRING, max(0, len(octets) - 2)))
    if not octets.startswith(head):
        return None
    return octets[2:].decode("utf-8", errors="replace")


def modbus_role_of_peer(session: TlsSession) -> str | None:
    """The role of the other side of a handshake, `None` where its certificate gives none."""
    leaf = session.getpeercert(True)
    try:
        return None if leaf is None else modbus_role_of(certificate_of(leaf))
    except UnreadableError:
        return None
